import CSQLite
internal import ServiceRuntime
internal import TaskLog
internal import TaskTelemetry

/// How connections to one file are opened, and how a write lock is waited for.
struct Connections: Sendable {
    let file: DatabaseFile
    let configuration: SQLiteLogConfiguration
    let time: any TimeSource
    let logger: Logger
    let holder: LockHolder

    /// One wait inside SQLite; between two of them the waiter looks at the clock, and says whom it waits for.
    private static let sliceMilliseconds = 50

    /// The connection that writes; makes the tables in an empty file. Blocks.
    func openWriter() throws(LogError) -> SQLiteConnection {
        let connection = try translating("open the log") { () throws(SQLiteFailure) in
            try SQLiteConnection(path: file.path)
        }
        guard !connection.isReadOnly else {
            throw LogError(
                .storage, "\(file.path) is read-only; the embedded log needs a file and a folder it may write to")
        }
        connection.setBusyTimeout(milliseconds: Self.sliceMilliseconds)
        let verdict = try waiting("open the log") { () throws(SQLiteFailure) in try Schema.verdict(of: connection) }
        if let refusal = Schema.refusal(verdict, path: file.path) { throw refusal }
        if verdict == .empty { try create(connection) }
        try configure(connection)
        return connection
    }

    /// A connection that reads. Blocks. The writer's has checked the file before.
    func openReader() throws(LogError) -> SQLiteConnection {
        try translating("open the log for reading") { () throws(SQLiteFailure) in
            let connection = try SQLiteConnection(path: file.path)
            // Readers of a WAL meet a lock only while another process recovers it.
            connection.setBusyTimeout(milliseconds: configuration.lockTimeoutMilliseconds)
            try connection.execute("PRAGMA query_only = ON; PRAGMA cache_size = -4000")
            return connection
        }
    }

    private func create(_ connection: SQLiteConnection) throws(LogError) {
        try waiting("set up the log") { () throws(SQLiteFailure) in
            try connection.execute("PRAGMA page_size = \(Schema.pageSize)")
            try connection.execute("PRAGMA journal_mode = WAL")
        }
        try begin(connection, giveUpAt: nil)
        try translating("set up the log") { () throws(SQLiteFailure) in
            do throws(SQLiteFailure) {
                // Another process may have been first.
                if try Schema.verdict(of: connection) == .empty { try Schema.create(connection) }
                try connection.execute("COMMIT")
            } catch {
                if connection.isInTransaction { try connection.execute("ROLLBACK") }
                throw error
            }
        }
        holder.clear()
    }

    private func configure(_ connection: SQLiteConnection) throws(LogError) {
        try waiting("set up the log") { () throws(SQLiteFailure) in
            try connection.execute("PRAGMA journal_mode = WAL")
            // FULL: the WAL is synced at each commit, so what is acked survives a power loss.
            try connection.execute("PRAGMA synchronous = FULL")
            try connection.execute("PRAGMA wal_autocheckpoint = \(Self.checkpointPages)")
            try connection.execute("PRAGMA journal_size_limit = \(64 << 20)")
            try connection.execute("PRAGMA cache_size = -32000")
            if let pages = configuration.maximumPages {
                _ = try connection.integer("PRAGMA max_page_count = \(pages)")
            }
        }
    }

    /// 16 MiB of WAL between two checkpoints: a page that is appended to often is written to the file once.
    private static let checkpointPages = 2048

    /// Begins a write transaction, waiting for a place in line and then for the lock; `giveUpAt` (uptime) shortens the
    /// configured wait for the lock.
    func begin(_ connection: SQLiteConnection, giveUpAt: Int64?) throws(LogError) {
        let hasTurn = holder.queueUp()
        defer { if hasTurn { holder.stepForward() } }
        connection.setBusyTimeout(milliseconds: Self.sliceMilliseconds, isNext: hasTurn)
        try waiting("write", giveUpAt: giveUpAt) { () throws(SQLiteFailure) in
            try connection.execute("BEGIN IMMEDIATE")
        }
        holder.note(uptime: time.uptime())
    }

    /// Repeats `body` while it is busy, up to the lock timeout.
    func waiting<Value>(
        _ action: String, giveUpAt: Int64? = nil, _ body: () throws(SQLiteFailure) -> Value
    ) throws(LogError) -> Value {
        var waited = 0
        var hasWarned = false
        while true {
            let failure: SQLiteFailure
            do throws(SQLiteFailure) { return try body() } catch { failure = error }
            guard failure.isBusy else { throw LogError(failure, path: file.path, action: action) }
            waited += Self.sliceMilliseconds
            let holds = holder.describe(uptime: time.uptime())
            let isLate = giveUpAt.map { time.uptime() >= $0 } ?? false
            guard waited < configuration.lockTimeoutMilliseconds, !isLate else {
                throw LogError(
                    .unavailable,
                    "could not \(action): \(file.path) has been locked for longer than \(waited) ms by \(holds); "
                        + "let that process go on, or end it")
            }
            if waited >= configuration.lockWarningMilliseconds, !hasWarned {
                hasWarned = true
                logger.warning(
                    "the embedded log waits for a lock", ["file": file.path, "holder": holds, "waited_ms": "\(waited)"])
            }
        }
    }

    func translating<Value>(
        _ action: String, _ body: () throws(SQLiteFailure) -> Value
    ) throws(LogError) -> Value {
        do throws(SQLiteFailure) { return try body() } catch {
            throw LogError(error, path: file.path, action: action)
        }
    }
}
