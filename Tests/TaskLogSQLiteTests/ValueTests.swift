import CSQLite
import TaskLog
import TaskModel
import Testing

@testable import TaskLogSQLite

/// The small values of the engine.
@Suite struct ValueTests {
    @Test func networkFileSystemsAreTold() {
        #expect(FileSystemKind.of(magic: 0x6969, mountType: nil) == .network("NFS"))
        #expect(FileSystemKind.of(magic: 0xFF53_4D42, mountType: nil) == .network("CIFS"))
        #expect(FileSystemKind.of(magic: 0x6573_5546, mountType: "fuse.sshfs") == .network("fuse.sshfs"))
        #expect(FileSystemKind.of(magic: 0x6573_5546, mountType: "fuse.mergerfs") == .local)
        // ext4, xfs, btrfs, zfs, tmpfs, overlayfs
        for local: UInt32 in [0xEF53, 0x5846_5342, 0x9123_683E, 0x2FC1_2FC1, 0x0102_1994, 0x794C_7630] {
            #expect(FileSystemKind.of(magic: local, mountType: nil) == .local)
        }
    }

    @Test func theMountAboveAFolderIsFound() {
        let table = """
            21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
            22 21 0:50 / /home/me/far rw shared:2 master:1 - fuse.sshfs host: rw,user_id=0
            23 21 0:51 / /home rw - xfs /dev/sdb rw
            """
        #expect(FileSystemKind.mountType(of: "/home/me/far/log", table: table) == "fuse.sshfs")
        #expect(FileSystemKind.mountType(of: "/home/me/farther", table: table) == "xfs")
        #expect(FileSystemKind.mountType(of: "/var", table: table) == "ext4")
        #expect(FileSystemKind.mountType(of: "/", table: "") == nil)
    }

    @Test func filesAreJudgedByTheirMarks() {
        let ours = Schema.applicationID
        #expect(Schema.verdict(applicationID: 0, version: 0, tables: 0) == .empty)
        #expect(Schema.verdict(applicationID: ours, version: 1, tables: 8) == .ready)
        #expect(Schema.verdict(applicationID: ours, version: 2, tables: 8) == .newer(2))
        #expect(Schema.verdict(applicationID: 0, version: 0, tables: 1) == .foreign)
        #expect(Schema.verdict(applicationID: 99, version: 1, tables: 0) == .foreign)
    }

    @Test func aRowHoldsPartitionAndOffset() {
        let offset: Int64 = (1 << Schema.offsetBits) - 1
        let row = Schema.rowID(Schema.maximumPartitionID, offset)
        #expect(row == Int64.max)
        #expect(Schema.offset(ofRow: row) == offset)
        #expect(Schema.rowID(1, offset) < Schema.rowID(2, 0))
    }

    @Test(arguments: [
        (SQLITE_BUSY, LogError.Code.unavailable), (SQLITE_FULL, .storage), (SQLITE_IOERR | 3 << 8, .storage),
        (SQLITE_READONLY, .storage), (SQLITE_CANTOPEN, .storage), (SQLITE_NOTADB, .unsupported),
        (SQLITE_CORRUPT, .unsupported), (SQLITE_TOOBIG, .recordTooLarge), (SQLITE_NOMEM, .other),
    ])
    func failuresAreTranslated(code: Int32, expected: LogError.Code) {
        let failure = SQLiteFailure(extendedCode: code, message: "words")
        let error = LogError(failure, path: "/a/log.db", action: "append")
        #expect(error.code == expected)
        #expect(error.isRetriable == (expected == .unavailable))
        for part in ["/a/log.db", "append", "words"] { #expect(error.message.contains(part)) }
    }

    @Test func socketsLieBesideTheFileWhereTheirPathFits() {
        #expect(WakeFolder.path(for: "/data/log.db", user: 5) == "/data/log.db-wake")
        let long = "/" + String(repeating: "x", count: 100)
        let short = WakeFolder.path(for: long, user: 5)
        #expect(short.hasPrefix("/tmp/tidemill-5-"))
        #expect(short == WakeFolder.path(for: long, user: 5))
        #expect(short != WakeFolder.path(for: long + "y", user: 5))
        #expect(short.utf8.count + 1 + WakeFolder.longestNameBytes <= WakeFolder.maximumPathBytes)
    }

    @Test func aReadThatWasOvertakenCountsForNothing() {
        var plan = FetchPlan()
        plan.set(zero, id: 1, to: 3)
        plan.set(one, id: 2, to: 0)
        let steps = plan.steps { _ in [5, 0] }
        #expect(steps.map(\.request) == [ReadRequest(partition: zero, partitionID: 1, start: 3, end: 5)])
        let batch = ReadBatch(records: [record(3), record(4)], position: 5, bytes: 10)
        var moved = plan
        moved.set(zero, id: 1, to: 0)
        #expect(moved.accept([(step: steps[0], batch: batch)]).isEmpty)
        var paused = plan
        paused.setPaused(true, [zero])
        #expect(paused.accept([(step: steps[0], batch: batch)]).isEmpty)
        #expect(paused.steps { _ in [5, 0] }.isEmpty)
        paused.setPaused(false, [zero])
        #expect(paused.steps { _ in [5, 0] }.map(\.request.start) == [3], "and is read again")
        var removed = plan
        removed.remove([zero])
        #expect(removed.accept([(step: steps[0], batch: batch)]).isEmpty)
        #expect(plan.accept([(step: steps[0], batch: batch)]).map(\.offset) == [3, 4])
        #expect(plan.steps { _ in [6, 1] }.map(\.request.partition) == [one, zero], "the other one's turn")
    }

    private func record(_ offset: Int64) -> LogRecord {
        LogRecord(
            topic: "topic", partition: 0, offset: offset, timestamp: .epoch, key: nil, value: nil)
    }
}
