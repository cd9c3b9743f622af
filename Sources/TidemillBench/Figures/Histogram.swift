/// Counts values with three significant digits, in the manner of HdrHistogram: buckets whose width doubles where the values
/// do, so that recording is a shift and an increment, and memory does not grow with the number of values.
struct Histogram: Hashable, Sendable {
    /// Values below this have a bucket each. Above, a bucket is at most a 1024th of its values wide.
    private static let exact = 2048
    private static let half = exact / 2

    private var counts: [UInt64] = []
    private(set) var count: UInt64 = 0
    private(set) var minimum: UInt64 = 0
    private(set) var maximum: UInt64 = 0

    init() {}

    var isEmpty: Bool { count == 0 }

    mutating func record(_ value: UInt64, count more: UInt64 = 1) {
        guard more > 0 else { return }
        add(more, at: Self.index(of: value))
        minimum = isEmpty ? value : min(minimum, value)
        maximum = max(maximum, value)
        count += more
    }

    mutating func merge(_ other: Histogram) {
        guard !other.isEmpty else { return }
        for (index, more) in other.counts.enumerated() where more > 0 { add(more, at: index) }
        minimum = isEmpty ? other.minimum : min(minimum, other.minimum)
        maximum = max(maximum, other.maximum)
        count += other.count
    }

    /// The value that `percent` (0 ... 100) of the recorded ones are at or below, rounded up to its bucket's end; 0 when
    /// nothing was recorded.
    func percentile(_ percent: Double) -> UInt64 {
        let wanted = max(1, UInt64((Double(count) * min(100, percent) / 100).rounded(.up)))
        var seen: UInt64 = 0
        for (index, more) in counts.enumerated() {
            seen += more
            if seen >= wanted { return min(maximum, Self.highest(in: index)) }
        }
        return maximum
    }

    private mutating func add(_ more: UInt64, at index: Int) {
        if index >= counts.count { counts += repeatElement(0, count: index + 1 - counts.count) }
        counts[index] += more
    }

    private static func index(of value: UInt64) -> Int {
        guard value >= exact else { return Int(value) }
        let shift = UInt64.bitWidth - exact.trailingZeroBitCount - value.leadingZeroBitCount
        return half * shift + Int(value >> UInt64(shift))
    }

    private static func highest(in index: Int) -> UInt64 {
        guard index >= exact else { return UInt64(index) }
        let shift = UInt64(index / half - 1)
        let first = UInt64(index) - UInt64(half) * shift
        // The last bucket of all ends at the largest value there is.
        return ((first + 1) << shift) &- 1
    }
}

extension Histogram: Codable {
    private enum CodingKeys: String, CodingKey {
        case buckets, minimum, maximum
    }

    /// Only the buckets that hold something: pairs of index and count.
    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        let pairs = counts.enumerated().filter { $0.element > 0 }.flatMap { [UInt64($0.offset), $0.element] }
        try container.encode(pairs, forKey: .buckets)
        try container.encode(minimum, forKey: .minimum)
        try container.encode(maximum, forKey: .maximum)
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let pairs = try container.decode([UInt64].self, forKey: .buckets)
        let last = UInt64(Self.index(of: .max))
        for place in stride(from: 0, to: pairs.count - 1, by: 2) where pairs[place] <= last {
            add(pairs[place + 1], at: Int(pairs[place]))
            count += pairs[place + 1]
        }
        minimum = try container.decode(UInt64.self, forKey: .minimum)
        maximum = try container.decode(UInt64.self, forKey: .maximum)
    }
}
