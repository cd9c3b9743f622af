/// Values that keep their number for as long as they are there. The number of one that is gone goes to another, so that
/// whoever keeps a number must be able to tell the two apart.
///
/// Its methods are inlinable, as those of ``MinHeap``: it is used for each event.
public struct Slots<Value: Sendable>: Sendable {
    /// By number; nil where there is none. For looking and changing in place: ``insert(_:)`` and ``remove(_:)`` fill and
    /// empty a slot.
    public var values: [Value?] = []
    @usableFromInline
    var free: [Int] = []

    @inlinable
    public init() {}

    @inlinable
    public var count: Int { values.count - free.count }

    @inlinable
    public var isEmpty: Bool { count == 0 }

    /// The number that the next value gets.
    @inlinable
    public var next: Int { free.last ?? values.count }

    @discardableResult
    @inlinable
    public mutating func insert(_ value: Value) -> Int {
        if let slot = free.popLast() {
            values[slot] = value
            return slot
        }
        values.append(value)
        return values.count - 1
    }

    /// The slot must not be empty: it would be given away twice.
    @discardableResult
    @inlinable
    public mutating func remove(_ slot: Int) -> Value {
        guard let value = values[slot].take() else { preconditionFailure("slot \(slot) is empty") }
        free.append(slot)
        return value
    }
}
