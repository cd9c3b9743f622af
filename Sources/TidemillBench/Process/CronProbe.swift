import Foundation
import TaskModel
import TidemillHarness

/// What it costs to find the next fire of a cron expression.
enum CronProbe {
    static let expressions: [(name: String, expression: String)] = [
        ("every minute", "* * * * *"), ("weekdays at nine", "0 9 * * 1-5"),
        ("29 February", "0 0 29 2 *"),
    ]

    /// Nanoseconds a call, by the name of the expression.
    static func run(calls: Int) throws -> [String: Double] {
        var figures: [String: Double] = [:]
        for (name, expression) in expressions {
            let trigger = try Trigger.cron(expression, zone: "Europe/Berlin")
            let first = Timestamp(milliseconds: 1_800_000_000_000)
            var time = first
            let start = BenchClock.monotonic()
            for _ in 0..<calls {
                // Begins anew before the rare ones leave the zone's table.
                let next = trigger.next(after: time) ?? first
                time = next - first > 10 * 366 * 86_400_000 ? first : next
            }
            figures[name] = Double(BenchClock.monotonic() - start) / Double(calls)
        }
        return figures
    }

    static let rows = "rows"
    static let median = "median"
    static let p99 = "p99"
    static let slowest = "slowest"

    private struct Row: Decodable {
        var expr: String
        var zone: String
        var from: String
    }

    /// Nanoseconds of one next time for each row of a file (JSON Lines), the expression being parsed already.
    static func run(rowsOf path: String, limit: Int) throws -> [String: Double] {
        let decoder = JSONDecoder()
        let lines = try Data(contentsOf: URL(fileURLWithPath: path)).split(separator: UInt8(ascii: "\n"))
        let prepared = try lines.prefix(limit).map { line in
            let row = try decoder.decode(Row.self, from: line)
            return (trigger: try Trigger.cron(row.expr, zone: row.zone), from: Timestamp(rfc3339: row.from) ?? .epoch)
        }
        var times: [Int64] = []
        var found = 0
        for pass in 0..<2 {
            for (trigger, from) in prepared {
                let start = BenchClock.monotonic()
                if trigger.next(after: from) != nil { found += 1 }
                // The first pass warms up.
                if pass > 0 { times.append(BenchClock.monotonic() - start) }
            }
        }
        guard found > 0, !times.isEmpty else { throw HarnessFailure("no row of \(path) names a time") }
        times.sort()
        return [
            rows: Double(times.count), median: Double(times[times.count / 2]),
            p99: Double(times[times.count * 99 / 100]), slowest: Double(times[times.count - 1]),
        ]
    }
}
