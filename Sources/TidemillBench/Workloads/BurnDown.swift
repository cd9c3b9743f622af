import TaskModel
import TidemillHarness

/// No-op events that wait already, and how fast they are settled: first start to last settle.
enum BurnDown {
    /// What one run of ours came to.
    struct Run: Sendable {
        var rate: Double
        var seconds: Double
        var workers: [ProcessUse]
        var broker: ProcessUse?
        var repeated: Int
    }

    static func run(_ session: BenchSession) async throws -> Findings {
        let events = session.events(quick: 30_000, full: 500_000)
        let rounds = session.size(quick: 2, full: 3)
        var runs: [Run] = []
        var floors: [FloorSummary] = []
        var floorBroker: ProcessUse?
        for round in 1...rounds {
            let (floor, broker, run) = try await Stage.with(session) { stage in
                try await stage.warmUpAlone()
                try await stage.preload(events)
                if round == 1, session.isKafka {
                    session.progress("warming the broker up")
                    _ = try await runFloor(stage, events, name: "warm")
                }
                session.progress("floor, round \(round) of \(rounds)")
                let before = session.brokerReading()
                let floor = try await runFloor(stage, events, name: "floor")
                let broker = session.brokerReading().map {
                    ProcessUse("broker, floor", $0, since: before?.cpuMicroseconds ?? 0, tasks: events)
                }
                session.progress("ours, round \(round) of \(rounds)")
                return (floor, broker, try await burnDown(stage, events))
            }
            floors.append(floor)
            floorBroker = broker
            runs.append(run)
        }
        var findings = Findings(settings: ["events": "\(events)", "rounds": "\(rounds)"])
        // Rates of equal amounts of work: the mean is that of the times.
        let ours = Double(rounds * events) / runs.reduce(0) { $0 + $1.seconds }
        let floor = Double(rounds * events) / (Double(floors.reduce(0) { $0 + $1.nanoseconds }) / 1e9)
        findings.metrics = [
            Metric("settled tasks", ours, "/s", floor: floor, samples: runs.map(\.rate)),
            Metric("floor, each round", floor, "/s", samples: floors.map(\.rate)),
        ]
        let last = runs[runs.count - 1]
        findings.processes =
            last.workers + [last.broker].compactMap(\.self)
            + [ProcessUse("floor", floors[rounds - 1].use, tasks: events)] + [floorBroker].compactMap(\.self)
        let repeated = runs.reduce(0) { $0 + $1.repeated }
        if repeated > 0 { findings.violations.append("\(repeated) events were settled more than once") }
        return findings
    }

    /// Starts workers on what waits, and measures until so many events are settled.
    static func burnDown(_ stage: Stage, _ events: Int) async throws -> Run {
        let before = stage.session.brokerReading()
        let workers = try stage.startWorkers()
        let broker = try await stage.waitForEnds(events)
        let readings = workers.map(\.reading)
        let summaries = try await stage.stop(workers)
        let tally = try await stage.tally()
        let rate = tally.rate(since: try summaries.firstStart(), ends: events)
        guard rate > 0 else { throw HarnessFailure("fewer than \(events) events ended after the first start") }
        let uses = workers.indices.map { index in
            ProcessUse(
                workers.count == 1 ? "worker" : "worker \(index + 1)", readings[index],
                since: summaries[index].firstStartCPU, tasks: events)
        }
        return Run(
            rate: rate, seconds: Double(events) / rate, workers: uses,
            broker: broker.map { ProcessUse("broker", $0, since: before?.cpuMicroseconds ?? 0, tasks: events) },
            repeated: tally.repeated)
    }

    private static func runFloor(_ stage: Stage, _ events: Int, name: String) async throws -> FloorSummary {
        var order = FloorOrder(
            kind: .sqliteBurnDown(perTransaction: 1000), partitions: stage.place.partitions, count: events,
            payloadBytes: stage.session.arguments.payloadBytes)
        if case .kafka(let bootstrap) = stage.place.engine {
            order.kind = .burnDown(group: stage.place.prefix + name)
            order.bootstrap = bootstrap
            order.topic = stage.names.due(TopicNames.defaultQueue)
            order.outcomeTopic = try await stage.makeTopic(name)
        } else {
            order.path = "\(stage.place.folder)/\(name).db"
        }
        return try await stage.floor(order)
    }
}

extension [WorkerSummary] {
    /// When the first handler of all started.
    func firstStart() throws -> Timestamp {
        guard let first = compactMap(\.firstStart).min() else { throw HarnessFailure("nothing started") }
        return Timestamp(milliseconds: first / 1_000_000)
    }
}
