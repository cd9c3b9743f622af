/// Which offsets of a partition are settled: a watermark (the lowest unsettled offset) and what lies above it.
public struct OffsetTracker: Hashable, Sendable {
    /// Everything below is settled.
    public private(set) var watermark: Int64
    /// One past the highest offset received.
    public private(set) var next: Int64
    /// Whether each offset from `watermark` on is settled; `head` entries at the front are already passed.
    private var settled: [Bool] = []
    private var head = 0
    public private(set) var holeCount = 0

    public init(start: Int64) {
        watermark = start
        next = start
    }

    /// A record arrived. Offsets between it and the one before do not exist (trimmed, or control records): they count as
    /// settled. Returns false for an offset that is known already.
    public mutating func receive(_ offset: Int64) -> Bool {
        guard offset >= next else { return false }
        let gap = Int(offset - next)
        if gap > 0 { settled.append(contentsOf: repeatElement(true, count: gap)) }
        settled.append(false)
        holeCount += 1
        next = offset + 1
        advance()
        return true
    }

    /// The record at this offset is settled. Repetition is harmless.
    public mutating func settle(_ offset: Int64) {
        guard offset >= watermark, offset < next else { return }
        let index = head + Int(offset - watermark)
        guard !settled[index] else { return }
        settled[index] = true
        holeCount -= 1
        advance()
    }

    /// The unsettled offsets, ascending.
    public var holes: [Int64] {
        (head..<settled.count).compactMap { settled[$0] ? nil : watermark + Int64($0 - head) }
    }

    private mutating func advance() {
        while head < settled.count, settled[head] {
            head += 1
            watermark += 1
        }
        if head > 1024, head * 2 > settled.count {
            settled.removeFirst(head)
            head = 0
        }
    }

    public static func == (left: OffsetTracker, right: OffsetTracker) -> Bool {
        (left.watermark, left.next, left.holes) == (right.watermark, right.next, right.holes)
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(watermark)
        hasher.combine(next)
        hasher.combine(holes)
    }
}
