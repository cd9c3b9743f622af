import CSQLite

/// A connection behind the engine's back: another program, or another process, on the same file.
final class RawDatabase {
    private var handle: OpaquePointer?

    init(_ path: String) throws {
        try check(sqlite3_open(path, &handle))
    }

    deinit { sqlite3_close_v2(handle) }

    func execute(_ sql: String) throws { try check(sqlite3_exec(handle, sql, nil, nil, nil)) }

    func integer(_ sql: String) throws -> Int64 {
        var statement: OpaquePointer?
        try check(sqlite3_prepare_v2(handle, sql, -1, &statement, nil))
        defer { sqlite3_finalize(statement) }
        _ = sqlite3_step(statement)
        return sqlite3_column_int64(statement, 0)
    }

    private func check(_ code: Int32) throws {
        struct Failure: Error { var code: Int32 }
        if code != SQLITE_OK { throw Failure(code: code) }
    }
}
