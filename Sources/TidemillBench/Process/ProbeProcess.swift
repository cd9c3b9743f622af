import TidemillHarness

/// Something of the library that is measured by itself, in a process of its own.
struct ProbeOrder: Codable, Sendable {
    enum Kind: Codable, Sendable {
        /// Next-fire cost of cron expressions.
        case cron(calls: Int)
        /// The same for each row of a file, at most `limit`.
        case cronRows(path: String, limit: Int)
        /// The fold of the ledger in memory.
        case ledger(entries: Int)
        /// The same from the log.
        case restore(BenchPlace, records: Int)
        case deadLetters(BenchPlace, letters: Int)
    }

    var kind: Kind
}

struct ProbeSummary: Codable, Sendable {
    var figures: [String: Double] = [:]
    var use: ProcessReading

    /// 0 when the probe does not know it.
    func figure(_ name: String) -> Double { figures[name] ?? 0 }
}

enum ProbeProcess {
    static func run(_ order: ProbeOrder) async throws -> Int32 {
        RoleProcess.endWithParent()
        let figures: [String: Double]
        var use: ProcessReading?
        switch order.kind {
        case .cron(let calls): figures = try CronProbe.run(calls: calls)
        case .cronRows(let path, let limit): figures = try CronProbe.run(rowsOf: path, limit: limit)
        case .ledger(let entries): figures = try LedgerProbe.fold(entries: entries)
        case .restore(let place, let records): (figures, use) = try await LedgerProbe.restore(place, records: records)
        case .deadLetters(let place, let letters):
            (figures, use) = try await DeadLetterProbe.run(place, letters: letters)
        }
        try ChildLine.write(summary: ProbeSummary(figures: figures, use: use ?? ProcessReading.own()))
        return 0
    }
}
