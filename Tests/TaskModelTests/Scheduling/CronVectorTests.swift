import TaskModel
import Testing

/// What other implementations answer; see `Vectors/README.md`.
struct CronVectorTests {
    @Test func agreesWithQuartzCronUtilsAndSpring() throws {
        let rows = try CronVector.rows(of: "cron-quartz")
        #expect(rows.count == 6000)
        try check(rows.filter { !$0.next.isEmpty }, .quartz)
    }

    /// Rows without an instant: two expressions that can never fire, which are refused, and 109 for the last day of short
    /// months, where Quartz finds nothing. That is its bug of skipping months, and such a row says nothing.
    @Test func rowsWithoutAnInstantNeverFireOrShowQuartzsBug() throws {
        var refused = 0
        var short = 0
        for row in try CronVector.rows(of: "cron-quartz") where row.next.isEmpty {
            guard let trigger = try? Trigger.cron(row.expr, zone: "UTC", dialect: .quartz) else {
                refused += 1
                continue
            }
            short += 1
            let first = try #require(trigger.next(after: time(row.from)), "\(row.expr)")
            #expect(row.expr.split(separator: " ")[3].hasPrefix("L"))
            #expect(["02", "04", "06", "09", "11"].contains(first.rfc3339.dropFirst(5).prefix(2)), "\(row.expr)")
        }
        #expect(refused == 2 && short == 109)
    }

    @Test func agreesWithCronsimAndCroniter() throws {
        let rows = try CronVector.rows(of: "cron-unix")
        #expect(rows.count == 20_322, "what the script writes, and Vectors/README.md says")
        try check(rows, .unix)
    }

    private func check(_ rows: [CronVector], _ dialect: CronDialect) throws {
        var wrong: [String] = []
        for row in rows {
            do {
                let trigger = try Trigger.cron(row.expr, zone: row.zone, dialect: dialect)
                if let mismatch = try row.mismatch(trigger) { wrong.append(mismatch) }
            } catch let error as TriggerError {
                wrong.append("\(row.expr) was refused: \(error)")
            }
        }
        let shown = wrong.prefix(10).joined(separator: "\n")
        #expect(wrong.isEmpty, "\(wrong.count) of \(rows.count): \(shown)")
    }
}
