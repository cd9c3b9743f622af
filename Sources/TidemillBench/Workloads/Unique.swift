import TaskModel
import TidemillHarness

/// Every idempotency key comes twice: what recognising the second one costs, and that it does not run.
enum Unique {
    static func run(_ session: BenchSession) async throws -> Findings {
        let distinct = session.events(quick: 20_000, full: 400_000) / 2
        let (tally, published, uses) = try await Stage.with(session) { stage in
            let workers = try await stage.startReadyWorkers()
            var meter = UseMeter(session, workers: workers)
            var order = PublishOrder(
                place: stage.place, manner: .batch(size: 2500, callers: 2), events: 2 * distinct,
                payloadBytes: session.arguments.payloadBytes)
            order.distinct = distinct
            session.progress("\(2 * distinct) events with \(distinct) keys")
            let published = try await stage.publish(order)
            meter.pause(brokers: try await stage.waitForEnds(distinct))
            try await stage.waitForWatermark()
            let uses = meter.uses(tasks: 2 * distinct)
            _ = try await stage.stop(workers)
            return (try await stage.tally(), published, uses)
        }
        var findings = Findings(settings: ["events": "\(2 * distinct)", "keys": "\(distinct)"])
        findings.metrics = [
            Metric("published with a key, every key twice", published.rate, "/s"),
            Metric("ends of \(distinct) keys", Double(tally.ended), ""),
        ]
        findings.processes = uses + [ProcessUse("publisher", published.use, tasks: 2 * distinct)]
        if tally.ended != distinct || tally.repeated > 0 {
            findings.violations.append("\(distinct) keys, \(tally.ended) ended, \(tally.repeated) of them repeatedly")
        }
        return findings
    }
}
