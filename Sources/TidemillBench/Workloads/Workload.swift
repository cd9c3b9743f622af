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
        Workload(name: "scale", summary: "tasks of 50 ms with 1, 2, 4, 8 workers", run: Scale.run),
    ]
}
