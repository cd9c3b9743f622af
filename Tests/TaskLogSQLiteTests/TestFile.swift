import Foundation
import ServiceRuntime
import Synchronization
import TaskLog
import TaskLogSQLite
import TaskModel
import TaskTelemetry
import TaskTestKit

/// A folder of its own with a log in it.
struct TestFile: Sendable {
    let folder: String
    var path: String { folder + "/log.db" }

    init() throws {
        folder = NSTemporaryDirectory() + "tidemill-test-\(UUID().uuidString.prefix(13))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    func remove() { try? FileManager.default.removeItem(atPath: folder) }

    /// Gives `body` a file, and removes its folder afterwards.
    static func with(_ body: @Sendable (TestFile) async throws -> Void) async throws {
        let file = try TestFile()
        do { try await body(file) } catch {
            file.remove()
            throw error
        }
        file.remove()
    }

    func open(
        _ configuration: SQLiteLogConfiguration = .quiet, time: any TimeSource = SystemTimeSource(),
        logger: Logger = Logger()
    ) async throws -> SQLiteTaskLog {
        try await SQLiteTaskLog.open(path: path, configuration: configuration, time: time, logger: logger)
    }
}

extension SQLiteLogConfiguration {
    /// No background upkeep, so that a test sees only what it asked for.
    static var quiet: SQLiteLogConfiguration {
        var configuration = SQLiteLogConfiguration()
        configuration.maintenanceIntervalMilliseconds = nil
        return configuration
    }

    func with(_ change: (inout SQLiteLogConfiguration) -> Void) -> SQLiteLogConfiguration {
        var copy = self
        change(&copy)
        return copy
    }
}

/// The system's clocks with a wall clock, and an uptime, that can be moved.
final class ShiftedTimeSource: TimeSource {
    private let system = SystemTimeSource()
    private let shift = Mutex<(wall: Int64, uptime: Int64)>((0, 0))

    func now() -> Timestamp { system.now() + shift.withLock { $0.wall } }
    func uptime() -> Int64 { system.uptime() + shift.withLock { $0.uptime } }
    func sleep(milliseconds: Int64) async throws { try await system.sleep(milliseconds: milliseconds) }

    func stepWall(by milliseconds: Int64) { shift.withLock { $0.wall += milliseconds } }
    func stepUptime(by milliseconds: Int64) { shift.withLock { $0.uptime += milliseconds } }
}

/// Keeps the lines of a log.
final class LineSink: LogSink {
    let lines = Observed<[String]>([])

    func write(_ entry: LogEntry) {
        let fields = entry.fields.map { "\($0.name)=\($0.value)" }.joined(separator: " ")
        lines.update { $0.append("\(entry.message) \(fields)") }
    }
}

let topic = TopicSpec(name: "topic", partitions: 2, cleanup: .never)
let zero = TopicPartition("topic", 0)
let one = TopicPartition("topic", 1)

extension LogAppend {
    static func text(_ partition: TopicPartition, _ value: String, key: String = "key") -> LogAppend {
        LogAppend(
            topic: partition.topic, partition: partition.partition, key: Array(key.utf8), value: Array(value.utf8))
    }
}

extension TaskLog {
    func texts(of partition: TopicPartition) async throws -> [String] {
        let found = Observed<[String]>([])
        try await scanAll(partition) { batch in
            found.update { $0 += batch.map { String(decoding: $0.value ?? [], as: UTF8.self) } }
            return true
        }
        return found.value
    }
}

/// The error that `body` throws, as the log's; nil when it succeeds.
func logError(_ body: () async throws -> Void) async throws -> LogError? {
    do {
        try await body()
        return nil
    } catch let error as LogError {
        return error
    }
}
