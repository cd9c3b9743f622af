/// The 128-bit identity of a piece of work. Two events with one fingerprint are the same work.
///
/// Written as 32 lower-case hex digits, everywhere: topics, command line, logs.
public struct Fingerprint: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let high: UInt64
    public let low: UInt64

    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Reads exactly 16 bytes, big-endian; nil for any other count.
    public init?(bytes: [UInt8]) {
        guard bytes.count == 16 else { return nil }
        let (high, low) = bytes.withUnsafeBytes { bytes in
            (
                bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self),
                bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
            )
        }
        self.init(high: UInt64(bigEndian: high), low: UInt64(bigEndian: low))
    }

    /// Reads exactly 32 hex digits, either case; nil for anything else.
    public init?(hex: some StringProtocol) {
        var text = String(hex)
        guard let read = text.withUTF8({ Fingerprint(hex: UnsafeRawBufferPointer($0)) }) else { return nil }
        self = read
    }

    /// Reads the same from bytes.
    init?(hex digits: UnsafeRawBufferPointer) {
        guard digits.count == 32 else { return nil }
        var words = (high: UInt64(0), low: UInt64(0))
        var problems: UInt8 = 0
        for index in 0..<16 {
            let (high, low) = (Self.hexValue(digits[index]), Self.hexValue(digits[index + 16]))
            problems |= high | low
            words.high = words.high << 4 | UInt64(high & 0xf)
            words.low = words.low << 4 | UInt64(low & 0xf)
        }
        guard problems < Self.noDigit else { return nil }
        self.init(high: words.high, low: words.low)
    }

    /// The 16 bytes, big-endian: the key of ledger and due records.
    public var bytes: [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 16) { buffer, count in
            for index in 0..<8 {
                let shift = UInt64(56 - 8 * index)
                buffer[index] = UInt8(truncatingIfNeeded: high >> shift)
                buffer[index + 8] = UInt8(truncatingIfNeeded: low >> shift)
            }
            count = 16
        }
    }

    /// 32 lower-case hex digits.
    public var hex: String {
        String(unsafeUninitializedCapacity: 32) { writeHex($0) }
    }

    /// Writes ``hex`` to where there is room for it, and returns its length.
    func writeHex(_ buffer: UnsafeMutableBufferPointer<UInt8>) -> Int {
        let digits = StaticString("0123456789abcdef")
        for index in 0..<16 {
            let shift = UInt64(60 - 4 * index)
            buffer[index] = digits.utf8Start[Int(high >> shift & 15)]
            buffer[index + 16] = digits.utf8Start[Int(low >> shift & 15)]
        }
        return Self.hexCount
    }

    static let hexCount = 32

    public var description: String { hex }

    public static func < (left: Fingerprint, right: Fingerprint) -> Bool {
        (left.high, left.low) < (right.high, right.low)
    }

    private static let noDigit: UInt8 = 0x80

    /// Without a jump: figures and letters follow each other as no processor can guess, and every event has 32 of them.
    private static func hexValue(_ digit: UInt8) -> UInt8 {
        let figure = digit &- UInt8(ascii: "0")
        let letter = (digit | 0x20) &- UInt8(ascii: "a")
        return figure < 10 ? figure : letter < 6 ? letter &+ 10 : noDigit
    }
}

extension Fingerprint: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let value = Fingerprint(hex: try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "a fingerprint is 32 hex digits")
        }
        self = value
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(hex)
    }
}
