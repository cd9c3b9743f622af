import TidemillHarness

/// The same work with nothing and with much waiting behind it: rate and memory are to be the same.
enum Backlog {
    static func run(_ session: BenchSession) async throws -> Findings {
        let large = session.events(quick: 40_000, full: 1_000_000)
        let settled = session.size(quick: 10_000, full: 100_000)
        var findings = Findings(settings: ["settled": "\(settled)"])
        for waiting in [1000, settled, large] {
            let run = try await Stage.with(session) { stage in
                try await stage.warmUpAlone()
                try await stage.preload(waiting)
                return try await BurnDown.burnDown(stage, min(waiting, settled))
            }
            findings.metrics.append(Metric("settled tasks with \(waiting) waiting", run.rate, "/s"))
            findings.processes += (run.workers + [run.broker].compactMap(\.self)).map { use in
                var use = use
                use.name += ", \(waiting) waiting"
                // With more waiting the worker is far ahead of what was waited for; with few, what it used is less than
                // one tick in which the kernel counts the time of others.
                if waiting != settled { use.cpuMicrosecondsPerTask = nil }
                return use
            }
        }
        return findings
    }
}
