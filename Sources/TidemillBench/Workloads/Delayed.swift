import TaskModel
import TidemillHarness

/// Many events that fall due at one instant: how late they start.
enum Delayed {
    static func run(_ session: BenchSession) async throws -> Findings {
        let events = session.events(quick: 20_000, full: 20_000)
        // Published at 5,000/s at worst, and then everything is at rest for a moment.
        let lead = Int64(2000 + events / 5)
        let (bucket, uses) = try await Stage.with(session) { stage in
            let scheduler = try await stage.startReadyScheduler()
            let workers = try await stage.startReadyWorkers()
            try await stage.warmUp()
            var meter = UseMeter(session, scheduler: scheduler, workers: workers)
            let due = BenchClock.wall() / 1_000_000 + lead
            session.progress("publishing \(events) events that are due in \(lead) ms")
            var order = PublishOrder(
                place: stage.place, manner: .batch(size: 2500, callers: 4), events: events,
                payloadBytes: session.arguments.payloadBytes)
            order.start = .at(due)
            let published = try await stage.publish(order)
            let rest = due - BenchClock.wall() / 1_000_000
            guard rest > 0 else {
                throw HarnessFailure("publishing took longer than \(lead) ms: \(Int(published.rate))/s")
            }
            // Until then nothing ends, however many there are.
            try await Task.sleep(for: .milliseconds(rest))
            meter.pause(brokers: try await stage.waitForEnds(events))
            let uses = meter.uses(tasks: events)
            return (try await stage.stop(workers).merged(0), uses)
        }
        var findings = Findings(settings: ["events": "\(events)"])
        findings.metrics = [
            Metric("lateness of \(events) at one instant, p50/p95/p99/max", Spread(bucket.toStart)),
            Metric("early", Double(bucket.early), ""),
        ]
        findings.processes = uses
        if bucket.early > 0 { findings.violations.append("\(bucket.early) events started before their time") }
        return findings
    }
}

extension [WorkerSummary] {
    /// What all workers saw of one bucket.
    func merged(_ bucket: Int) -> WorkerSummary.Bucket {
        compactMap { $0.buckets[bucket] }.reduce(into: WorkerSummary.Bucket()) { sum, bucket in
            sum.toStart.merge(bucket.toStart)
            sum.toSettled.merge(bucket.toSettled)
            sum.early += bucket.early
        }
    }
}
