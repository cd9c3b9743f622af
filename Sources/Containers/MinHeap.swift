/// A binary heap: the least element first. Equal elements come out in any order.
///
/// Its methods are inlinable: unspecialised, a scheduler's heap cost it a twentieth of all its work.
public struct MinHeap<Element: Comparable & Sendable>: Sendable {
    @usableFromInline
    var elements: [Element] = []

    @inlinable
    public init() {}

    @inlinable
    public var count: Int { elements.count }

    @inlinable
    public var isEmpty: Bool { elements.isEmpty }

    @inlinable
    public var first: Element? { elements.first }

    @inlinable
    public mutating func insert(_ element: Element) {
        elements.append(element)
        var child = elements.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard element < elements[parent] else { break }
            elements[child] = elements[parent]
            child = parent
        }
        elements[child] = element
    }

    @inlinable
    @discardableResult
    public mutating func popFirst() -> Element? {
        guard let first = elements.first else { return nil }
        let last = elements.removeLast()
        guard !elements.isEmpty else { return first }
        var parent = 0
        while true {
            let left = 2 * parent + 1
            guard left < elements.count else { break }
            let right = left + 1
            let child = right < elements.count && elements[right] < elements[left] ? right : left
            guard elements[child] < last else { break }
            elements[parent] = elements[child]
            parent = child
        }
        elements[parent] = last
        return first
    }

    /// Removes from the front what `isStale` says, and returns the first that is not.
    @inlinable
    public mutating func firstFresh(_ isStale: (Element) -> Bool) -> Element? {
        while let first = elements.first {
            guard isStale(first) else { return first }
            popFirst()
        }
        return nil
    }
}
