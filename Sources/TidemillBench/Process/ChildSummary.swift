import Foundation
import Synchronization

/// What a child tells its parent: lines on standard output, a word and JSON.
enum ChildLine {
    static let summary = "summary "
    static let opened = "opened "

    private static let lock = Mutex(())

    static func write(_ word: String, _ text: String) {
        lock.withLock { _ in FileHandle.standardOutput.write(Data((word + text + "\n").utf8)) }
    }

    static func write(summary: some Encodable) throws {
        write(Self.summary, String(decoding: try JSONEncoder().encode(summary), as: UTF8.self))
    }
}

/// What a worker saw of its handlers.
struct WorkerSummary: Codable, Sendable {
    /// Of the first handler: wall time in nanoseconds, and the CPU time that the process had used until then.
    var firstStart: Int64?
    var firstStartCPU: Double = 0
    /// By the bucket that a payload names.
    var buckets: [Int: Bucket] = [:]
    /// Fires of schedules, by nominal time in milliseconds.
    var nominal: [Int64: Int] = [:]

    struct Bucket: Codable, Sendable {
        /// Nanoseconds from the reference to the handler's start, and to the settling.
        var toStart = Histogram()
        var toSettled = Histogram()
        /// Started before the reference.
        var early = 0
    }
}

struct PublishSummary: Codable, Sendable {
    var accepted = 0
    /// From the first call to the last receipt.
    var nanoseconds: Int64 = 0
    var problem: String?
    var use: ProcessReading

    var rate: Double { nanoseconds > 0 ? Double(accepted) * 1e9 / Double(nanoseconds) : 0 }
}

struct FloorSummary: Codable, Sendable {
    var records: Int64
    var nanoseconds: Int64
    /// Empty when all is well.
    var problem: String
    var use: ProcessReading
    var toStart: Histogram?
    var toSettled: Histogram?

    var rate: Double { nanoseconds > 0 ? Double(records) * 1e9 / Double(nanoseconds) : 0 }
}
