internal import TaskLog
internal import TaskModel

/// A stretch of one partition to read.
struct ReadRequest: Hashable, Sendable {
    var partition: TopicPartition
    var partitionID: Int64
    var start: Int64
    var end: Int64
}

/// What a read came to.
struct ReadBatch: Sendable {
    var records: [LogRecord]
    /// One past the last record read, or the end that was asked for when nothing more lies before it.
    var position: Int64
    var bytes: Int
}

/// The queries that read records and their bounds.
enum RecordReader {
    static func bounds(_ partitionID: Int64, in connection: SQLiteConnection) throws(SQLiteFailure) -> OffsetBounds {
        let statement = try connection.statement("SELECT first_offset, end_offset FROM partition WHERE id = ?")
        statement.bind(1, partitionID)
        defer { statement.reset() }
        guard try statement.step() else { return OffsetBounds(start: 0, end: 0) }
        return OffsetBounds(start: statement.integer(0), end: statement.integer(1))
    }

    /// Ends of all partitions by id.
    static func ends(in connection: SQLiteConnection) throws(SQLiteFailure) -> [Int64: Int64] {
        let statement = try connection.statement("SELECT id, end_offset FROM partition")
        var ends: [Int64: Int64] = [:]
        while try statement.step() { ends[statement.integer(0)] = statement.integer(1) }
        statement.reset()
        return ends
    }

    /// Reads in order until the end, or so many records or bytes; at least one record, if there is one.
    static func read(
        _ request: ReadRequest, maximumRecords: Int, maximumBytes: Int, in connection: SQLiteConnection
    ) throws -> ReadBatch {
        // What lies below the first offset is deleted, though its rows may still be there.
        let first = try bounds(request.partitionID, in: connection).start
        let start = max(request.start, first)
        var batch = ReadBatch(records: [], position: max(request.end, request.start), bytes: 0)
        guard start < request.end else { return batch }
        let statement = try connection.statement(
            "SELECT id, time, key, value, headers FROM record WHERE id >= ? AND id < ? ORDER BY id")
        statement.bind(1, Schema.rowID(request.partitionID, start))
        statement.bind(2, Schema.rowID(request.partitionID, request.end))
        defer { statement.reset() }
        while try statement.step() {
            let record = try record(statement, request.partition)
            batch.records.append(record)
            batch.bytes += statement.byteCount(2) + statement.byteCount(3) + statement.byteCount(4) + 64
            guard batch.records.count < maximumRecords, batch.bytes < maximumBytes else {
                batch.position = record.offset + 1
                return batch
            }
        }
        return batch
    }

    private static func record(_ statement: SQLiteStatement, _ partition: TopicPartition) throws -> LogRecord {
        let offset = Schema.offset(ofRow: statement.integer(0))
        guard let headers = RecordHeaders(block: statement.blob(4) ?? []) else {
            throw LogError(
                .unsupported,
                "the headers of \(partition)@\(offset) cannot be read: the file is damaged; restore it from a backup")
        }
        return LogRecord(
            topic: partition.topic, partition: partition.partition, offset: offset,
            timestamp: Timestamp(milliseconds: statement.integer(1)), key: statement.blob(2),
            value: statement.blob(3), headers: headers)
    }

    /// The first offset at or after `time`: broker times never go back in a partition, so halving finds it.
    static func offset(
        for time: Timestamp, _ partitionID: Int64, in connection: SQLiteConnection
    ) throws(SQLiteFailure) -> Int64 {
        let bounds = try bounds(partitionID, in: connection)
        var low = bounds.start
        var high = bounds.end
        while low < high {
            let middle = low + (high - low) / 2
            // Offsets may have gaps: the probe answers for the next record that is there.
            let found = try probe(partitionID, from: middle, to: bounds.end, in: connection)
            if let found, found.time < time.milliseconds {
                low = found.offset + 1
            } else {
                high = middle
            }
        }
        return try probe(partitionID, from: low, to: bounds.end, in: connection)?.offset ?? bounds.end
    }

    private static func probe(
        _ partitionID: Int64, from start: Int64, to end: Int64, in connection: SQLiteConnection
    ) throws(SQLiteFailure) -> (offset: Int64, time: Int64)? {
        let statement = try connection.statement(
            "SELECT id, time FROM record WHERE id >= ? AND id < ? ORDER BY id LIMIT 1")
        statement.bind(1, Schema.rowID(partitionID, start))
        statement.bind(2, Schema.rowID(partitionID, end))
        defer { statement.reset() }
        guard try statement.step() else { return nil }
        return (Schema.offset(ofRow: statement.integer(0)), statement.integer(1))
    }
}
