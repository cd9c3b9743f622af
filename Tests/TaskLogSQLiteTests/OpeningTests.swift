import Foundation
import TaskLog
import TaskTestKit
import Testing

@testable import TaskLogSQLite

/// What the engine says to files that it cannot, or must not, use.
@Suite struct OpeningTests {
    @Test func aNewFileAndItsFolderArePrivate() async throws {
        try await TestFile.with { file in
            let path = file.folder + "/deep/er/log.db"
            let log = try await SQLiteTaskLog.open(path: path, configuration: .quiet)
            _ = try await log.ensure(topics: [topic])
            #expect(try mode(path) == 0o600)
            #expect(try mode(path + "-wal") == 0o600)
            #expect(try mode(file.folder + "/deep") == 0o700)
            #expect(try mode(path + "-wake") == 0o700)
            for name in try FileManager.default.contentsOfDirectory(atPath: path + "-wake") {
                #expect(try mode(path + "-wake/" + name) == 0o600)
            }
            await log.close()
            #expect(!FileManager.default.fileExists(atPath: path + "-wake"))
        }
    }

    @Test func theFileIsMarkedAsOurs() async throws {
        try await TestFile.with { file in
            let log = try await file.open()
            await log.close()
            let raw = try RawDatabase(file.path)
            #expect(try raw.integer("PRAGMA application_id") == Schema.applicationID)
            #expect(try raw.integer("PRAGMA user_version") == Schema.version)
        }
    }

    @Test func aNewerSchemaIsRefused() async throws {
        try await TestFile.with { file in
            await (try file.open()).close()
            try RawDatabase(file.path).execute("PRAGMA user_version = 7")
            let error = try await logError { _ = try await file.open() }
            #expect(error?.code == .unsupported)
            #expect(error?.message.contains("made by a newer tidemill, schema 7; this one reads up to 1") == true)
        }
    }

    @Test func whatIsNotADatabaseIsRefusedAndLeftAlone() async throws {
        try await TestFile.with { file in
            let text = String(repeating: "not a database at all\n", count: 300)
            try text.write(toFile: file.path, atomically: false, encoding: .utf8)
            let error = try await logError { _ = try await file.open() }
            #expect(error?.code == .unsupported)
            #expect(error?.message.contains("is not a database") == true)
            #expect(try String(contentsOfFile: file.path, encoding: .utf8) == text)
        }
    }

    @Test func anotherProgramsDatabaseIsRefused() async throws {
        try await TestFile.with { file in
            try RawDatabase(file.path).execute("CREATE TABLE theirs (x); PRAGMA user_version = 1")
            let error = try await logError { _ = try await file.open() }
            #expect(error?.code == .unsupported)
            #expect(error?.message.contains("another program") == true)
        }
    }

    @Test func aFolderOrAFileInThePathsPlaceIsTold() async throws {
        try await TestFile.with { file in
            let folder = try await logError { _ = try await SQLiteTaskLog.open(path: file.folder) }
            #expect(folder?.code == .storage)
            try "x".write(toFile: file.folder + "/plain", atomically: false, encoding: .utf8)
            let under = try await logError { _ = try await SQLiteTaskLog.open(path: file.folder + "/plain/log.db") }
            #expect(under?.code == .storage)
            #expect(under?.message.contains("/plain") == true)
            let nowhere = try await logError { _ = try await SQLiteTaskLog.open(path: "") }
            #expect(nowhere?.code == .unsupported)
        }
    }

    /// The superuser may write everywhere, so this runs for others only.
    @Test(.enabled(if: geteuid() != 0, "not as the superuser, whom no mode stops"))
    func aReadOnlyFileOrFolderIsRefused() async throws {
        try await TestFile.with { file in
            await (try file.open()).close()
            chmod(file.path, 0o400)
            let error = try await logError { _ = try await file.open() }
            #expect(error?.code == .storage)
            #expect(error?.message.contains("may write to") == true)
            chmod(file.path, 0o600)
            chmod(file.folder, 0o500)
            let folder = try await logError { _ = try await file.open() }
            #expect(folder?.code == .storage)
            chmod(file.folder, 0o700)
        }
    }

    @Test func manyMayOpenANewFileAtOnce() async throws {
        try await TestFile.with { file in
            let configuration = SQLiteLogConfiguration.quiet.with { $0.wakePaths = [.socket] }
            let logs = try await withThrowingTaskGroup(of: SQLiteTaskLog.self) { group in
                for _ in 0..<6 { group.addTask { try await file.open(configuration) } }
                return try await group.reduce(into: [SQLiteTaskLog]()) { $0.append($1) }
            }
            for log in logs { #expect(try await log.ensure(topics: [topic]).map(\.partitions) == [2]) }
            for log in logs { await log.close() }
        }
    }

    @Test func aLongPathStillHasASocket() async throws {
        try await TestFile.with { file in
            let folder = file.folder + "/" + String(repeating: "long", count: 30)
            let path = folder + "/log.db"
            let configuration = SQLiteLogConfiguration.quiet.with {
                $0.wakePaths = [.socket]
                $0.fallbackTickMilliseconds = 3_600_000
            }
            let logs = [
                try await SQLiteTaskLog.open(path: path, configuration: configuration),
                try await SQLiteTaskLog.open(path: path, configuration: configuration),
            ]
            _ = try await logs[0].ensure(topics: [topic])
            let follower = try await logs[1].follow([zero: 0])
            async let records = follower.next()
            _ = try await logs[0].append(.text(zero, "a"))
            #expect(try await records?.count == 1)
            for log in logs { await log.close() }
        }
    }

    private func mode(_ path: String) throws -> Int {
        try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int ?? -1
    }
}
