import Foundation

/// When a failed event is tried again: exponential backoff with jitter, bounded in attempts and in age.
public struct RetryPolicy: Hashable, Sendable {
    /// Milliseconds before the second attempt. Default 1 s.
    public var initial: Int64
    /// Each further delay is this many times the one before (≥ 1). Default 2.
    public var factor: Double
    /// Longest delay in milliseconds. Default 1 h.
    public var maximum: Int64
    /// Each delay is spread by up to this share of itself in both directions (0 ... 1). Default 0.2.
    public var jitter: Double
    /// Attempts in all, the first one included; then the event is dead. Default 5.
    public var maxAttempts: UInt32
    /// No attempt starts later than this many milliseconds after the first turn fell due; nil is no limit. Default 7 days.
    public var maxAge: Int64?

    public init(
        initial: Int64 = 1000, factor: Double = 2, maximum: Int64 = 3_600_000, jitter: Double = 0.2,
        maxAttempts: UInt32 = 5, maxAge: Int64? = 7 * 86_400_000
    ) {
        self.initial = initial
        self.factor = factor
        self.maximum = maximum
        self.jitter = jitter
        self.maxAttempts = maxAttempts
        self.maxAge = maxAge
    }

    /// Never tried again.
    public static let none = RetryPolicy(maxAttempts: 1)

    /// What is wrong with the values, in the words of the configuration; empty when nothing is.
    public var problems: [String] {
        var problems: [String] = []
        if initial < 0 { problems.append("initial must not be negative") }
        if !(factor >= 1 && factor.isFinite) { problems.append("factor must be at least 1") }
        if maximum < initial { problems.append("max must be at least initial") }
        if !(jitter >= 0 && jitter <= 1) { problems.append("jitter must be between 0 and 1") }
        if maxAttempts < 1 { problems.append("max_attempts must be at least 1") }
        if let maxAge, maxAge <= 0 { problems.append("max_age must be positive") }
        return problems
    }

    /// Milliseconds to wait after attempt number `attempt` (from 1) failed.
    ///
    /// The jitter is a function of the coordinate, so that everybody who computes the delay of one turn gets the same.
    public func delay(afterAttempt attempt: UInt32, of coordinate: Coordinate) -> Int64 {
        let exponent = Double(max(1, attempt) - 1)
        // Zero times an infinite power is no number: no initial delay, no delay at all.
        let base = initial <= 0 ? 0 : min(Double(maximum), Double(initial) * pow(factor, exponent))
        var generator = SplitMix64(
            seed: coordinate.fingerprint.low ^ UInt64(coordinate.turn) << 32 ^ UInt64(coordinate.replay))
        let spread = (generator.nextUnit() * 2 - 1) * jitter
        let delay = base * (1 + spread)
        // A double next to `Int64.max` is beyond it, and NaN is below nothing: neither may reach the conversion.
        guard delay < Double(maximum) else { return max(0, maximum) }
        return Int64(max(0, delay))
    }
}

extension RetryPolicy: Codable {
    enum CodingKeys: String, CodingKey {
        case initial = "initial_ms"
        case factor
        case maximum = "max_ms"
        case jitter
        case maxAttempts = "max_attempts"
        case maxAge = "max_age_ms"
    }
}
