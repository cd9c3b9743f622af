internal import KafkaClient
internal import TaskLog
internal import TaskTelemetry

/// A member of a Kafka consumer group, with dynamic membership and the range assignor.
final class KafkaGroupMember: GroupMember {
    private let session: FetchSession
    private let maximumBatchRecords: Int
    private let onLeave: @Sendable (FetchSession) -> Void
    /// Pauses between tries of a commit whose coordinator is moving; all of them together are a few seconds.
    private static let commitPauses: [Duration] = [.milliseconds(50), .milliseconds(200), .seconds(1), .seconds(2)]

    init(_ session: FetchSession, maximumBatchRecords: Int, onLeave: @escaping @Sendable (FetchSession) -> Void) {
        self.session = session
        self.maximumBatchRecords = max(1, maximumBatchRecords)
        self.onLeave = onLeave
    }

    func next() async throws -> GroupWake? {
        while let wake = try await session.next(maximumBatchRecords) {
            switch wake {
            case .group(let wake): return wake
            case .records(let records): return .records(records)
            case .endReached: continue
            }
        }
        return nil
    }

    func start(_ positions: [TopicPartition: Int64]) async throws {
        session.change { state in
            let membership = state.membership
            state.buffer.start(
                positions.filter { membership.owned.contains($0.key) && !membership.revoking.contains($0.key) })
        }
    }

    func commit(_ offsets: [TopicPartition: CommittedOffset]) async throws {
        for (partition, commit) in offsets where commit.metadata.utf8.count > CommittedOffset.maximumMetadataBytes {
            let size = commit.metadata.utf8.count
            throw LogError(
                .other,
                "commit of \(partition): \(size) bytes of metadata, at most \(CommittedOffset.maximumMetadataBytes)")
        }
        var pauses = Self.commitPauses[...]
        let epoch = session.state.withLock { $0.membership.epoch }
        while true {
            let error = try await tryCommit(offsets, epoch)
            guard let error else { return }
            guard error.isRetriable, let pause = pauses.popFirst() else { throw error }
            try await Task.sleep(for: pause)
        }
    }

    /// Throws what no further try changes; returns what one may. What was said of one assignment is not said of the next.
    private func tryCommit(_ offsets: [TopicPartition: CommittedOffset], _ epoch: Int64) async throws -> LogError? {
        let (consumer, owned) = session.state.withLock {
            ($0.consumer, $0.membership.epoch == epoch ? $0.membership.owned : [])
        }
        guard let consumer else { throw LogError.closed }
        let mine = offsets.filter { owned.contains($0.key) }
        if !mine.isEmpty {
            let commits = mine.reduce(into: [KafkaPartition: KafkaCommit]()) {
                $0[$1.key.kafka] = KafkaCommit(offset: $1.value.offset, metadata: $1.value.metadata)
            }
            let errors = await consumer.commit(commits)
            let worst = errors.min { !$0.value.isRetriable && $1.value.isRetriable }
            if let (partition, error) = worst { return LogError(error, "commit of \(partition)") }
        }
        guard mine.count == offsets.count else {
            let foreign = offsets.keys.filter { !owned.contains($0) }.sorted()
            throw LogError(.fenced, "commit of \(foreign): this member does not own them any more")
        }
        return nil
    }

    func pause(_ partitions: [TopicPartition]) async {
        session.change { $0.buffer.pause(partitions) }
    }

    func resume(_ partitions: [TopicPartition]) async {
        session.change { $0.buffer.resume(partitions) }
    }

    func release(_ partitions: [TopicPartition]) async {
        session.change { $0.release(partitions) }
    }

    func leave() async {
        await session.close()
        onLeave(session)
    }
}
