import Foundation
import Testing

@testable import TaskModel

/// Rows of `Vectors/*.ndjson.gz`: what other implementations of cron answer. The README there says which.
struct CronVector: Decodable, Sendable {
    var expr: String
    var zone: String
    /// UTC.
    var from: String
    /// The next times after `from`, fewer than six when the expression ends.
    var next: [String]

    /// Reads a file with `gzip`, which every system that builds this has.
    static func rows(of name: String) throws -> [CronVector] {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["gzip", "-dc", folder.appendingPathComponent("Vectors/\(name).ndjson.gz").path]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
        let decoder = JSONDecoder()
        return try data.split(separator: UInt8(ascii: "\n")).map { try decoder.decode(CronVector.self, from: $0) }
    }

    /// What the trigger answers where it differs; nil where it agrees.
    func mismatch(_ trigger: Trigger) throws -> String? {
        var position = try time(from)
        var found: [String] = []
        while found.count < next.count, let following = trigger.next(after: position) {
            found.append(following.rfc3339)
            position = following
        }
        return found == next ? nil : "\(expr) in \(zone) after \(from): \(found), not \(next)"
    }
}
