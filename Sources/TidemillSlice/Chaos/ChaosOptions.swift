import Foundation

/// What a chaos run was asked for.
struct ChaosOptions: Sendable {
    var seed: UInt64
    var minutes: Int
    var workers: Int
    /// Events a second.
    var rate: Int
    var faults: [FaultWindow.Kind]
    var brokers: BrokerControl?
    var place: RunPlace

    static let workerRange = 2...6

    init(_ arguments: SliceArguments) throws {
        seed = try arguments.seed()
        minutes = try arguments.number("minutes", standard: 2, in: 1...600)
        workers = try arguments.number("workers", standard: 3, in: Self.workerRange)
        rate = try arguments.number("rate", standard: 100, in: 1...5000)
        let count = try arguments.number("brokers", standard: 1, in: 1...3)
        let folder = try arguments.text("folder")
        place = RunPlace(folder: folder, engine: try arguments.engine(), prefix: "chaos\(seed).")
        place.lease = 10_000
        // Not Kafka's smallest: a machine that is busy with faults stalls for seconds by itself.
        place.session = 10_000
        place.concurrency = 16
        place.replication = count > 1 ? 3 : 1
        place.syncsJournal = true
        let possible: Set<FaultWindow.Kind>
        switch place.engine {
        case .sqlite:
            brokers = nil
            possible = [.full]
        case .kafka:
            brokers = BrokerControl(
                folder: folder + "/kafka", port: try arguments.number("kafka-port", standard: 9092, in: 1024...65_000),
                count: count)
            possible = [.cut, .brokerKill, .brokerStop]
        }
        let always: Set<FaultWindow.Kind> = [.kill, .stop, .terminate, .rolling, .scale, .clock]
        let known = FaultWindow.Kind.allCases.filter { always.union(possible).contains($0) }
        guard let only = arguments.only else {
            faults = known
            return
        }
        faults = known.filter { only.contains($0.rawValue) }
        guard faults.count == only.count else {
            throw SliceArguments.Problem(
                text: "--only takes faults of this engine: " + known.map(\.rawValue).joined(separator: ","))
        }
    }
}
