/// What it costs to find the next fire of a schedule.
enum Cron {
    static func run(_ session: BenchSession) async throws -> Findings {
        let calls = session.events(quick: 20_000, full: 500_000)
        let summary = try await Stage.with(session) { try await $0.probe(.cron(calls: calls)) }
        var findings = Findings(settings: ["calls": "\(calls)"])
        findings.metrics = CronProbe.expressions.map {
            Metric("next fire of \($0.expression), \($0.name)", summary.figure($0.name), "ns")
        }
        return findings
    }
}
