package import ServiceRuntime
package import TaskLog
package import TaskModel

/// The in-memory engine: one handle, as one process has it. Handles with one ``MemoryBroker`` share their records and groups.
///
/// It keeps what the port promises and nothing more, so that a role that leans on a stronger log fails here first.
package final class MemoryTaskLog: TaskLog {
    package let broker: MemoryBroker
    /// Faults of this handle alone.
    package let faults: LogFaults
    private let handle: Int
    package let favoursFewPartitions: Bool

    /// A handle onto a store of its own.
    package convenience init(time: any TimeSource, favoursFewPartitions: Bool = false) {
        self.init(broker: MemoryBroker(time: time), favoursFewPartitions: favoursFewPartitions)
    }

    /// A further handle, as another process would open it.
    package init(broker: MemoryBroker, favoursFewPartitions: Bool = false) {
        self.broker = broker
        self.favoursFewPartitions = favoursFewPartitions
        let handle = broker.change { $0.makeID() }
        self.handle = handle
        faults = LogFaults { isHeld in
            broker.change { state in
                guard isHeld else {
                    state.heldHandles.remove(handle)
                    for id in state.readers(of: handle) { state.wake(id) }
                    return
                }
                state.heldHandles.insert(handle)
            }
        }
    }

    /// The process dies as by SIGKILL: its members fall silent and every call on this handle fails from now on.
    package func crash() {
        vanish()
        change { state in
            for id in state.readers(of: self.handle) { state.end(id, .closed) }
            state.closedHandles.insert(self.handle)
        }
        faults.end()
    }

    /// All members of this handle stop their heartbeats, without leaving. Everything else goes on: a zombie.
    package func vanish() {
        let now = broker.time.uptime()
        change { state in
            for id in state.readers(of: self.handle) { state.stopHeartbeats(of: id, now: now) }
        }
    }

    /// Heartbeats go on; members that were taken for dead meanwhile join again, after they have heard of their loss.
    package func returnToLife() {
        let now = broker.time.uptime()
        change { state in
            for id in state.readers(of: self.handle) { state.resumeHeartbeats(of: id, now: now) }
        }
    }

    /// Returns once `topic` has taken `count` records (from any handle) since it was created.
    package func waitForAppend(to topic: String, count: Int = 1) async throws {
        try await broker.waitForAppend(to: topic, count: count)
    }

    // MARK: TaskLog

    package func ensure(topics: [TopicSpec]) async throws -> [TopicDescription] {
        try faults.check(.read)
        return try open { state in
            for spec in topics where state.topics[spec.name] == nil {
                guard spec.partitions > 0 else {
                    throw LogError(.other, "topic \(spec.name) needs at least one partition")
                }
                state.topics[spec.name] = MemoryTopic(spec)
            }
            return topics.compactMap { state.topics[$0.name]?.description }
        }
    }

    package func describe(topics: [String]) async throws -> [TopicDescription] {
        try faults.check(.read)
        return try open { state in topics.compactMap { state.topics[$0]?.description } }
    }

    package func append(_ records: [LogAppend]) async -> [Result<AppendReceipt, LogError>] {
        let plan = faults.planAppend(of: records)
        let now = broker.time.now()
        let results = change { state -> [Result<AppendReceipt, LogError>] in
            if state.closedHandles.contains(self.handle) {
                return records.map { _ in .failure(LogError(.closed, "the in-memory log is closed")) }
            }
            guard let plan else { return records.map { state.append($0, now: now) } }
            return zip(records, plan).map { record, fate in
                switch fate {
                case .written: return state.append(record, now: now)
                case .writtenTwice:
                    _ = state.append(record, now: now)
                    return state.append(record, now: now)
                case .refused(let error): return .failure(error)
                case .writtenButFailed(let error):
                    _ = state.append(record, now: now)
                    return .failure(error)
                }
            }
        }
        await faults.waitForAcknowledgement(of: records)
        return results
    }

    package func bounds(of partitions: [TopicPartition]) async throws -> [TopicPartition: OffsetBounds] {
        try faults.check(.read)
        return try open { state in
            try Dictionary(
                partitions.map { ($0, try state.partition($0).bounds) }, uniquingKeysWith: { first, _ in first })
        }
    }

    package func offset(for time: Timestamp, in partition: TopicPartition) async throws -> Int64 {
        try faults.check(.read)
        return try open { try $0.partition(partition).offset(for: time) }
    }

    @discardableResult
    package func scan(
        _ partition: TopicPartition, from start: Int64, to end: Int64,
        _ body: @Sendable ([LogRecord]) async throws -> Bool
    ) async throws -> Int64 {
        var position = start
        while true {
            try faults.check(.read)
            let from = position
            let batch = try open { state -> ArraySlice<LogRecord> in
                let source = try state.partition(partition)
                guard end <= source.end else {
                    throw LogError(
                        .offsetOutOfRange, "scan of \(partition) to \(end), but the partition ends at \(source.end)")
                }
                let first = source.index(of: from)
                let last = min(source.index(of: end), first + 1000)
                return source.records[first..<max(first, last)]
            }
            guard let last = batch.last else { return end }
            position = last.offset + 1
            guard try await body(Array(batch)) else { return position }
        }
    }

    package func trim(_ partition: TopicPartition, before offset: Int64) async throws {
        try faults.check(.read)
        try open { state in
            let bounds = try state.partition(partition).bounds
            guard offset <= bounds.end else {
                throw LogError(
                    .offsetOutOfRange, "trim of \(partition) before \(offset), but it ends at \(bounds.end)")
            }
            state.topics[partition.topic]!.partitions[Int(partition.partition)].trim(before: offset)
        }
    }

    package func committed(
        group: String, partitions: [TopicPartition]
    ) async throws -> [TopicPartition: CommittedOffset] {
        try faults.check(.read)
        return try open { state in
            (state.commits[group] ?? [:]).filter { partitions.contains($0.key) }
        }
    }

    package func join(_ options: GroupOptions) async throws -> any GroupMember {
        try faults.check(.read)
        let now = broker.time.uptime()
        let id = try open { state in
            for topic in options.topics where state.topics[topic] == nil { throw BrokerState.unknownTopic(topic) }
            let id = state.makeID()
            state.readers[id] = MemoryReader(handle: self.handle)
            state.join(id, options, now: now)
            return id
        }
        return MemoryGroupMember(broker: broker, faults: faults, reader: id, options: options)
    }

    package func follow(_ positions: [TopicPartition: Int64], pace: FollowPace) async throws -> any LogFollower {
        try faults.check(.read)
        let id = try open { state in
            let id = state.makeID()
            state.readers[id] = MemoryReader(handle: self.handle)
            return id
        }
        let follower = MemoryFollower(broker: broker, reader: id)
        try await follower.add(positions)
        return follower
    }

    package func close() async {
        let now = broker.time.uptime()
        change { state in
            guard state.closedHandles.insert(self.handle).inserted else { return }
            for id in state.readers(of: self.handle) {
                state.end(id, .closed)
                state.leave(id, now: now)
            }
        }
        faults.end()
    }

    private func change<Value: Sendable>(_ body: (inout BrokerState) -> Value) -> Value {
        broker.change(body)
    }

    private func open<Value: Sendable>(_ body: (inout BrokerState) throws -> Value) throws -> Value {
        try broker.change { state in
            try state.checkOpen(self.handle)
            return try body(&state)
        }
    }
}

extension BrokerState {
    fileprivate func readers(of handle: Int) -> [Int] {
        readers.filter { $0.value.handle == handle }.keys.sorted()
    }
}
