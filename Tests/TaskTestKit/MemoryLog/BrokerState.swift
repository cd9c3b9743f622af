internal import ServiceRuntime
internal import TaskLog
internal import TaskModel

/// One topic of the in-memory log.
struct MemoryTopic {
    var spec: TopicSpec
    var partitions: [MemoryPartition]
    /// Records ever appended, for tests that wait for them.
    var appended = 0
    var appendsSinceCompaction = 0

    init(_ spec: TopicSpec) {
        self.spec = spec
        partitions = Array(repeating: MemoryPartition(), count: Int(spec.partitions))
    }

    var description: TopicDescription {
        var settings = spec.settings
        settings["max.message.bytes"] = String(spec.maximumRecordBytes)
        switch spec.cleanup {
        case .never:
            settings["cleanup.policy"] = "delete"
            settings["retention.ms"] = "-1"
        case .delete(let retention):
            settings["cleanup.policy"] = "delete"
            settings["retention.ms"] = String(retention)
        case .compact:
            settings["cleanup.policy"] = "compact"
        }
        return TopicDescription(name: spec.name, partitions: spec.partitions, replication: 1, settings: settings)
    }
}

/// A group member or a follower, as the broker sees it.
struct MemoryReader {
    enum Ending { case finished, closed }

    var handle: Int
    /// Nil for a follower. The id changes when a member that was taken for dead joins again.
    var membership: (options: GroupOptions, id: String)?
    var control: [GroupWake] = []
    var fetch = FetchSet()
    var ending: Ending?
    /// Something may have happened since the last poll.
    var hasNews = true
    var waiter: CheckedContinuation<Void, any Error>?

    var maximumRecords: Int { membership?.options.maximumBatchRecords ?? 1000 }
    var maximumBytes: Int { membership?.options.maximumBufferedBytes ?? 1 << 20 }
}

/// Everything that the in-memory log holds. Guarded by the lock of ``MemoryBroker``.
struct BrokerState {
    enum Polled {
        case control(GroupWake)
        case records([LogRecord])
        case ended(MemoryReader.Ending)
        case nothing
    }

    var topics: [String: MemoryTopic] = [:]
    var groups: [String: MemoryGroup] = [:]
    var commits: [String: [TopicPartition: CommittedOffset]] = [:]
    var readers: [Int: MemoryReader] = [:]
    var closedHandles: Set<Int> = []
    var heldHandles: Set<Int> = []
    /// Compacts a partition's topic after so many appends to it; nil: only on demand.
    var automaticCompaction: Int?
    /// Waiters to resume once the lock is free.
    var ready: [CheckedContinuation<Void, any Error>] = []
    private var lastID = 0

    mutating func makeID() -> Int {
        lastID += 1
        return lastID
    }

    func partition(_ partition: TopicPartition) throws -> MemoryPartition {
        guard let topic = topics[partition.topic] else { throw Self.unknownTopic(partition.topic) }
        guard topic.partitions.indices.contains(Int(partition.partition)) else {
            throw Self.unknownPartition(partition, of: topic)
        }
        return topic.partitions[Int(partition.partition)]
    }

    func checkOpen(_ handle: Int) throws {
        if closedHandles.contains(handle) { throw LogError(.closed, "the in-memory log is closed") }
    }

    mutating func append(_ record: LogAppend, now: Timestamp) -> Result<AppendReceipt, LogError> {
        if let error = refusal(of: record) { return .failure(error) }
        // In place: a copy held across these lines would make each append copy the partition.
        let receipt = topics[record.topic]!.partitions[Int(record.partition)].append(record, now: now)
        topics[record.topic]!.appended += 1
        topics[record.topic]!.appendsSinceCompaction += 1
        if let limit = automaticCompaction, topics[record.topic]!.appendsSinceCompaction >= limit {
            compact(record.topic, now: now, dropsTombstones: false)
        }
        let partition = TopicPartition(record.topic, record.partition)
        let interested = readers.compactMap { $0.value.fetch.contains(partition) ? $0.key : nil }
        for id in interested { wake(id) }
        return .success(receipt)
    }

    private func refusal(of record: LogAppend) -> LogError? {
        guard let topic = topics[record.topic] else { return Self.unknownTopic(record.topic) }
        let partition = TopicPartition(record.topic, record.partition)
        guard topic.partitions.indices.contains(Int(record.partition)) else {
            return Self.unknownPartition(partition, of: topic)
        }
        let limit = topic.spec.maximumRecordBytes
        if record.byteCount > limit {
            return LogError(
                .recordTooLarge,
                "record of \(record.byteCount) bytes for \(partition): the topic takes at most \(limit) bytes")
        }
        if topic.spec.cleanup == .compact && record.key == nil {
            return LogError(.other, "\(record.topic) is compacted and takes no record without a key")
        }
        return nil
    }

    // MARK: upkeep

    /// Kafka's default `delete.retention.ms`.
    private static let tombstoneMilliseconds: Int64 = 86_400_000

    mutating func compact(_ name: String, now: Timestamp, dropsTombstones: Bool) {
        guard topics[name]?.spec.cleanup == .compact else { return }
        let limit = dropsTombstones ? .distantFuture : now - Self.tombstoneMilliseconds
        for index in topics[name]!.partitions.indices {
            topics[name]!.partitions[index].compact(droppingTombstonesBefore: limit)
        }
        topics[name]!.appendsSinceCompaction = 0
    }

