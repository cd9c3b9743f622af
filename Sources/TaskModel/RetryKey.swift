/// What a key of the `retry` topic names.
public enum RetryKey: Hashable, Sendable {
    case emission(Coordinate)
    /// A marker that drops every waiting turn of this replay.
    case cancel(Fingerprint, replay: UInt32)

    private static let slash = UInt8(ascii: "/")
    private static let cancelMark = Array("cancel".utf8)

    /// Nil for what is not written exactly as ``bytes`` writes it: a tombstone under our key would never reach it.
    public init?(_ key: [UInt8]?) {
        guard let key, let read = key.withUnsafeBytes({ RetryKey(reading: $0) }) else { return nil }
        self = read
    }

    private init?(reading key: UnsafeRawBufferPointer) {
        guard key.count > 33, key[32] == Self.slash,
            let fingerprint = Fingerprint(hex: UnsafeRawBufferPointer(rebasing: key[..<32])),
            !key[..<32].contains(where: { (UInt8(ascii: "A")...UInt8(ascii: "F")).contains($0) }),
            let end = key[33...].firstIndex(of: Self.slash), let last = Self.number(key[(end + 1)...])
        else { return nil }
        let middle = key[33..<end]
        if middle.elementsEqual(Self.cancelMark) {
            self = .cancel(fingerprint, replay: last)
        } else {
            guard let replay = Self.number(middle) else { return nil }
            self = .emission(Coordinate(fingerprint: fingerprint, replay: replay, turn: last))
        }
    }

    /// A number with no digit too many.
    private static func number(_ digits: Slice<UnsafeRawBufferPointer>) -> UInt32? {
        guard let first = digits.first, digits.count <= 10, digits.count == 1 || first != UInt8(ascii: "0") else {
            return nil
        }
        var value: UInt64 = 0
        for digit in digits {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
            value = value * 10 + UInt64(digit - UInt8(ascii: "0"))
        }
        return UInt32(exactly: value)
    }

    public var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(56)
        switch self {
        case .emission(let coordinate):
            bytes += coordinate.fingerprint.hex.utf8
            Self.add(coordinate.replay, to: &bytes)
            Self.add(coordinate.turn, to: &bytes)
        case .cancel(let fingerprint, let replay):
            bytes += fingerprint.hex.utf8
            bytes.append(Self.slash)
            bytes += Self.cancelMark
            Self.add(replay, to: &bytes)
        }
        return bytes
    }

    private static func add(_ number: UInt32, to bytes: inout [UInt8]) {
        bytes.append(slash)
        if number < 10 {
            bytes.append(UInt8(ascii: "0") + UInt8(number))
        } else {
            bytes += String(number).utf8
        }
    }

    /// The record that drops every waiting turn of this replay; the value is for people.
    public static func cancelMarker(
        _ fingerprint: Fingerprint, replay: UInt32, by author: String, reason: String, at time: Timestamp
    ) -> RecordBody {
        RecordBody(
            key: RetryKey.cancel(fingerprint, replay: replay).bytes,
            value: CanonicalJSON.encode(["by": author, "reason": reason, "at": time.rfc3339]), headers: [])
    }

    /// Waiting events and their cancel markers share a partition: that of the fingerprint.
    public var fingerprint: Fingerprint {
        switch self {
        case .emission(let coordinate): coordinate.fingerprint
        case .cancel(let fingerprint, _): fingerprint
        }
    }
}
