/// Something that is measured.
struct Workload: Sendable {
    let name: String
    /// For `--help`.
    let summary: String
    var needsEngine = true
    let run: @Sendable (BenchSession) async throws -> Findings

    /// In the order in which they run.
    static let all = [
        Workload(
            name: "burn-down", summary: "preloaded no-op events: settled tasks/s, and the floor on the same records",
            run: BurnDown.run),
        Workload(
            name: "publish", summary: "one process: single calls with 100 in flight, batches, and the raw producer",
            run: PublishRates.run),
        Workload(
            name: "latency", summary: "open loop at 50, 200, 1000, 5000/s: publish to start, publish to settled",
            run: Latency.run),
        Workload(name: "delayed", summary: "events due at one instant: lateness, never early", run: Delayed.run),
        Workload(
            name: "mixed", summary: "one half due now, the other in 1 s, 1 % fail once: settled tasks/s, lateness",
            run: Mixed.run),
        Workload(
            name: "schedules", summary: "schedules that fire each second: lateness, misses, never early or doubled",
            run: Schedules.run),
        Workload(
            name: "steady", summary: "batches of 5000 published while consumed: settled tasks/s of every 2 s",
            run: Steady.run),
        Workload(
            name: "unique", summary: "half of the events repeat another's idempotency key: rates, and each runs once",
            run: Unique.run),
        Workload(
            name: "backlog", summary: "settled tasks/s and memory with 1000 to a million events waiting",
            run: Backlog.run),
        Workload(
            name: "ledger", summary: "insert, look-up and bytes of an entry; records/s of a restore from the log",
            run: Ledger.run),
        Workload(
            name: "dead-letters", summary: "find a tenth of all dead letters by task, and replay them",
            run: DeadLetters.run),
        Workload(
            name: "restart", summary: "a scheduler with many schedules and waiting events: time to start again, memory",
            run: Restart.run),
        Workload(
            name: "cron", summary: "cost of the next fire of cron expressions, beside cronsim and croniter",
            needsEngine: false, run: Cron.run),
        Workload(name: "scale", summary: "tasks of 50 ms with 1, 2, 4, 8 workers", run: Scale.run),
    ]
}
