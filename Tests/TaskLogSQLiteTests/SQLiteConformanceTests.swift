import Foundation
import ServiceRuntime
import TaskLog
import TaskLogSQLite
import TaskModel
import TaskTestKit
import Testing

/// The promises of the port, on handles that share a process, and on handles that act like processes of their own.
@Suite(.serialized)
struct SQLiteConformanceTests {
    @Test(arguments: LogConformance.cases)
    func oneProcess(promise: ConformanceCase) async throws {
        let engine = try makeEngine("sqlite", promise, [.inProcess, .socket])
        try await LogConformance.run(promise, on: engine)
    }

    @Test(arguments: LogConformance.cases)
    func severalProcesses(promise: ConformanceCase) async throws {
        let engine = try makeEngine("sqlite-sockets", promise, [.socket])
        try await LogConformance.run(promise, on: engine)
    }

    private func makeEngine(
        _ name: String, _ promise: ConformanceCase, _ wakePaths: SQLiteLogConfiguration.WakePaths
    ) throws -> EngineUnderTest {
        let file = try TestFile()
        let time = ShiftedTimeSource()
        let configuration = SQLiteLogConfiguration.quiet.with { $0.wakePaths = wakePaths }
        let open: @Sendable () async throws -> SQLiteTaskLog = { try await file.open(configuration, time: time) }
        var engine = EngineUnderTest(
            name: name, topicPrefix: promise.slug, capabilities: Set(EngineCapability.allCases), makeLog: open)
        // Real time: short, but long enough for a machine that is busy with other tests.
        engine.sessionTimeoutMilliseconds = 3000
        engine.revokeTimeoutMilliseconds = 1000
        engine.elapse = { time.stepWall(by: $0) }
        engine.vanish = { ($0 as? SQLiteGroupMember)?.fallSilent() }
        engine.compact = { topic in
            let log = try await open()
            try await log.compact(topic: topic)
            await log.close()
        }
        engine.applyRetention = { topic, milliseconds in
            time.stepWall(by: milliseconds)
            let log = try await open()
            try await log.applyRetention(topic: topic)
            await log.close()
        }
        engine.tearDown = { file.remove() }
        return engine
    }
}
