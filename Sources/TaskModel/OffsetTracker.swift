/// Which offsets of a partition are settled: a watermark (the lowest unsettled offset) and the holes from it on.
///
/// It costs memory by the hole, not by the offset: neither one long task nor a gap of millions in the log makes it grow.
public struct OffsetTracker: Hashable, Sendable {
    /// One past the highest offset received.
    public private(set) var next: Int64
    /// The unsettled offsets, ascending.
    public private(set) var holes: [Int64] = []

    public init(start: Int64) { next = start }

    /// Everything below is settled.
    public var watermark: Int64 { holes.first ?? next }
    public var holeCount: Int { holes.count }

    /// A record arrived. Offsets between it and the one before do not exist (trimmed, or control records): they count as
    /// settled. Returns false for an offset that is known already.
    public mutating func receive(_ offset: Int64) -> Bool {
        guard offset >= next else { return false }
        holes.append(offset)
        next = offset + 1
        return true
    }

    /// The record at this offset is settled. Repetition is harmless.
    public mutating func settle(_ offset: Int64) {
        var low = 0
        var high = holes.count
        while low < high {
            let middle = (low + high) / 2
            if holes[middle] < offset { low = middle + 1 } else { high = middle }
        }
        if low < holes.count, holes[low] == offset { holes.remove(at: low) }
    }
}
