import TaskModel
import TidemillHarness

/// Tasks that take 50 ms and no CPU, with more and more workers: whether the rate grows with them.
enum Scale {
    private static let workers = [1, 2, 4, 8]
    private static let taskMilliseconds: UInt32 = 50
    private static let concurrency = 10
    /// Divisible by all counts of workers.
    private static let partitions = 24

    static func run(_ session: BenchSession) async throws -> Findings {
        let seconds = session.size(quick: 2, full: 10)
        var findings = Findings(settings: ["concurrency": "\(concurrency)", "partitions": "\(partitions)"])
        var single = 0.0
        for count in workers {
            let rate = try await Stage.with(session, concurrency: concurrency, partitions: partitions) { stage in
                try await self.rate(stage, count, seconds: seconds)
            }
            if count == workers[0] { single = rate }
            let ideal = Double(count * concurrency) * 1000 / Double(taskMilliseconds)
            findings.metrics.append(
                Metric("\(count) worker\(count == 1 ? "" : "s"), tasks of 50 ms", rate, "/s", floor: ideal))
            if count == workers[workers.count - 1] {
                findings.metrics.append(
                    Metric("1 to \(count) workers, of linear", rate / (single * Double(count)) * 100, "%"))
            }
        }
        return findings
    }

    /// The settled tasks of a stretch of time in which all workers are at work, and none runs out.
    private static func rate(_ stage: Stage, _ count: Int, seconds: Int) async throws -> Double {
        let settle = 1
        // Joining one after the other takes some seconds, during which the first ones work already.
        let events = count * concurrency * 1000 / Int(taskMilliseconds) * (seconds + 10)
        try await stage.preload(events, sleepMilliseconds: taskMilliseconds)
        let workers = try stage.startWorkers(count, isObserved: true)
        stage.session.progress("\(count) workers")
        for worker in workers { try await worker.wait(for: ChildLine.opened, count: 1, milliseconds: 60_000) }
        try await Task.sleep(for: .seconds(settle))
        let start = Timestamp(milliseconds: BenchClock.wall() / 1_000_000)
        try await Task.sleep(for: .seconds(seconds))
        let end = Timestamp(milliseconds: BenchClock.wall() / 1_000_000)
        try stage.checkAlive()
        for worker in workers { worker.kill() }
        let ended = try await stage.tally().times.count { $0 >= start && $0 < end }
        return Double(ended) * 1000 / Double(end - start)
    }
}
