/// Which record a delivery report speaks of: the opaque of a record is its place here.
///
/// Places are used again, so that a producer that runs for years needs as many as it ever had in flight at once.
struct DeliverySlab {
    struct Ticket {
        var batch: ProduceBatch
        var index: Int
    }

    private var tickets: [Ticket?] = []
    private var free: [Int] = []

    var count: Int { tickets.count - free.count }

    mutating func insert(_ ticket: Ticket) -> Int {
        if let place = free.popLast() {
            tickets[place] = ticket
            return place
        }
        tickets.append(ticket)
        return tickets.count - 1
    }

    /// Nil when the place is empty: each ticket is taken once.
    mutating func take(_ place: Int) -> Ticket? {
        guard tickets.indices.contains(place), let ticket = tickets[place] else { return nil }
        tickets[place] = nil
        free.append(place)
        return ticket
    }

    mutating func takeAll() -> [Ticket] {
        let all = tickets.compactMap { $0 }
        tickets = []
        free = []
        return all
    }
}

/// The records of one call that are on their way together, and what became of each. Guarded by the lock of its slab.
final class ProduceBatch: @unchecked Sendable {
    private(set) var results: [Result<KafkaDelivery, KafkaError>?]
    private var remaining: Int
    private var waiter: CheckedContinuation<Void, Never>?

    init(count: Int) {
        results = Array(repeating: nil, count: count)
        remaining = count
    }

    /// The continuation to resume when this was the last one.
    func finish(_ index: Int, _ result: Result<KafkaDelivery, KafkaError>) -> CheckedContinuation<Void, Never>? {
        guard results[index] == nil else { return nil }
        results[index] = result
        remaining -= 1
        guard remaining == 0 else { return nil }
        defer { waiter = nil }
        return waiter
    }

    /// False when there is nothing to wait for.
    func attach(_ continuation: CheckedContinuation<Void, Never>) -> Bool {
        guard remaining > 0 else { return false }
        waiter = continuation
        return true
    }
}
