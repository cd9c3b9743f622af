import Synchronization

/// An unordered meeting point of one consumer and many producers: what arrives while the consumer works is taken as one
/// array, so that a busy loop pays for a batch and not for each element.
///
/// Bounded: `send` waits while `capacity` elements lie unread. `post` never waits; it is for producers whose number is
/// bounded elsewhere (a running attempt posts once), and for stop signals.
package final class Mailbox<Element: Sendable>: Sendable {
    private struct State {
        var elements: [Element] = []
        var consumer: CheckedContinuation<Void, Never>?
        /// Who waits for room, oldest first.
        var producers: [(id: UInt64, continuation: CheckedContinuation<Void, Never>)] = []
        var nextID: UInt64 = 0
        var isClosed = false

        mutating func takeConsumer() -> CheckedContinuation<Void, Never>? {
            defer { consumer = nil }
            return consumer
        }
    }

    private enum Offer {
        case accepted(waking: CheckedContinuation<Void, Never>?)
        case refused
        case full
    }

    private let capacity: Int
    private let state = Mutex(State())

    package init(capacity: Int) {
        precondition(capacity > 0)
        self.capacity = capacity
    }

    /// Adds an element, waiting for room. False, and the element is not added, when the mailbox is closed or the task is
    /// cancelled before there was room.
    @discardableResult
    package func send(_ element: Element) async -> Bool {
        while true {
            switch offer(element, limit: capacity) {
            case .accepted(let consumer):
                consumer?.resume()
                return true
            case .refused: return false
            case .full: break
            }
            guard !Task.isCancelled else { return false }
            await waitForRoom()
        }
    }

    /// Adds an element without waiting. False when the mailbox is closed.
    @discardableResult
    package func post(_ element: Element) -> Bool {
        guard case .accepted(let consumer) = offer(element, limit: .max) else { return false }
        consumer?.resume()
        return true
    }

    /// The test for room and the adding are one step: two senders never share one place.
    private func offer(_ element: Element, limit: Int) -> Offer {
        state.withLock { state in
            if state.isClosed { return .refused }
            if state.elements.count >= limit { return .full }
            state.elements.append(element)
            return .accepted(waking: state.takeConsumer())
        }
    }

    /// Returns when there may be room, at the close, or when the task is cancelled.
    private func waitForRoom() async {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let resumeNow = state.withLock { state in
                    // Asked under the lock: a cancellation after this finds the continuation there.
                    guard !state.isClosed, state.elements.count >= capacity, !Task.isCancelled else { return true }
                    state.producers.append((id, continuation))
                    return false
                }
                if resumeNow { continuation.resume() }
            }
        } onCancel: {
            let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
                guard let index = state.producers.firstIndex(where: { $0.id == id }) else { return nil }
                return state.producers.remove(at: index).continuation
            }
            waiter?.resume()
        }
    }

    /// All that has arrived, in order of arrival, waiting for the first; nil when closed and drained.
    package func receive() async -> [Element]? {
        while true {
            let (batch, producers, isClosed) = state.withLock { state in
                let batch = state.elements
                state.elements = []
                let producers = state.producers
                state.producers = []
                return (batch, producers, state.isClosed)
            }
            for producer in producers { producer.continuation.resume() }
            if !batch.isEmpty { return batch }
            if isClosed { return nil }
            await withCheckedContinuation { continuation in
                let resumeNow = state.withLock { state in
                    guard state.elements.isEmpty && !state.isClosed else { return true }
                    precondition(state.consumer == nil, "a mailbox has one consumer")
                    state.consumer = continuation
                    return false
                }
                if resumeNow { continuation.resume() }
            }
        }
    }

    /// Elements that lie unread.
    package var count: Int { state.withLock { $0.elements.count } }

    /// Refuses further elements and wakes everybody. What lies unread can still be received.
    package func close() {
        let waiters = state.withLock { state in
            state.isClosed = true
            let waiters = state.producers.map(\.continuation) + [state.takeConsumer()].compactMap { $0 }
            state.producers = []
            return waiters
        }
        for waiter in waiters { waiter.resume() }
    }
}
