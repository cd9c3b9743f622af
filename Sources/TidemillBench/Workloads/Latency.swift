import TaskModel
import TidemillHarness

/// From the planned instant of a publish to the handler's start, and to the settling, at fixed rates in an open loop.
enum Latency {
    private static let rates: [Double] = [50, 200, 1000, 5000]

    static func run(_ session: BenchSession) async throws -> Findings {
        let seconds = session.size(quick: 3.0, full: 20.0)
        let (floors, summaries, uses) = try await Stage.with(session) { stage in
            let workers = try await stage.startReadyWorkers()
            try await stage.warmUp()
            var published = 0
            var floors: [FloorSummary] = []
            // The first clients of a broker wait for more than its answers.
            _ = try await floor(stage, 500, rate: 200, name: "warm")
            var meter = UseMeter(session, workers: workers)
            for (index, rate) in rates.enumerated() {
                session.progress("\(Int(rate))/s")
                floors.append(try await floor(stage, Int(rate * seconds), rate: rate, name: "floor-\(Int(rate))"))
                meter.resume()
                published += try await publish(stage, Int(rate * seconds), rate: rate, bucket: UInt8(index))
                meter.pause(brokers: try await stage.waitForEnds(published))
            }
            let uses = meter.uses(tasks: published)
            return (floors, try await stage.stop(workers), uses)
        }
        var findings = Findings(settings: ["seconds": "\(seconds)"])
        findings.processes = uses
        for (index, rate) in rates.enumerated() {
            var toStart = Histogram()
            var toSettled = Histogram()
            for bucket in summaries.compactMap({ $0.buckets[index] }) {
                toStart.merge(bucket.toStart)
                toSettled.merge(bucket.toSettled)
            }
            let name = "\(Int(rate))/s, publish to"
            findings.metrics += [
                Metric(
                    "\(name) start, p50/p95/p99/max", Spread(toStart), floor: floors[index].toStart.map(Spread.init)),
                Metric(
                    "\(name) settled, p50/p95/p99/max", Spread(toSettled),
                    floor: floors[index].toSettled.map(Spread.init)),
            ]
            let expected = Int(rate * seconds)
            if Int(toStart.count) != expected || Int(toSettled.count) != expected {
                findings.violations.append(
                    "\(Int(rate))/s: \(expected) published, \(toStart.count) started, \(toSettled.count) settled")
            }
        }
        return findings
    }

    private static func publish(_ stage: Stage, _ events: Int, rate: Double, bucket: UInt8) async throws -> Int {
        var order = PublishOrder(
            place: stage.place, manner: .openLoop(rate: rate), events: events,
            payloadBytes: stage.session.arguments.payloadBytes)
        order.bucket = bucket
        return try await stage.publish(order).accepted
    }

    /// Raw clients at the same rate. On SQLite, which delivers nothing: transactions that store what is due, with the
    /// outcomes of what was stored before.
    private static func floor(_ stage: Stage, _ count: Int, rate: Double, name: String) async throws -> FloorSummary {
        var order = FloorOrder(
            kind: .sqliteLatency(rate: rate), partitions: stage.place.partitions, count: count,
            payloadBytes: stage.session.arguments.payloadBytes)
        if case .kafka(let bootstrap) = stage.place.engine {
            order.kind = .latency(rate: rate)
            order.bootstrap = bootstrap
            order.topic = try await stage.makeTopic("\(name)-in")
            order.outcomeTopic = try await stage.makeTopic("\(name)-out")
        } else {
            order.path = "\(stage.place.folder)/\(name).db"
        }
        return try await stage.floor(order)
    }
}
