package import TaskLog
package import TaskModel

extension SQLiteTaskLog {
    package func ensure(topics: [TopicSpec]) async throws -> [TopicDescription] {
        try checkOpen()
        let catalog = catalog
        let names = topics.map(\.name)
        let known = try await readers.read { connection in
            try names.compactMap { try catalog.find($0, in: connection) }
        }
        // The usual start of a process takes no lock.
        if known.count == topics.count { return known.map(\.description) }
        let made = try await writer.transact { transaction in
            try SQLiteTaskLog.makeMissing(topics, transaction)
        }
        return made.map(\.description)
    }

    private static func makeMissing(_ topics: [TopicSpec], _ transaction: WriteTransaction) throws -> [TopicInfo] {
        var made: Set<String> = []
        let connection = transaction.connection
        for spec in topics where try !TopicCatalog.exists(spec.name, in: connection) {
            try TopicCatalog.insert(spec, into: connection)
            made.insert(spec.name)
        }
        if !made.isEmpty {
            transaction.hasChangedTopics = true
            let store = GroupStore(transaction)
            for group in try store.groupsWithMembers() {
                _ = try store.update(group) { state in
                    guard !state.subscribedTopics.isDisjoint(with: made) else { return }
                    state.topicsChanged(now: transaction.uptime, bootID: transaction.bootID)
                }
            }
        }
        return try topics.compactMap { try TopicCatalog.load($0.name, from: connection) }
    }

    package func describe(topics: [String]) async throws -> [TopicDescription] {
        try checkOpen()
        let catalog = catalog
        return try await readers.read { connection in
            try topics.compactMap { try catalog.find($0, in: connection)?.description }
        }
    }

    package func append(_ records: [LogAppend]) async -> [Result<AppendReceipt, LogError>] {
        do { try checkOpen() } catch { return records.map { _ in .failure(Self.closedError) } }
        return await writer.append(records)
    }

    package func bounds(of partitions: [TopicPartition]) async throws -> [TopicPartition: OffsetBounds] {
        try checkOpen()
        let catalog = catalog
        return try await readers.read { connection in
            var bounds: [TopicPartition: OffsetBounds] = [:]
            for partition in partitions {
                let id = try catalog.id(of: partition, in: connection)
                bounds[partition] = try RecordReader.bounds(id, in: connection)
            }
            return bounds
        }
    }

    package func offset(for time: Timestamp, in partition: TopicPartition) async throws -> Int64 {
        try checkOpen()
        let catalog = catalog
        return try await readers.read { connection in
            let id = try catalog.id(of: partition, in: connection)
            return try RecordReader.offset(for: time, id, in: connection)
        }
    }

    @discardableResult
    package func scan(
        _ partition: TopicPartition, from start: Int64, to end: Int64,
        _ body: @Sendable ([LogRecord]) async throws -> Bool
    ) async throws -> Int64 {
        try checkOpen()
        var position = start
        while position < end {
            try Task.checkCancellation()
            let batch = try await read(partition, from: position, to: end)
            if !batch.records.isEmpty {
                guard try await body(batch.records) else { return batch.records[batch.records.count - 1].offset + 1 }
            }
            position = batch.position
        }
        return max(position, start)
    }

    private func read(_ partition: TopicPartition, from start: Int64, to end: Int64) async throws -> ReadBatch {
        let catalog = catalog
        let configuration = configuration
        return try await readers.read { connection in
            let id = try catalog.id(of: partition, in: connection)
            return try RecordReader.read(
                ReadRequest(partition: partition, partitionID: id, start: start, end: end),
                maximumRecords: configuration.maximumReadBatchRecords,
                maximumBytes: configuration.maximumReadBatchBytes, in: connection)
        }
    }

    package func committed(
        group: String, partitions: [TopicPartition]
    ) async throws -> [TopicPartition: CommittedOffset] {
        try checkOpen()
        let catalog = catalog
        return try await readers.read { connection in
            var committed: [TopicPartition: CommittedOffset] = [:]
            for partition in partitions {
                let id = try catalog.id(of: partition, in: connection)
                committed[partition] = try GroupStore.committed(group: group, partitionID: id, in: connection)
            }
            return committed
        }
    }
}
