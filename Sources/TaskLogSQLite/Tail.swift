import Synchronization

/// The ends of partitions as this process last heard of them, and who wants to hear of a change.
final class Tail: Sendable {
    /// Where a reader is told that there may be more for it.
    struct Subscription: Hashable, Sendable {
        fileprivate var id: UInt64
    }

    private struct Subscriber {
        var partitions: Set<Int64> = []
        var wake: @Sendable () -> Void
    }

    private struct State {
        var ends: [Int64: Int64] = [:]
        var subscribers: [UInt64: Subscriber] = [:]
        var nextID: UInt64 = 0
    }

    private let state = Mutex(State())

    func subscribe(_ wake: @escaping @Sendable () -> Void) -> Subscription {
        state.withLock { state in
            state.nextID += 1
            state.subscribers[state.nextID] = Subscriber(wake: wake)
            return Subscription(id: state.nextID)
        }
    }

    func unsubscribe(_ subscription: Subscription) {
        state.withLock { $0.subscribers[subscription.id] = nil }
    }

    /// Names the partitions whose growth is to wake the subscriber.
    func watch(_ partitions: Set<Int64>, by subscription: Subscription) {
        state.withLock { $0.subscribers[subscription.id]?.partitions = partitions }
    }

    /// The known end; 0 for a partition that nobody has asked about.
    func ends(of partitions: [Int64]) -> [Int64] {
        state.withLock { state in partitions.map { state.ends[$0] ?? 0 } }
    }

    /// Takes in news, which may come late or twice: an end never goes back.
    func advance(_ ends: [Int64: Int64]) {
        let woken = state.withLock { state in
            var changed: Set<Int64> = []
            for (id, end) in ends where end > state.ends[id] ?? 0 {
                state.ends[id] = end
                changed.insert(id)
            }
            guard !changed.isEmpty else { return [@Sendable () -> Void]() }
            return state.subscribers.values.filter { !$0.partitions.isDisjoint(with: changed) }.map(\.wake)
        }
        for wake in woken { wake() }
    }
}
