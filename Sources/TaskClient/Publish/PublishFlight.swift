internal import TaskLog
internal import TaskModel

extension PublishRequest {
    /// Whether others may share its place in the log, so that their order means something: those of its lane, or of the
    /// same work.
    var isOrdered: Bool { key != nil || identity != .automatic }
}

/// Requests that go to the log with one append; refused ones keep their place among the results.
struct PublishChunk {
    private var items: PublishFlight.Items = []
    private var bytes = 0
    /// Record keys of requests whose order means something.
    private(set) var orderedKeys: Set<[UInt8]> = []

    var isFull: Bool { items.count >= TaskClient.chunkRecords || bytes >= TaskClient.chunkBytes }

    mutating func add(_ item: Result<PreparedPublish, ClientError>, isOrdered: Bool) {
        if case .success(let prepared) = item {
            bytes += prepared.record.footprint
            if isOrdered { orderedKeys.insert(prepared.recordKey) }
        }
        items.append(item)
    }

    mutating func take() -> PublishFlight.Items {
        defer { self = PublishChunk() }
        return items
    }
}

/// The chunks of one call on their way, and what came of each.
///
/// Two go at once, while a third one is made: a log takes the second while it answers for the first. Which comes first
/// nobody knows, so a chunk waits for one that has a lane in common with it.
struct PublishFlight {
    typealias Items = [Result<PreparedPublish, ClientError>]
    typealias Results = [Result<PublishReceipt, ClientError>]

    private static let maximumChunks = 2

    private var landed: [Results?] = []
    /// Those under way, with the keys whose order means something.
    private var keys: [Int: Set<[UInt8]>] = [:]

    func admits(_ chunk: PublishChunk) -> Bool {
        keys.count < Self.maximumChunks && keys.values.allSatisfy { $0.isDisjoint(with: chunk.orderedKeys) }
    }

    /// The chunk's number.
    mutating func begin(_ chunk: PublishChunk) -> Int {
        keys[landed.count] = chunk.orderedKeys
        landed.append(nil)
        return landed.count - 1
    }

    mutating func land(_ number: Int, _ results: Results) {
        keys[number] = nil
        landed[number] = results
    }

    /// Of all chunks, in their order.
    var results: Results { landed.flatMap { $0 ?? [] } }
}
