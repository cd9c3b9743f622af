import Foundation

/// What is committed beside an offset: the holes up to a high mark, and whether the last owner let go in good order.
///
/// Every offset from the committed one up to `highMark` that is not a hole is settled. It is a statement of fact, so a
/// stale one is harmless: it only knows less. Written as base64 of `version:1 flags:1`, then LEB128 varints: the distance
/// of the high mark, and the distance of each hole from the one before.
public struct CommitMetadata: Hashable, Sendable {
    public var highMark: Int64
    public var holes: [Int64]
    /// The owner revoked or stopped in order: no start of it was lost.
    public var isClean: Bool

    public init(highMark: Int64, holes: [Int64], isClean: Bool) {
        self.highMark = highMark
        self.holes = holes
        self.isClean = isClean
    }

    public init(_ tracker: OffsetTracker, isClean: Bool) {
        self.init(highMark: tracker.next, holes: tracker.holes, isClean: isClean)
    }

    private static let version: UInt8 = 1
    private static let cleanFlag: UInt8 = 1

    /// The text to commit with `offset`. When it would exceed `limit` bytes the high mark is lowered to what fits.
    public func encoded(offset: Int64, limit: Int = 4096) -> String {
        let byteLimit = limit / 4 * 3
        var body: [UInt8] = []
        var previous = offset
        var mark = highMark
        for hole in holes {
            let before = body.count
            Self.append(UInt64(hole - previous), to: &body)
            // Two bytes of header, and at most ten for the mark.
            if body.count > byteLimit - 12 {
                body.removeSubrange(before...)
                mark = hole
                break
            }
            previous = hole
        }
        var bytes = [Self.version, isClean ? Self.cleanFlag : 0]
        Self.append(UInt64(mark - offset), to: &bytes)
        return Data(bytes + body).base64EncodedString()
    }

    /// Reads metadata committed with `offset`; nil when it is not ours or damaged (then nothing is known above the offset).
    public init?(offset: Int64, metadata: String) {
        guard let data = Data(base64Encoded: metadata), data.count >= 3, data[0] == Self.version else { return nil }
        var rest = data.dropFirst(2)
        guard let distance = Self.read(&rest), let mark = Self.sum(offset, distance) else { return nil }
        var holes: [Int64] = []
        var previous = offset
        while !rest.isEmpty {
            guard let step = Self.read(&rest), let hole = Self.sum(previous, step), hole < mark,
                hole > previous || holes.isEmpty
            else { return nil }
            holes.append(hole)
            previous = hole
        }
        self.init(highMark: mark, holes: holes, isClean: data[1] & Self.cleanFlag != 0)
    }

    private static func append(_ value: UInt64, to bytes: inout [UInt8]) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    private static func read(_ rest: inout Data.SubSequence) -> UInt64? {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while let byte = rest.popFirst() {
            guard shift < 63 else { return nil }
            value |= UInt64(byte & 0x7f) << shift
            if byte & 0x80 == 0 { return value }
            shift += 7
        }
        return nil
    }

    private static func sum(_ offset: Int64, _ distance: UInt64) -> Int64? {
        guard let distance = Int64(exactly: distance) else { return nil }
        let (sum, overflow) = offset.addingReportingOverflow(distance)
        return overflow ? nil : sum
    }
}
