import TidemillHarness

/// The fold of the ledger in memory, and its way back from the log after a restart.
enum Ledger {
    static func run(_ session: BenchSession) async throws -> Findings {
        let entries = session.events(quick: 1_000_000, full: 10_000_000)
        let records = session.size(quick: 50_000, full: 1_000_000)
        var findings = Findings(settings: ["entries": "\(entries)", "records": "\(records)"])
        for count in entries > 1_000_000 ? [1_000_000, entries] : [entries] {
            session.progress("\(count) entries in memory")
            let fold = try await Stage.with(session) { try await $0.probe(.ledger(entries: count)) }
            findings.metrics += [
                Metric("insert, \(count) entries", fold.figure(LedgerProbe.insert), "ns"),
                Metric("look-up, \(count) entries", fold.figure(LedgerProbe.lookup), "ns"),
                Metric("memory of an entry, \(count) entries", fold.figure(LedgerProbe.bytes), "B"),
            ]
            findings.processes.append(
                ProcessUse(
                    name: "fold, \(count) entries", cpuMicrosecondsPerTask: nil,
                    peakMebibytes: fold.use.peakKibibytes / 1024))
        }
        session.progress("restoring \(records) records")
        let restore = try await Stage.with(session) { stage in
            try await stage.probe(.restore(stage.place, records: records))
        }
        findings.metrics.append(
            Metric("restore: read, decoded and folded", restore.figure(LedgerProbe.restore), "/s"))
        findings.processes.append(ProcessUse("restore", restore.use, tasks: records))
        return findings
    }
}
