import Synchronization
internal import TaskLog
internal import TaskModel

/// Compaction of a partition: all but the last record of each key go; tombstones go when they are old enough for every
/// reader to have seen them (`delete.retention.ms`, default one day).
///
/// A pass learns the last offsets of the keys in the part that is new since the last pass, then goes over the whole
/// partition once. Deletions run from low offsets to high, so that a crash never leaves a value whose tombstone is gone.
extension SQLiteTaskLog {
    /// Keys that one pass keeps in memory; a longer part takes more passes.
    private static let maximumKeys = 200_000
    /// Rows that one read of a pass looks at.
    private static let stretch = 20_000
    /// New records that make a background pass worth it, at least.
    private static let worthwhile: Int64 = 10_000

    private struct Dirty: Sendable {
        var lastOffsets: [[UInt8]: Int64] = [:]
        /// One past the last offset that was learnt.
        var end: Int64
    }

    func compact(_ topic: TopicInfo, onlyWhenWorthIt: Bool) async throws {
        let now = time.now()
        let tombstoneLimit = now - (topic.milliseconds("delete.retention.ms") ?? 86_400_000)
        let oldest = now - (topic.milliseconds("max.compaction.lag.ms") ?? 3_600_000)
        for id in topic.partitionIDs {
            if onlyWhenWorthIt {
                guard try await isWorthCompacting(id, oldest: oldest) else { continue }
            }
            var isDone = false
            while !isDone {
                try Task.checkCancellation()
                isDone = try await compactPass(id, tombstoneLimit: tombstoneLimit)
            }
        }
    }

    /// Whether much is new compared with what was left last time, or some of it has waited for long.
    private func isWorthCompacting(_ partitionID: Int64, oldest: Timestamp) async throws -> Bool {
        let kept = compactedSizes.withLock { $0[partitionID] ?? 0 }
        return try await readers.read { connection in
            let end = try RecordReader.bounds(partitionID, in: connection).end
            let compactedTo = try Self.compactedTo(partitionID, in: connection)
            guard end > compactedTo else { return false }
            if end - compactedTo >= max(Self.worthwhile, kept / 2) { return true }
            let first = try connection.integer(
                "SELECT time FROM record WHERE id >= ? AND id < ? ORDER BY id LIMIT 1",
                Schema.rowID(partitionID, compactedTo), Schema.rowID(partitionID, end))
            return first.map { $0 < oldest.milliseconds } ?? true
        }
    }

    /// One pass; true when it reached the end of the partition.
    private func compactPass(_ partitionID: Int64, tombstoneLimit: Timestamp) async throws -> Bool {
        let (dirty, bounds) = try await readers.read { connection in
            let bounds = try RecordReader.bounds(partitionID, in: connection)
            return (try Self.learn(partitionID, to: bounds.end, in: connection), bounds)
        }
        var position = bounds.start
        var kept: Int64 = 0
        while position < dirty.end {
            let from = position
            let (doomed, alive, next) = try await readers.read { connection in
                try Self.findDoomed(partitionID, from: from, dirty, tombstoneLimit, in: connection)
            }
            try await delete(doomed)
            kept += alive
            position = next
        }
        let total = kept
        compactedSizes.withLock { $0[partitionID] = total }
        try await writer.transact { transaction in
            try transaction.connection.run(
                "UPDATE partition SET compacted_to = max(compacted_to, ?) WHERE id = ?", dirty.end, partitionID)
        }
        return dirty.end >= bounds.end
    }

    private static func compactedTo(_ id: Int64, in connection: SQLiteConnection) throws(SQLiteFailure) -> Int64 {
        try connection.integer("SELECT compacted_to FROM partition WHERE id = ?", id) ?? 0
    }

    private static func learn(
        _ partitionID: Int64, to end: Int64, in connection: SQLiteConnection
    ) throws(SQLiteFailure) -> Dirty {
        var dirty = Dirty(end: end)
        let statement = try connection.statement("SELECT id, key FROM record WHERE id >= ? AND id < ? ORDER BY id")
        statement.bind(1, Schema.rowID(partitionID, try compactedTo(partitionID, in: connection)))
        statement.bind(2, Schema.rowID(partitionID, end))
        defer { statement.reset() }
        while try statement.step() {
            let offset = Schema.offset(ofRow: statement.integer(0))
            if dirty.lastOffsets.count >= maximumKeys {
                dirty.end = offset
                break
            }
            dirty.lastOffsets[statement.blob(1) ?? []] = offset
        }
        return dirty
    }

    /// Row ids to delete in the next stretch, how many rows stay, and where to go on.
    private static func findDoomed(
        _ partitionID: Int64, from start: Int64, _ dirty: Dirty, _ tombstoneLimit: Timestamp,
        in connection: SQLiteConnection
    ) throws(SQLiteFailure) -> (doomed: [Int64], alive: Int64, next: Int64) {
        let statement = try connection.statement(
            "SELECT id, key, value IS NULL, time FROM record WHERE id >= ? AND id < ? ORDER BY id LIMIT ?")
        statement.bind(1, Schema.rowID(partitionID, start))
        statement.bind(2, Schema.rowID(partitionID, dirty.end))
        statement.bind(3, Int64(stretch))
        defer { statement.reset() }
        var doomed: [Int64] = []
        var next = dirty.end
        var rows = 0
        while try statement.step() {
            rows += 1
            let row = statement.integer(0)
            let offset = Schema.offset(ofRow: row)
            if rows == stretch { next = offset + 1 }
            let isSuperseded = dirty.lastOffsets[statement.blob(1) ?? []].map { $0 > offset } ?? false
            let isOldTombstone = statement.integer(2) == 1 && statement.integer(3) < tombstoneLimit.milliseconds
            if isSuperseded || isOldTombstone { doomed.append(row) }
        }
        return (doomed, Int64(rows - doomed.count), next)
    }

    private func delete(_ rows: [Int64]) async throws {
        let bite = max(1, configuration.maintenanceBiteRecords)
        for start in stride(from: 0, to: rows.count, by: bite) {
            let part = Array(rows[start..<min(start + bite, rows.count)])
            try await writer.transact { transaction in
                for row in part { try transaction.connection.run("DELETE FROM record WHERE id = ?", row) }
            }
        }
    }
}

extension TopicInfo {
    /// A setting in milliseconds, if the topic was made with it.
    func milliseconds(_ setting: String) -> Int64? { settings[setting].flatMap { Int64($0) } }
}
