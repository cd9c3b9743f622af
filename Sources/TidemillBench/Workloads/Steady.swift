import TaskModel
import TidemillHarness

/// Publishing and consuming at once, for a while: the rate of every two seconds, and whether it holds.
enum Steady {
    private static let batch = 5000
    private static let stretch = 2

    static func run(_ session: BenchSession) async throws -> Findings {
        let seconds = session.size(quick: 8, full: 60)
        let (tally, published, uses) = try await Stage.with(session) { stage in
            let workers = try await stage.startReadyWorkers()
            var meter = UseMeter(session, workers: workers)
            session.progress("batches of \(batch) for \(seconds) s")
            let order = PublishOrder(
                place: stage.place, manner: .steady(batch: batch, seconds: seconds, backlog: 4 * batch), events: 0,
                payloadBytes: session.arguments.payloadBytes)
            let published = try await stage.publish(order)
            meter.pause(brokers: try await stage.waitForEnds(published.accepted))
            let uses = meter.uses(tasks: published.accepted)
            _ = try await stage.stop(workers)
            return (try await stage.tally(), published, uses)
        }
        let rates = tally.rates(every: stretch)
        guard let lowest = rates.min(), let highest = rates.max() else {
            throw HarnessFailure("all was over within \(stretch) s")
        }
        var findings = Findings(settings: ["batch": "\(batch)", "seconds": "\(seconds)"])
        findings.metrics = [
            Metric(
                "settled tasks while published", rates.reduce(0, +) / Double(rates.count), "/s", samples: rates),
            Metric("slowest \(stretch) s", lowest, "/s"),
            Metric("fastest \(stretch) s", highest, "/s"),
        ]
        findings.processes = uses + [ProcessUse("publisher", published.use, tasks: published.accepted)]
        if tally.repeated > 0 { findings.violations.append("\(tally.repeated) events ended more than once") }
        return findings
    }
}
