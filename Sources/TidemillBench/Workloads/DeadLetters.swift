import TidemillHarness

/// An operator after a bad night: finds the dead letters of one task among those of ten, and sends them back.
enum DeadLetters {
    static func run(_ session: BenchSession) async throws -> Findings {
        let letters = session.events(quick: 10_000, full: 1_000_000)
        session.progress("\(letters) dead letters, a tenth of them to find and replay")
        let summary = try await Stage.with(session) { stage in
            try await stage.probe(.deadLetters(stage.place, letters: letters))
        }
        var findings = Findings(settings: ["letters": "\(letters)", "matching": "\(letters / 10)"])
        findings.metrics = [
            Metric("dead letters searched", summary.figure(DeadLetterProbe.find), "/s"),
            Metric("dead letters found again and replayed", summary.figure(DeadLetterProbe.replay), "/s"),
        ]
        findings.processes = [ProcessUse("client", summary.use, tasks: letters)]
        return findings
    }
}
