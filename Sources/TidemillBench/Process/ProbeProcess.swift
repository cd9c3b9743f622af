import TidemillHarness

/// Something of the library that is measured by itself, in a process of its own.
struct ProbeOrder: Codable, Sendable {
    enum Kind: Codable, Sendable {
        /// Next-fire cost of cron expressions.
        case cron(calls: Int)
    }

    var kind: Kind
}

struct ProbeSummary: Codable, Sendable {
    var figures: [String: Double] = [:]
    var use: ProcessReading
}

enum ProbeProcess {
    static func run(_ order: ProbeOrder) async throws -> Int32 {
        RoleProcess.endWithParent()
        let figures: [String: Double]
        switch order.kind {
        case .cron(let calls): figures = try CronProbe.run(calls: calls)
        }
        try ChildLine.write(summary: ProbeSummary(figures: figures, use: ProcessReading.own()))
        return 0
    }
}
