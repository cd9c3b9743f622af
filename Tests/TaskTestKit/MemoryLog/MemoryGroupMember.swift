package import TaskLog

/// A member of a group of the in-memory log.
package final class MemoryGroupMember: GroupMember {
    private let broker: MemoryBroker
    private let faults: LogFaults
    private let reader: Int
    private let options: GroupOptions

    init(broker: MemoryBroker, faults: LogFaults, reader: Int, options: GroupOptions) {
        self.broker = broker
        self.faults = faults
        self.reader = reader
        self.options = options
    }

    /// Stops the heartbeats without leaving. Once the session timeout has passed on the log's clock the group takes this
    /// member for dead; until it hears of that (in `next()`) it goes on as a zombie.
    package func vanish() {
        let now = broker.time.uptime()
        broker.change { $0.stopHeartbeats(of: self.reader, now: now) }
    }

    /// Heartbeats go on; if the group took it for dead meanwhile, the member joins again.
    package func returnToLife() {
        let now = broker.time.uptime()
        broker.change { $0.resumeHeartbeats(of: self.reader, now: now) }
    }

    package func next() async throws -> GroupWake? {
        while true {
            switch broker.change({ $0.poll(self.reader) }) {
            case .control(let wake): return wake
            case .records(let records): return .records(records)
            case .ended(.finished): return nil
            case .ended(.closed): throw LogError(.closed, "the in-memory log is closed")
            case .nothing: try await broker.waitForNews(of: reader)
            }
        }
    }

    /// Throws `offsetOutOfRange` for a position past the end: on a broker with `auto.offset.reset=error` it never works.
    package func start(_ positions: [TopicPartition: Int64]) async throws {
        try broker.change { state in
            guard let id = state.openMember(self.reader) else {
                throw LogError(.closed, "the member has left its group")
            }
            for (partition, position) in positions {
                guard state.groups[self.options.group]?.mayFetch(partition, by: id) == true else { continue }
                try state.fetch(partition, from: position, by: self.reader)
            }
        }
    }

    /// All or nothing: a commit with one partition too many commits none.
    package func commit(_ offsets: [TopicPartition: CommittedOffset]) async throws {
        try faults.check(.commit)
        try broker.change { state in
            guard let id = state.openMember(self.reader) else {
                throw LogError(.closed, "the member has left its group")
            }
            let owned = state.groups[self.options.group]?.owned(by: id) ?? []
            for (partition, offset) in offsets {
                guard owned.contains(partition) else {
                    throw LogError(
                        .fenced, "commit of \(partition) by \(id), which does not own it in group \(self.options.group)"
                    )
                }
                guard offset.metadata.utf8.count <= CommittedOffset.maximumMetadataBytes else {
                    throw LogError(
                        .other,
                        "commit metadata of \(offset.metadata.utf8.count) bytes for \(partition): "
                            + "at most \(CommittedOffset.maximumMetadataBytes) are kept")
                }
            }
            state.commits[self.options.group, default: [:]].merge(offsets) { _, new in new }
        }
    }

    package func pause(_ partitions: [TopicPartition]) async {
        broker.change { $0.readers[self.reader]?.fetch.setPaused(true, partitions) }
    }

    package func resume(_ partitions: [TopicPartition]) async {
        broker.change { state in
            state.readers[self.reader]?.fetch.setPaused(false, partitions)
            state.wake(self.reader)
        }
    }

    package func release(_ partitions: [TopicPartition]) async {
        broker.change { $0.release(partitions, by: self.reader) }
    }

    package func leave() async {
        let now = broker.time.uptime()
        broker.change { state in
            // A process that crashed says no goodbye.
            guard state.readers[self.reader]?.ending == nil else { return }
            state.end(self.reader, .finished)
            state.leave(self.reader, now: now)
        }
    }
}

extension BrokerState {
    /// The member id of a reader that has neither left nor lost its log.
    fileprivate func openMember(_ reader: Int) -> String? {
        guard let found = readers[reader], found.ending == nil else { return nil }
        return found.membership?.id
    }

    /// Starts or moves a reader's fetching.
    mutating func fetch(_ partition: TopicPartition, from position: Int64, by reader: Int) throws {
        let end = try self.partition(partition).end
        guard position >= 0 && position <= end else {
            throw LogError(.offsetOutOfRange, "start of \(partition) at \(position), but it ends at \(end)")
        }
        readers[reader]?.fetch.set(partition, to: position)
        wake(reader)
    }
}
