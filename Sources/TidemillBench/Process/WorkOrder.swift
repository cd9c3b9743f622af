/// What a handler is to do, and what its start is measured against: the first 16 bytes of a payload.
///
/// Zeros mean: nothing, and nothing.
struct WorkOrder: Hashable, Sendable {
    enum Clock: UInt8, Sendable {
        case none, monotonic, wall
        /// The event's own nominal time.
        case nominal
        /// When this turn of the event fell due: of what waited in the log, by its delay or for its retry.
        case due
    }

    static let byteCount = 16

    /// Nanoseconds of `clock`.
    var reference: Int64 = 0
    var bucket: UInt8 = 0
    var clock = Clock.none
    /// The first attempt fails.
    var failsOnce = false
    var sleepMilliseconds: UInt32 = 0

    func payload(_ count: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: max(Self.byteCount, count))
        withUnsafeBytes(of: reference.bigEndian) { bytes.replaceSubrange(0..<8, with: $0) }
        bytes[8] = bucket
        bytes[9] = clock.rawValue
        bytes[10] = failsOnce ? 1 : 0
        withUnsafeBytes(of: sleepMilliseconds.bigEndian) { bytes.replaceSubrange(12..<16, with: $0) }
        return bytes
    }

    /// Nil when there is nothing to do and nothing to measure.
    init?(_ payload: [UInt8]) {
        guard payload.count >= Self.byteCount else { return nil }
        guard payload[9] | payload[10] | payload[12] | payload[13] | payload[14] | payload[15] != 0 else { return nil }
        reference = payload[0..<8].reduce(0) { $0 << 8 | Int64($1) }
        bucket = payload[8]
        clock = Clock(rawValue: payload[9]) ?? .none
        failsOnce = payload[10] != 0
        sleepMilliseconds = payload[12..<16].reduce(0) { $0 << 8 | UInt32($1) }
    }

    init() {}
}
