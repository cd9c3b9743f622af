import TaskModel
import TidemillHarness

/// What a queue sees all day, at once: events that are due, events that wait a second, and a few that fail at first.
enum Mixed {
    private static let delay: Int64 = 1000
    /// Of a thousand events.
    private static let failing = 10

    static func run(_ session: BenchSession) async throws -> Findings {
        // Of each half.
        let half = session.events(quick: 20_000, full: 200_000) / 2
        let (tally, summaries, uses) = try await Stage.with(session) { stage in
            let scheduler = try await stage.startReadyScheduler()
            let workers = try await stage.startReadyWorkers()
            var meter = UseMeter(session, scheduler: scheduler, workers: workers)
            session.progress("\(half) events now, \(half) in 1 s")
            async let now = stage.publish(order(stage, half, .now))
            async let later = stage.publish(order(stage, half, .after(milliseconds: delay)))
            _ = try await (now, later)
            meter.pause(brokers: try await stage.waitForEnds(2 * half))
            let uses = meter.uses(tasks: 2 * half)
            let summaries = try await stage.stop(workers)
            return (try await stage.tally(), summaries, uses)
        }
        var findings = Findings(settings: ["now": "\(half)", "in 1 s": "\(half)", "failing once": "1 %"])
        let waiting = summaries.merged(0)
        let retries = summaries.merged(1)
        findings.metrics = [
            Metric("settled tasks, published meanwhile", tally.rate(since: try summaries.firstStart()), "/s"),
            Metric("lateness of those in 1 s, p50/p95/p99/max", Spread(waiting.toStart)),
            Metric("lateness of retries after 1 s, p50/p95/p99/max", Spread(retries.toStart)),
        ]
        findings.processes = uses
        let failed = 2 * (0..<half).count { $0 % 1000 < failing }
        if tally.again != failed { findings.violations.append("\(failed) failed once, \(tally.again) were retried") }
        if tally.repeated > 0 { findings.violations.append("\(tally.repeated) events ended more than once") }
        let early = waiting.early + retries.early
        if early > 0 { findings.violations.append("\(early) events started before their time") }
        return findings
    }

    private static func order(_ stage: Stage, _ events: Int, _ start: PublishOrder.Start) -> PublishOrder {
        var order = PublishOrder(
            place: stage.place, manner: .batch(size: 2500, callers: 2), events: events,
            payloadBytes: stage.session.arguments.payloadBytes)
        order.start = start
        order.failsOnce = failing
        return order
    }
}
