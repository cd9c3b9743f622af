import CSQLite
internal import TaskLog

/// What SQLite reported: its code, its words, and what was being done.
struct SQLiteFailure: Error, Hashable {
    /// The extended result code (`SQLITE_IOERR_WRITE`, …).
    var extendedCode: Int32
    var message: String

    /// The primary result code (`SQLITE_IOERR`, …).
    var code: Int32 { extendedCode & 0xFF }

    var isBusy: Bool { code == SQLITE_BUSY || code == SQLITE_LOCKED }
    var isFull: Bool { code == SQLITE_FULL }
}

extension LogError {
    /// Says what happened to the file at `path` while doing `action`, and what to do about it.
    init(_ failure: SQLiteFailure, path: String, action: String) {
        let detail = "\(failure.message) (SQLite \(failure.extendedCode))"
        switch failure.code {
        case SQLITE_BUSY, SQLITE_LOCKED:
            self.init(.unavailable, "could not \(action): \(path) is locked by another writer: \(detail)")
        case SQLITE_FULL:
            self.init(
                .storage,
                "could not \(action): no space left for \(path); free some, nothing of this call was written: \(detail)"
            )
        case SQLITE_IOERR:
            self.init(
                .storage, "could not \(action): input/output error on \(path); check the disk and its mount: \(detail)")
        case SQLITE_READONLY, SQLITE_PERM, SQLITE_CANTOPEN, SQLITE_AUTH:
            self.init(
                .storage,
                "could not \(action): \(path) cannot be opened for writing; the file and its folder must be writable "
                    + "for this user: \(detail)")
        case SQLITE_NOTADB:
            self.init(
                .unsupported,
                "could not \(action): \(path) is not a database; name another file, or move this one away: \(detail)")
        case SQLITE_CORRUPT:
            self.init(
                .unsupported,
                "could not \(action): \(path) is damaged; stop all processes, copy the file, and try `.recover` of the "
                    + "sqlite3 shell on the copy: \(detail)")
        case SQLITE_TOOBIG:
            self.init(
                .recordTooLarge, "could not \(action): a record for \(path) is larger than SQLite stores: \(detail)")
        default:
            self.init(.other, "could not \(action) in \(path): \(detail)")
        }
    }
}
