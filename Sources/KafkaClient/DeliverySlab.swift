/// Which record a delivery report speaks of: the opaque of a record names its batch's place here and its index in the
/// batch, so a batch pays for a place once.
///
/// Places are used again, so that a producer that runs for years needs as many as it ever had batches in flight at once.
struct DeliverySlab {
    private var batches: [ProduceBatch?] = []
    private var free: [Int] = []
    /// Records whose fate is open.
    private(set) var count = 0

    mutating func insert(_ batch: ProduceBatch) -> Int {
        precondition(batch.remaining > 0, "no delivery would ever free the place of an empty batch")
        count += batch.remaining
        if let place = free.popLast() {
            batches[place] = batch
            return place
        }
        batches.append(batch)
        return batches.count - 1
    }

    /// Settles one record, once; returns the continuation to resume when it was the last of its batch.
    mutating func finish(
        _ opaque: RecordOpaque, _ result: Result<KafkaDelivery, KafkaError>
    ) -> CheckedContinuation<Void, Never>? {
        guard batches.indices.contains(opaque.place), let batch = batches[opaque.place],
            batch.finish(opaque.index, result)
        else { return nil }
        count -= 1
        guard batch.remaining == 0 else { return nil }
        batches[opaque.place] = nil
        free.append(opaque.place)
        return batch.takeWaiter()
    }

    /// Settles all that is open; returns the continuations to resume.
    mutating func finishAll(_ result: Result<KafkaDelivery, KafkaError>) -> [CheckedContinuation<Void, Never>] {
        let waiters = batches.compactMap { batch -> CheckedContinuation<Void, Never>? in
            batch?.finishRest(result)
            return batch?.takeWaiter()
        }
        self = DeliverySlab()
        return waiters
    }
}

/// What librdkafka carries for us with a record: 32 bits of place and 31 of index, plus one, since a null opaque could
/// not be told from none.
struct RecordOpaque: Hashable {
    var place: Int
    var index: Int

    init(place: Int, index: Int) {
        self.place = place
        self.index = index
    }

    init?(_ pointer: UnsafeMutableRawPointer?) {
        guard let pointer else { return nil }
        let number = Int(bitPattern: pointer) - 1
        self.init(place: number >> 31, index: number & 0x7fff_ffff)
    }

    var pointer: UnsafeMutableRawPointer? { UnsafeMutableRawPointer(bitPattern: (place << 31 | index) + 1) }
}

/// The records of one call that are on their way together, and what became of each. Guarded by the lock of its slab.
final class ProduceBatch: @unchecked Sendable {
    private(set) var results: [Result<KafkaDelivery, KafkaError>?]
    private(set) var remaining: Int
    private var waiter: CheckedContinuation<Void, Never>?

    init(count: Int) {
        results = Array(repeating: nil, count: count)
        remaining = count
    }

    /// False when the record is settled already.
    func finish(_ index: Int, _ result: Result<KafkaDelivery, KafkaError>) -> Bool {
        guard results[index] == nil else { return false }
        results[index] = result
        remaining -= 1
        return true
    }

    func finishRest(_ result: Result<KafkaDelivery, KafkaError>) {
        for index in results.indices where results[index] == nil { results[index] = result }
        remaining = 0
    }

    /// False when there is nothing to wait for.
    func attach(_ continuation: CheckedContinuation<Void, Never>) -> Bool {
        guard remaining > 0 else { return false }
        waiter = continuation
        return true
    }

    func takeWaiter() -> CheckedContinuation<Void, Never>? {
        defer { waiter = nil }
        return waiter
    }
}
