/// An instant in milliseconds since the Unix epoch (UTC), the resolution of Kafka's record timestamps.
///
/// The model never reads a clock: every function that needs the time takes it as `now`.
public struct Timestamp: Hashable, Comparable, Sendable, Codable {
    /// Milliseconds since 1970-01-01T00:00:00Z; negative before it.
    public var milliseconds: Int64

    public init(milliseconds: Int64) {
        self.milliseconds = milliseconds
    }

    /// Saturates, as the sums below.
    public init(seconds: Int64) {
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        self.milliseconds = overflow ? (seconds > 0 ? .max : .min) : product
    }

    public init(from decoder: any Decoder) throws {
        milliseconds = try decoder.singleValueContainer().decode(Int64.self)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(milliseconds)
    }

    public static let distantFuture = Timestamp(milliseconds: .max)
    public static let epoch = Timestamp(milliseconds: 0)

    public static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.milliseconds < right.milliseconds
    }

    /// Saturates instead of overflowing, so that a huge delay means "never" and not a crash.
    public static func + (left: Timestamp, milliseconds: Int64) -> Timestamp {
        let (sum, overflow) = left.milliseconds.addingReportingOverflow(milliseconds)
        return Timestamp(milliseconds: overflow ? (milliseconds > 0 ? .max : .min) : sum)
    }

    public static func - (left: Timestamp, milliseconds: Int64) -> Timestamp {
        let (sum, overflow) = left.milliseconds.subtractingReportingOverflow(milliseconds)
        return Timestamp(milliseconds: overflow ? (milliseconds > 0 ? .min : .max) : sum)
    }

    /// Milliseconds from `right` to `left`, saturating.
    public static func - (left: Timestamp, right: Timestamp) -> Int64 {
        let (difference, overflow) = left.milliseconds.subtractingReportingOverflow(right.milliseconds)
        return overflow ? (left > right ? .max : .min) : difference
    }
}
