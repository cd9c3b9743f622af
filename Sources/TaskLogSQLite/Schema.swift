internal import TaskLog

/// The tables of the file, and how a file is told to be ours.
///
/// A record's row id is its partition's id and its offset in one number, so that a partition lies in one run of the
/// table's B-tree: an append is a step from the row before it, and a scan reads page after page.
enum Schema {
    /// "TidM": marks the file as Tidemill's (`PRAGMA application_id`).
    static let applicationID: Int64 = 0x5469_644D
    /// Raised by each change that an older version could not read (`PRAGMA user_version`).
    static let version: Int64 = 1

    /// Bits of a row id that hold the offset: 64 years of 35,000 records a second in one partition.
    static let offsetBits: Int64 = 46
    static let maximumPartitionID: Int64 = (1 << (63 - offsetBits)) - 1

    static func rowID(_ partitionID: Int64, _ offset: Int64) -> Int64 { partitionID << offsetBits | offset }

    static func offset(ofRow rowID: Int64) -> Int64 { rowID & ((1 << offsetBits) - 1) }

    /// Larger than SQLite's default, so that more records share a page and one commit writes fewer.
    static let pageSize = 8192

    private static let tables = """
        CREATE TABLE topic (
            id INTEGER PRIMARY KEY,
            name TEXT NOT NULL UNIQUE,
            first_partition INTEGER NOT NULL,
            partitions INTEGER NOT NULL,
            cleanup TEXT NOT NULL,
            retention INTEGER,
            maximum_bytes INTEGER NOT NULL,
            settings TEXT NOT NULL
        );
        CREATE TABLE partition (
            id INTEGER PRIMARY KEY,
            first_offset INTEGER NOT NULL,
            end_offset INTEGER NOT NULL,
            last_time INTEGER NOT NULL,
            compacted_to INTEGER NOT NULL
        );
        CREATE TABLE record (
            id INTEGER PRIMARY KEY,
            time INTEGER NOT NULL,
            key BLOB,
            value BLOB,
            headers BLOB
        );
        CREATE TABLE consumer_group (
            id INTEGER PRIMARY KEY,
            name TEXT NOT NULL UNIQUE,
            generation INTEGER NOT NULL,
            round INTEGER NOT NULL,
            revoke_deadline INTEGER,
            boot TEXT NOT NULL
        );
        CREATE TABLE group_member (
            group_id INTEGER NOT NULL,
            member TEXT NOT NULL,
            client TEXT NOT NULL,
            topics TEXT NOT NULL,
            boot TEXT NOT NULL,
            heartbeat INTEGER NOT NULL,
            session_timeout INTEGER NOT NULL,
            revoke_timeout INTEGER NOT NULL,
            PRIMARY KEY (group_id, member)
        ) WITHOUT ROWID;
        CREATE TABLE group_assignment (
            group_id INTEGER NOT NULL,
            topic TEXT NOT NULL,
            partition INTEGER NOT NULL,
            member TEXT NOT NULL,
            PRIMARY KEY (group_id, topic, partition)
        ) WITHOUT ROWID;
        CREATE TABLE group_offset (
            group_id INTEGER NOT NULL,
            partition_id INTEGER NOT NULL,
            next_offset INTEGER NOT NULL,
            metadata TEXT NOT NULL,
            PRIMARY KEY (group_id, partition_id)
        ) WITHOUT ROWID;
        CREATE TABLE duty (
            name TEXT PRIMARY KEY,
            holder TEXT NOT NULL,
            boot TEXT NOT NULL,
            until INTEGER NOT NULL
        ) WITHOUT ROWID;
        """

    /// What a file is, judged by its two marks and whether it has tables.
    enum Verdict: Hashable {
        case ready
        case empty
        case newer(Int64)
        case foreign
    }

    static func verdict(applicationID: Int64, version: Int64, tables: Int64) -> Verdict {
        guard applicationID == Self.applicationID else {
            return applicationID == 0 && version == 0 && tables == 0 ? .empty : .foreign
        }
        return version > Self.version ? .newer(version) : .ready
    }

    /// Reads the marks of a file at one moment: another process may be making its tables just now.
    static func verdict(of connection: SQLiteConnection) throws(SQLiteFailure) -> Verdict {
        guard !connection.isInTransaction else { return try verdictNow(connection) }
        try connection.execute("BEGIN")
        do throws(SQLiteFailure) {
            let verdict = try verdictNow(connection)
            try connection.execute("COMMIT")
            return verdict
        } catch {
            if connection.isInTransaction { try connection.execute("ROLLBACK") }
            throw error
        }
    }

    private static func verdictNow(_ connection: SQLiteConnection) throws(SQLiteFailure) -> Verdict {
        verdict(
            applicationID: try connection.integer("PRAGMA application_id") ?? 0,
            version: try connection.integer("PRAGMA user_version") ?? 0,
            tables: try connection.integer("SELECT count(*) FROM sqlite_schema") ?? 0)
    }

    /// Makes the tables; inside a write transaction of an empty file.
    static func create(_ connection: SQLiteConnection) throws(SQLiteFailure) {
        try connection.execute(tables)
        try connection.execute("PRAGMA application_id = \(applicationID); PRAGMA user_version = \(version)")
    }

    /// The error for a file that is not to be touched; nil for one that may be used.
    static func refusal(_ verdict: Verdict, path: String) -> LogError? {
        switch verdict {
        case .ready, .empty: return nil
        case .newer(let found):
            return LogError(
                .unsupported,
                "\(path) was made by a newer tidemill, schema \(found); this one reads up to \(version): upgrade "
                    + "this program, or name another file")
        case .foreign:
            return LogError(
                .unsupported, "\(path) is the SQLite database of another program; name another file for the log")
        }
    }
}
