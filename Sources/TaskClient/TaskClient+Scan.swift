internal import ServiceRuntime
internal import TaskLog
internal import TaskModel

extension TaskClient {
    /// Partitions that one call reads at the same time.
    static let scanConcurrency = 4

    /// Reads what `partitions` hold now, from `since` on, and hands each batch to `body`, in order per partition.
    ///
    /// Several partitions are read at once, so `body` is called from several tasks. It returns false to end its partition.
    func scan(
        _ partitions: [TopicPartition], since: Timestamp? = nil, while doing: String,
        _ body: @escaping @Sendable ([LogRecord]) async throws -> Bool
    ) async throws(ClientError) {
        do {
            let bounds = try await log.bounds(of: partitions)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (index, partition) in partitions.enumerated() {
                    if index >= Self.scanConcurrency { try await group.next() }
                    guard let bounds = bounds[partition], bounds.start < bounds.end else { continue }
                    group.addTask { [log] in
                        var start = bounds.start
                        if let since { start = max(start, try await log.offset(for: since, in: partition)) }
                        guard start < bounds.end else { return }
                        try await log.scan(partition, from: start, to: bounds.end, body)
                    }
                }
                try await group.waitForAll()
            }
        } catch {
            throw ClientError(wrapping: error, while: doing)
        }
    }

    /// What `pick` keeps of the records that `partitions` hold now; at most `limit` values, the first ones read.
    func collect<Value: Sendable>(
        _ partitions: [TopicPartition], since: Timestamp? = nil, limit: Int, while doing: String,
        _ pick: @escaping @Sendable (LogRecord) -> Value?
    ) async throws(ClientError) -> (values: [Value], isTruncated: Bool) {
        let kept = Shared<[Value]>([])
        try await scan(partitions, since: since, while: doing) { records in
            let values = records.compactMap(pick)
            guard !values.isEmpty else { return true }
            return kept.change { kept in
                kept += values
                return kept.count <= limit
            }
        }
        return (Array(kept.value.prefix(limit)), kept.value.count > limit)
    }

    /// What `pick` keeps of the records of one range of offsets. The caller bounds the range.
    func collect<Value: Sendable>(
        _ partition: TopicPartition, from start: Int64, to end: Int64, while doing: String,
        _ pick: @escaping @Sendable (LogRecord) -> Value?
    ) async throws(ClientError) -> [Value] {
        let kept = Shared<[Value]>([])
        do {
            try await log.scan(partition, from: start, to: end) { records in
                kept.change { $0 += records.compactMap(pick) }
                return true
            }
        } catch {
            throw ClientError(wrapping: error, while: doing)
        }
        return kept.value
    }
}
