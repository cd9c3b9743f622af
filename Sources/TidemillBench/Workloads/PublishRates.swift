import TaskClient
import TidemillHarness

/// How fast one process publishes through the library, durably.
enum PublishRates {
    private static let inFlight = 100

    static func run(_ session: BenchSession) async throws -> Findings {
        let batched = session.events(quick: 30_000, full: 500_000)
        let single = session.events(quick: 10_000, full: 200_000)
        let rounds = session.size(quick: 2, full: 3)
        var findings = Findings(settings: ["batched": "\(batched)", "single": "\(single)", "rounds": "\(rounds)"])
        for manner in Manner.allCases {
            let events = manner == .single ? single : batched
            var ours: [PublishSummary] = []
            var floors: [FloorSummary] = []
            var broker: ProcessUse?
            for round in 1...rounds {
                session.progress("\(manner.rawValue), round \(round) of \(rounds)")
                try await Stage.with(session) { stage in
                    try await stage.warmUpAlone()
                    if round == 1 { _ = try await runFloor(stage, manner, events, name: "warm") }
                    floors.append(try await runFloor(stage, manner, events, name: "floor"))
                    let before = session.brokerReading()
                    ours.append(try await stage.publish(manner.order(stage, events)))
                    broker = session.brokerReading().map {
                        ProcessUse(
                            "broker, \(manner.rawValue)", $0, since: before?.cpuMicroseconds ?? 0, tasks: events)
                    }
                }
            }
            let floor = mean(events, floors.map(\.nanoseconds))
            findings.metrics.append(
                Metric(
                    "published, \(manner.rawValue)", mean(events, ours.map(\.nanoseconds)), "/s", floor: floor,
                    samples: ours.map(\.rate)))
            findings.processes.append(
                ProcessUse("publisher, \(manner.rawValue)", ours.last?.use, tasks: events))
            if let floor = floors.last {
                findings.processes.append(ProcessUse("floor, \(manner.rawValue)", floor.use, tasks: events))
            }
            if let broker { findings.processes.append(broker) }
        }
        return findings
    }

    private enum Manner: String, CaseIterable {
        case single = "single, 100 in flight"
        case batch = "batches of 5,000"
        case callers = "batches of 5,000, 4 callers"

        func order(_ stage: Stage, _ events: Int) -> PublishOrder {
            let manner: PublishOrder.Manner =
                switch self {
                case .single: .single(inFlight: inFlight)
                case .batch: .batch(size: 5000, callers: 1)
                case .callers: .batch(size: 5000, callers: 4)
                }
            return PublishOrder(
                place: stage.place, manner: manner, events: events,
                payloadBytes: stage.session.arguments.payloadBytes)
        }
    }

    private static func mean(_ events: Int, _ nanoseconds: [Int64]) -> Double {
        Double(events * nanoseconds.count) / (Double(nanoseconds.reduce(0, +)) / 1e9)
    }

    /// On SQLite one transaction holds as many records as one append of the library.
    private static func runFloor(
        _ stage: Stage, _ manner: Manner, _ events: Int, name: String
    ) async throws -> FloorSummary {
        var order = FloorOrder(
            kind: .sqlitePublish(perTransaction: Int32(manner == .single ? inFlight : TaskClient.chunkRecords)),
            partitions: stage.place.partitions, count: events,
            payloadBytes: stage.session.arguments.payloadBytes)
        if case .kafka(let bootstrap) = stage.place.engine {
            order.kind = .publish(inFlight: manner == .single ? Int32(inFlight) : 0)
            order.bootstrap = bootstrap
            order.topic = try await stage.makeTopic(name)
        } else {
            order.path = "\(stage.place.folder)/\(name).db"
        }
        return try await stage.floor(order)
    }
}
