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
        var producers: [CheckedContinuation<Void, Never>] = []
        var isClosed = false
    }

    private let capacity: Int
    private let state = Mutex(State())

    package init(capacity: Int) {
        precondition(capacity > 0)
        self.capacity = capacity
    }

    /// Adds an element, waiting for room. Dropped (and false returned) when the mailbox is closed.
    @discardableResult
    package func send(_ element: Element) async -> Bool {
        while true {
            let isFull = state.withLock { !$0.isClosed && $0.elements.count >= capacity }
            guard isFull else { return post(element) }
            await withCheckedContinuation { continuation in
                let resumeNow = state.withLock { state in
                    guard !state.isClosed && state.elements.count >= capacity else { return true }
                    state.producers.append(continuation)
                    return false
                }
                if resumeNow { continuation.resume() }
            }
        }
    }

    /// Adds an element without waiting. False when the mailbox is closed.
    @discardableResult
    package func post(_ element: Element) -> Bool {
        let (accepted, waiter) = state.withLock { state -> (Bool, CheckedContinuation<Void, Never>?) in
            guard !state.isClosed else { return (false, nil) }
            state.elements.append(element)
            defer { state.consumer = nil }
            return (true, state.consumer)
        }
        waiter?.resume()
        return accepted
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
            for producer in producers { producer.resume() }
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
            let waiters = state.producers + [state.consumer].compactMap { $0 }
            state.producers = []
            state.consumer = nil
            return waiters
        }
        for waiter in waiters { waiter.resume() }
    }
}
