import TaskModel

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
}
