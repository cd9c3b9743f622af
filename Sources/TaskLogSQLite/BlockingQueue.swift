import Foundation

/// A first-in-first-out queue between any callers and threads that may block. Its bound is the callers': each waits for
/// what it queued before it queues more, and appends pass a ``ByteGate`` first.
final class BlockingQueue<Element: Sendable>: @unchecked Sendable {
    private let condition = NSCondition()
    // Guarded by `condition`.
    private var elements: [Element] = []
    private var isClosed = false

    /// False when the queue is closed; the element is then not taken.
    func push(_ element: Element) -> Bool {
        condition.lock()
        defer { condition.unlock() }
        guard !isClosed else { return false }
        elements.append(element)
        condition.signal()
        return true
    }

    /// Waits for the next element; nil when closed and empty.
    func take() -> Element? {
        condition.lock()
        defer { condition.unlock() }
        while elements.isEmpty {
            if isClosed { return nil }
            condition.wait()
        }
        return elements.removeFirst()
    }

    /// Waits for an element and returns all there are; nil when closed and empty.
    func takeAll() -> [Element]? {
        condition.lock()
        defer { condition.unlock() }
        while elements.isEmpty {
            if isClosed { return nil }
            condition.wait()
        }
        let taken = elements
        elements = []
        return taken
    }

    /// Refuses further elements; what is queued can still be taken.
    func close() {
        condition.lock()
        isClosed = true
        condition.broadcast()
        condition.unlock()
    }
}