    mutating func applyRetention(now: Timestamp) {
        for name in Array(topics.keys) {
            guard case .delete(let retention)? = topics[name]?.spec.cleanup else { continue }
            for index in topics[name]!.partitions.indices {
                topics[name]!.partitions[index].dropRecords(olderThan: now - retention)
            }
        }
    }

    // MARK: readers

    mutating func wake(_ id: Int) {
        readers[id]?.hasNews = true
        if let waiter = readers[id]?.waiter {
            readers[id]?.waiter = nil
            ready.append(waiter)
        }
    }

    mutating func poll(_ id: Int) -> Polled {
        guard let reader = readers[id] else { return .ended(.closed) }
        readers[id]!.hasNews = false
        if let ending = reader.ending { return .ended(ending) }
        if heldHandles.contains(reader.handle) { return .nothing }
        if !reader.control.isEmpty { return .control(readers[id]!.control.removeFirst()) }
        let topics = topics
        let batch = readers[id]!.fetch.read(
            maximumRecords: reader.maximumRecords, maximumBytes: reader.maximumBytes
        ) { topics[$0.topic]?.partitions[Int($0.partition)] }
        return batch.isEmpty ? .nothing : .records(batch)
    }

    mutating func end(_ id: Int, _ ending: MemoryReader.Ending) {
        guard readers[id]?.ending == nil else { return }
        readers[id]?.ending = ending
        readers[id]?.control = []
        readers[id]?.fetch = FetchSet()
        wake(id)
    }

    // MARK: groups

    private var partitionCounts: [String: Int32] { topics.mapValues(\.spec.partitions) }

    mutating func join(_ id: Int, _ options: GroupOptions, now: Int64) {
        // Zero-padded, so that range assignment follows the order of joining; Kafka's ids end in a random part.
        let number = String(makeID())
        let member = options.clientID + "-" + String(repeating: "0", count: max(0, 6 - number.count)) + number
        readers[id]?.membership = (options, member)
        let counts = partitionCounts
        let notices = groups[options.group, default: MemoryGroup()]
            .join(member, options: options, now: now, partitionCounts: counts)
        deliver(notices)
    }

    mutating func leave(_ id: Int, now: Int64) {
        guard let (options, member) = readers[id]?.membership else { return }
        let counts = partitionCounts
        deliver(groups[options.group]?.leave(member, now: now, partitionCounts: counts) ?? [])
    }

    mutating func release(_ partitions: [TopicPartition], by id: Int) {
        guard let (options, member) = readers[id]?.membership else { return }
        let counts = partitionCounts
        deliver(groups[options.group]?.release(partitions, by: member, partitionCounts: counts) ?? [])
    }

    mutating func stopHeartbeats(of id: Int, now: Int64) {
        guard let (options, member) = readers[id]?.membership else { return }
        groups[options.group]?.stopHeartbeats(of: member, now: now)
    }

    mutating func resumeHeartbeats(of id: Int, now: Int64) {
        guard let (options, member) = readers[id]?.membership, readers[id]?.ending == nil else { return }
        if groups[options.group]?.resumeHeartbeats(of: member) != true { join(id, options, now: now) }
    }

    var nextDeadline: Int64? { groups.values.compactMap(\.nextDeadline).min() }

    mutating func expire(now: Int64) {
        guard let deadline = nextDeadline, deadline <= now else { return }
        let counts = partitionCounts
        for name in groups.keys.sorted() {
            deliver(groups[name]!.expire(now: now, partitionCounts: counts))
        }
    }

    private mutating func deliver(_ notices: [MemoryGroup.Notice]) {
        for notice in notices {
            guard let id = readers.first(where: { $0.value.membership?.id == notice.member })?.key,
                readers[id]?.ending == nil
            else { continue }
            switch notice.wake {
            case .assigned: readers[id]!.control.append(notice.wake)
            case .revoking(let partitions):
                readers[id]!.fetch.remove(partitions)
                readers[id]!.control.append(notice.wake)
            case .lost(let partitions):
                readers[id]!.fetch.remove(partitions)
                noteLoss(of: partitions, to: id)
            case .records: continue
            }
            wake(id)
        }
    }

    /// A member that never read of the assignment need not hear of its loss, so unread notices stay bounded.
    private mutating func noteLoss(of partitions: [TopicPartition], to id: Int) {
        var wasUnread = false
        readers[id]!.control.removeAll { wake in
            switch wake {
            case .assigned:
                wasUnread = true
                return true
            case .revoking: return true
            case .lost, .records: return false
            }
        }
        if !wasUnread && !partitions.isEmpty { readers[id]!.control.append(.lost(partitions)) }
    }

    static func unknownTopic(_ name: String) -> LogError {
        LogError(.unknownTopic, "there is no topic \(name); create it first")
    }

    static func unknownPartition(_ partition: TopicPartition, of topic: MemoryTopic) -> LogError {
        LogError(.unknownPartition, "there is no partition \(partition); the topic has \(topic.spec.partitions)")
    }
}
