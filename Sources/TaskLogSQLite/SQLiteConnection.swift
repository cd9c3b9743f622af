import CSQLite

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// One connection. Not `Sendable`: it is made, used and closed on one thread, and so needs no mutex of SQLite's.
final class SQLiteConnection {
    private let handle: OpaquePointer
    private var statements: [String: SQLiteStatement] = [:]

    /// Opens an existing file for reading and writing.
    init(path: String) throws(SQLiteFailure) {
        var opened: OpaquePointer?
        let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
        let code = sqlite3_open_v2(path, &opened, flags, nil)
        guard code == SQLITE_OK, let opened else {
            let message = opened.map { String(cString: sqlite3_errmsg($0)) } ?? "out of memory"
            sqlite3_close_v2(opened)
            throw SQLiteFailure(extendedCode: code, message: message)
        }
        handle = opened
    }

    deinit {
        statements.removeAll()
        // close_v2 waits for statements that somebody still holds instead of failing.
        sqlite3_close_v2(handle)
    }

    /// How long SQLite itself waits for a lock before it answers busy, and whether who waits is the next one in line
    /// (``LockHolder/queueUp()``) and may look often.
    ///
    /// Its own timeout looks again after 1, 2, 5, 10, 15 ms and so on. A process that commits again and again leaves the
    /// lock free for a moment each time, and one that looks so seldom waits for tens of them; many that always look at once
    /// make all transactions, and so the batches in them, small.
    func setBusyTimeout(milliseconds: Int, isNext: Bool = false) {
        // No object behind the pointer: the number itself, negative for the next one in line.
        let limit = max(1, milliseconds)
        sqlite3_busy_handler(
            handle,
            { limit, looks in
                let limit = Int(bitPattern: limit)
                let (pause, waited) = SQLiteConnection.pause(beforeLook: Int(looks), isNext: limit < 0)
                let rest = Int(limit.magnitude) * 1000 - waited
                guard rest > 0 else { return 0 }
                usleep(UInt32(min(pause, rest)))
                return 1
            }, UnsafeMutableRawPointer(bitPattern: isNext ? -limit : limit))
    }

    /// Microseconds to wait now, and those of all looks before: for the next in line 10 ms by tenths of one, for others a
    /// millisecond by quarters, then 1 and 2; and ever 4 ms.
    private static func pause(beforeLook index: Int, isNext: Bool) -> (pause: Int, waited: Int) {
        switch (isNext, index) {
        case (true, ..<100): (100, index * 100)
        case (true, _): (4000, 10_000 + 4000 * (index - 100))
        case (false, ..<4): (250, index * 250)
        case (false, 4): (1000, 1000)
        case (false, 5): (2000, 2000)
        case (false, _): (4000, 4000 * (index - 5))
        }
    }

    /// Whether the file could only be opened for reading.
    var isReadOnly: Bool { sqlite3_db_readonly(handle, "main") == 1 }

    /// False between `BEGIN` and the end of the transaction; some failures end it on their own.
    var isInTransaction: Bool { sqlite3_get_autocommit(handle) == 0 }

    /// Rows that the last statement inserted, changed or deleted.
    var changes: Int { Int(sqlite3_changes(handle)) }

    /// Runs statements that return nothing of interest.
    func execute(_ sql: String) throws(SQLiteFailure) {
        let code = sqlite3_exec(handle, sql, nil, nil, nil)
        guard code == SQLITE_OK else { throw failure(code) }
    }

    /// The prepared statement for this text, compiled once per connection. Ready to bind.
    func statement(_ sql: String) throws(SQLiteFailure) -> SQLiteStatement {
        if let statement = statements[sql] {
            statement.reset()
            return statement
        }
        var prepared: OpaquePointer?
        let code = sqlite3_prepare_v3(handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &prepared, nil)
        guard code == SQLITE_OK, let prepared else { throw failure(code) }
        let statement = SQLiteStatement(prepared, database: handle)
        statements[sql] = statement
        return statement
    }

    /// Runs a statement with these integers, to its end.
    func run(_ sql: String, _ values: Int64...) throws(SQLiteFailure) {
        let statement = try statement(sql)
        for (index, value) in values.enumerated() { statement.bind(Int32(index + 1), value) }
        try statement.run()
    }

    /// The first column of the first row as an integer; nil when there is no row, or NULL.
    func integer(_ sql: String, _ values: Int64...) throws(SQLiteFailure) -> Int64? {
        let statement = try statement(sql)
        for (index, value) in values.enumerated() { statement.bind(Int32(index + 1), value) }
        guard try statement.step(), !statement.isNull(0) else {
            statement.reset()
            return nil
        }
        let value = statement.integer(0)
        statement.reset()
        return value
    }

    private func failure(_ code: Int32) -> SQLiteFailure {
        SQLiteFailure(extendedCode: code, message: String(cString: sqlite3_errmsg(handle)))
    }
}
