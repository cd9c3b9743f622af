internal import TaskLog
internal import TaskModel

/// Requests that go to the log with one append; refused ones keep their place among the results.
struct PublishChunk {
    private var items: PublishFlight.Items = []
    private var bytes = 0

    var isFull: Bool { items.count >= TaskClient.chunkRecords || bytes >= TaskClient.chunkBytes }

    /// What its order among other chunks rests on.
    var bonds: PublishBonds { PublishBonds(items) }

    mutating func add(_ item: Result<PreparedPublish, ClientError>) {
        if case .success(let prepared) = item { bytes += prepared.record.footprint }
        items.append(item)
    }

    mutating func take() -> PublishFlight.Items {
        defer { self = PublishChunk() }
        return items
    }
}

/// The works and lanes of a chunk: of these the log's order decides which event runs, or which runs first.
struct PublishBonds {
    private var works: Set<Fingerprint>
    private var lanes: Set<String> = []

    init(_ items: PublishFlight.Items) {
        works = Set(minimumCapacity: items.count)
        for case .success(let prepared) in items {
            works.insert(prepared.coordinate.fingerprint)
            if let lane = prepared.key { lanes.insert(lane) }
        }
    }

    func isDisjoint(with others: PublishBonds) -> Bool {
        works.isDisjoint(with: others.works) && lanes.isDisjoint(with: others.lanes)
    }
}

/// The chunks of one call on their way, and what came of each.
///
/// Two go at once, while a third one is made: a log takes the second while it answers for the first. Which comes first
/// nobody knows, so a chunk waits for one that has a lane or a work in common with it.
struct PublishFlight {
    typealias Items = [Result<PreparedPublish, ClientError>]
    typealias Results = [Result<PublishReceipt, ClientError>]

    private static let maximumChunks = 2

    private var landed: [Results?] = []
    private var underWay: [Int: PublishBonds] = [:]

    func admits(_ bonds: PublishBonds) -> Bool {
        underWay.count < Self.maximumChunks && underWay.values.allSatisfy { $0.isDisjoint(with: bonds) }
    }

    /// The chunk's number.
    mutating func begin(_ bonds: PublishBonds) -> Int {
        underWay[landed.count] = bonds
        landed.append(nil)
        return landed.count - 1
    }

    mutating func land(_ number: Int, _ results: Results) {
        underWay[number] = nil
        landed[number] = results
    }

    /// Of all chunks, in their order.
    var results: Results { landed.flatMap { $0 ?? [] } }
}
