internal import TaskLog
internal import TaskModel

/// What a job may do inside the writer's transaction: the connection, the clocks as of its begin, and appending.
///
/// Lives on the writer's thread from one transaction to the next, because it keeps the ends of partitions in memory;
/// when another connection has written meanwhile, it reads them anew.
final class WriteTransaction {
    private struct Slot {
        var end: Int64
        var lastTime: Int64
        var isTouched = false
    }

    let connection: SQLiteConnection
    let catalog: TopicCatalog
    let bootID: String
    /// Wall time at the begin: the broker's time of all that is appended, unless a partition is ahead of it.
    private(set) var now = Timestamp.epoch
    private(set) var uptime: Int64 = 0
    /// Set by a job that changed who belongs to a group, or what it owns.
    var hasChangedGroups = false
    /// Set by a job that deleted records or made topics.
    var hasChangedTopics = false

    private var slots: [Int64: Slot] = [:]
    private var touched: [Int64] = []
    private var dataVersion: Int64?

    init(connection: SQLiteConnection, catalog: TopicCatalog, bootID: String) {
        self.connection = connection
        self.catalog = catalog
        self.bootID = bootID
    }

    /// After `BEGIN IMMEDIATE`: from here on nobody else writes.
    func begin(now: Timestamp, uptime: Int64) throws(SQLiteFailure) {
        self.now = now
        self.uptime = uptime
        hasChangedGroups = false
        hasChangedTopics = false
        let version = try connection.integer("PRAGMA data_version")
        if version != dataVersion { forget() }
        dataVersion = version
    }

    /// Drops what memory holds, after a rollback or another connection's commit.
    func forget() {
        slots.removeAll(keepingCapacity: true)
        touched.removeAll(keepingCapacity: true)
    }

    /// The topic as this transaction sees it. One that the transaction itself made is not kept in memory: it may yet be
    /// undone.
    func topic(_ name: String) throws(SQLiteFailure) -> TopicInfo? {
        hasChangedTopics ? try TopicCatalog.load(name, from: connection) : try catalog.find(name, in: connection)
    }

    /// Appends what the topics take; a record that is refused leaves its neighbours alone. Throws only what ends the
    /// whole transaction.
    func append(_ records: [LogAppend]) throws(SQLiteFailure) -> [Result<AppendReceipt, LogError>] {
        var results: [Result<AppendReceipt, LogError>] = []
        results.reserveCapacity(records.count)
        let insert = try connection.statement(
            "INSERT INTO record (id, time, key, value, headers) VALUES (?, ?, ?, ?, ?)")
        var topic: TopicInfo?
        for record in records {
            if topic?.name != record.topic { topic = try self.topic(record.topic) }
            guard let topic else {
                results.append(.failure(TopicInfo.unknownTopic(record.topic)))
                continue
            }
            guard let id = topic.id(of: record.partition) else {
                results.append(.failure(topic.unknownPartition(record.partition)))
                continue
            }
            if let refusal = Self.refusal(of: record, by: topic) {
                results.append(.failure(refusal))
                continue
            }
            results.append(.success(try self.insert(record, partitionID: id, insert)))
        }
        return results
    }

    private static func refusal(of record: LogAppend, by topic: TopicInfo) -> LogError? {
        if record.footprint > topic.maximumRecordBytes, case let size = record.byteCount,
            size > topic.maximumRecordBytes
        {
            return LogError(
                .recordTooLarge,
                "record of \(size) bytes for \(topic.name)[\(record.partition)]: the topic takes at most "
                    + "\(topic.maximumRecordBytes) bytes")
        }
        if topic.cleanup == .compact, record.key == nil {
            return LogError(.other, "\(topic.name) is compacted and takes no record without a key")
        }
        return nil
    }

    private func insert(
        _ record: LogAppend, partitionID: Int64, _ statement: SQLiteStatement
    ) throws(SQLiteFailure) -> AppendReceipt {
        var slot = try slot(partitionID)
        let stamp = max(now.milliseconds, slot.lastTime)
        let offset = slot.end
        statement.bind(1, Schema.rowID(partitionID, offset))
        statement.bind(2, stamp)
        statement.bind(3, blob: record.key)
        statement.bind(4, blob: record.value)
        statement.bind(5, blob: record.headers.isEmpty ? nil : record.headers.block)
        try statement.run()
        if !slot.isTouched { touched.append(partitionID) }
        slot.end = offset + 1
        slot.lastTime = stamp
        slot.isTouched = true
        slots[partitionID] = slot
        return AppendReceipt(offset: offset, timestamp: Timestamp(milliseconds: stamp))
    }

    private func slot(_ partitionID: Int64) throws(SQLiteFailure) -> Slot {
        if let slot = slots[partitionID] { return slot }
        let statement = try connection.statement("SELECT end_offset, last_time FROM partition WHERE id = ?")
        statement.bind(1, partitionID)
        defer { statement.reset() }
        guard try statement.step() else { return Slot(end: 0, lastTime: 0) }
        return Slot(end: statement.integer(0), lastTime: statement.integer(1))
    }

    /// Writes the new ends, just before the commit, and returns them by partition id.
    func finish() throws(SQLiteFailure) -> [Int64: Int64] {
        var ends: [Int64: Int64] = [:]
        for id in touched {
            guard var slot = slots[id] else { continue }
            try connection.run(
                "UPDATE partition SET end_offset = ?, last_time = ? WHERE id = ?", slot.end, slot.lastTime, id)
            slot.isTouched = false
            slots[id] = slot
            ends[id] = slot.end
        }
        touched.removeAll(keepingCapacity: true)
        return ends
    }
}
