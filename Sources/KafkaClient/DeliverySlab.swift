internal import Containers

/// What became of a record.
typealias Fate = Result<KafkaDelivery, KafkaError>

/// Which record a delivery report speaks of: the opaque of a record names its call's place here and its index in the
/// call, so a call pays for a place once.
///
/// Places are used again, so that a producer that runs for years needs as many as it ever had calls in flight at once.
struct DeliverySlab {
    private enum Call: Sendable {
        case one(CheckedContinuation<Fate, Never>)
        case many(ProduceBatch)
    }

    private var calls = Slots<Call>()
    /// Records whose fate is open.
    private(set) var count = 0

    /// A call of one record, who waits for it already.
    mutating func insert(_ waiter: CheckedContinuation<Fate, Never>) -> Int {
        count += 1
        return calls.insert(.one(waiter))
    }

    mutating func insert(_ batch: ProduceBatch) -> Int {
        precondition(batch.remaining > 0, "no delivery would ever free the place of an empty batch")
        count += batch.remaining
        return calls.insert(.many(batch))
    }

    /// Settles one record, once; returns whom to wake when it was the last of its call.
    mutating func finish(_ opaque: RecordOpaque, _ fate: Fate) -> DeliveryWaiter? {
        guard calls.values.indices.contains(opaque.place), let call = calls.values[opaque.place] else { return nil }
        switch call {
        case .one(let continuation):
            count -= 1
            calls.remove(opaque.place)
            return .one(continuation, fate)
        case .many(let batch):
            guard batch.finish(opaque.index, fate) else { return nil }
            count -= 1
            guard batch.remaining == 0 else { return nil }
            calls.remove(opaque.place)
            return batch.takeWaiter().map { .many($0) }
        }
    }

    /// Settles all that is open; returns whom to wake.
    mutating func finishAll(_ fate: Fate) -> [DeliveryWaiter] {
        let waiters = calls.values.compactMap { call -> DeliveryWaiter? in
            switch call {
            case nil: return nil
            case .one(let continuation): return .one(continuation, fate)
            case .many(let batch):
                batch.finishRest(fate)
                return batch.takeWaiter().map { .many($0) }
            }
        }
        self = DeliverySlab()
        return waiters
    }
}

/// Who waits for a call whose records are all settled. To be woken outside of locks.
enum DeliveryWaiter {
    /// For one record, and what became of it.
    case one(CheckedContinuation<Fate, Never>, Fate)
    /// For a batch, which says itself what became of its records; or for a change.
    case many(CheckedContinuation<Void, Never>)

    func wake() {
        switch self {
        case .one(let continuation, let fate): continuation.resume(returning: fate)
        case .many(let continuation): continuation.resume()
        }
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
    private(set) var results: [Fate?]
    private(set) var remaining: Int
    private var waiter: CheckedContinuation<Void, Never>?

    init(count: Int) {
        results = Array(repeating: nil, count: count)
        remaining = count
    }

    /// False when the record is settled already.
    func finish(_ index: Int, _ fate: Fate) -> Bool {
        guard results[index] == nil else { return false }
        results[index] = fate
        remaining -= 1
        return true
    }

    func finishRest(_ fate: Fate) {
        for index in results.indices where results[index] == nil { results[index] = fate }
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
