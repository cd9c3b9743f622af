import Foundation
import Synchronization
internal import TaskLog

/// A topic as the file knows it. Never changes once made, so that every thread may keep it.
struct TopicInfo: Hashable, Sendable {
    var name: String
    /// Ids of partitions are contiguous from here.
    var firstPartitionID: Int64
    var partitions: Int32
    var cleanup: TopicSpec.Cleanup
    var maximumRecordBytes: Int
    var settings: [String: String]

    func id(of partition: Int32) -> Int64? {
        (0..<partitions).contains(partition) ? firstPartitionID + Int64(partition) : nil
    }

    var partitionIDs: Range<Int64> { firstPartitionID..<firstPartitionID + Int64(partitions) }

    /// The settings under Kafka's names.
    var description: TopicDescription {
        var all = settings
        all["max.message.bytes"] = String(maximumRecordBytes)
        all["message.timestamp.type"] = "LogAppendTime"
        switch cleanup {
        case .never:
            all["cleanup.policy"] = "delete"
            all["retention.ms"] = "-1"
        case .delete(let retention):
            all["cleanup.policy"] = "delete"
            all["retention.ms"] = String(retention)
        case .compact:
            all["cleanup.policy"] = "compact"
        }
        return TopicDescription(name: name, partitions: partitions, replication: 1, settings: all)
    }

    static func unknownTopic(_ name: String) -> LogError {
        LogError(.unknownTopic, "there is no topic \(name); create it first")
    }

    func unknownPartition(_ partition: Int32) -> LogError {
        LogError(.unknownPartition, "there is no partition \(name)[\(partition)]; the topic has \(partitions)")
    }
}

/// Topics by name, as far as this process has met them. A name that is missing is looked up in the file.
final class TopicCatalog: Sendable {
    private let topics = Mutex<[String: TopicInfo]>([:])

    func known(_ name: String) -> TopicInfo? { topics.withLock { $0[name] } }

    /// The topic, from memory or the file; nil when there is none.
    func find(_ name: String, in connection: SQLiteConnection) throws(SQLiteFailure) -> TopicInfo? {
        if let known = known(name) { return known }
        guard let found = try Self.load(name, from: connection) else { return nil }
        topics.withLock { $0[name] = found }
        return found
    }

    /// As `find`; throws `unknownTopic` or `unknownPartition`.
    func id(of partition: TopicPartition, in connection: SQLiteConnection) throws -> Int64 {
        guard let topic = try find(partition.topic, in: connection) else {
            throw TopicInfo.unknownTopic(partition.topic)
        }
        guard let id = topic.id(of: partition.partition) else { throw topic.unknownPartition(partition.partition) }
        return id
    }

    /// All topics of the file, in order of their making.
    func all(in connection: SQLiteConnection) throws(SQLiteFailure) -> [TopicInfo] {
        let statement = try connection.statement("SELECT name FROM topic ORDER BY id")
        var names: [String] = []
        while try statement.step() { names.append(statement.text(0)) }
        statement.reset()
        var found: [TopicInfo] = []
        for name in names {
            if let topic = try find(name, in: connection) { found.append(topic) }
        }
        return found
    }

    static func exists(_ name: String, in connection: SQLiteConnection) throws(SQLiteFailure) -> Bool {
        let statement = try connection.statement("SELECT 1 FROM topic WHERE name = ?")
        statement.bind(1, text: name)
        defer { statement.reset() }
        return try statement.step()
    }

    /// Straight from the file: a topic made in a transaction may yet be undone, so it is not kept in memory.
    static func load(_ name: String, from connection: SQLiteConnection) throws(SQLiteFailure) -> TopicInfo? {
        let statement = try connection.statement(
            """
            SELECT first_partition, partitions, cleanup, retention, maximum_bytes, settings FROM topic WHERE name = ?
            """)
        statement.bind(1, text: name)
        defer { statement.reset() }
        guard try statement.step() else { return nil }
        let cleanup: TopicSpec.Cleanup =
            switch statement.text(2) {
            case "compact": .compact
            case "delete": .delete(retentionMilliseconds: statement.integer(3))
            default: .never
            }
        let settings = try? JSONDecoder().decode([String: String].self, from: Data(statement.text(5).utf8))
        return TopicInfo(
            name: name, firstPartitionID: statement.integer(0), partitions: Int32(clamping: statement.integer(1)),
            cleanup: cleanup, maximumRecordBytes: Int(statement.integer(4)), settings: settings ?? [:])
    }

    /// Adds a topic to the file; inside a write transaction that found it missing.
    static func insert(_ spec: TopicSpec, into connection: SQLiteConnection) throws {
        guard !spec.name.isEmpty, spec.partitions > 0 else {
            throw LogError(.other, "a topic needs a name and at least one partition: \(spec.name), \(spec.partitions)")
        }
        let first = try connection.integer("SELECT max(id) + 1 FROM partition") ?? 1
        guard first + Int64(spec.partitions) - 1 <= Schema.maximumPartitionID else {
            throw LogError(
                .unsupported,
                "no room for \(spec.partitions) partitions of \(spec.name): an embedded log holds "
                    + "\(Schema.maximumPartitionID) in all; use fewer partitions, or another file")
        }
        let settings = try JSONEncoder().encode(spec.settings)
        let statement = try connection.statement(
            """
            INSERT INTO topic (name, first_partition, partitions, cleanup, retention, maximum_bytes, settings)
            VALUES (?, ?, ?, ?, ?, ?, ?)
            """)
        statement.bind(1, text: spec.name)
        statement.bind(2, first)
        statement.bind(3, Int64(spec.partitions))
        switch spec.cleanup {
        case .never:
            statement.bind(4, text: "never")
            statement.bindNull(5)
        case .delete(let retention):
            statement.bind(4, text: "delete")
            statement.bind(5, retention)
        case .compact:
            statement.bind(4, text: "compact")
            statement.bindNull(5)
        }
        statement.bind(6, Int64(spec.maximumRecordBytes))
        statement.bind(7, text: String(decoding: settings, as: UTF8.self))
        try statement.run()
        for id in first..<first + Int64(spec.partitions) {
            try connection.run("INSERT INTO partition VALUES (?, 0, 0, 0, 0)", id)
        }
    }
}
