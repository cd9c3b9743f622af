/// Writes headers into memory that is there already, as ``RecordHeaders`` keeps them.
///
/// For what is encoded often: an array looks at each append whether it has room and is nobody else's.
public struct RecordHeaderWriter {
    private let buffer: UnsafeMutableBufferPointer<UInt8>
    private(set) var count = 0

    init(_ buffer: UnsafeMutableBufferPointer<UInt8>) {
        self.buffer = buffer
    }

    /// Bytes that a header takes at most, beside its name and its value.
    public static let overhead = 10

    public mutating func append(_ name: String, _ text: String) {
        append(name, marker: 0)
        append(text, marker: 1)
    }

    /// A value of at most 126 bytes, which `write` writes where it is to lie; it returns their count.
    public mutating func append(
        _ name: String, maximum: Int, _ write: (UnsafeMutableBufferPointer<UInt8>) -> Int
    ) {
        append(name, marker: 0)
        precondition(maximum < 0x7F && maximum < buffer.count - count, "no room for header \(name)")
        let written = write(UnsafeMutableBufferPointer(rebasing: buffer[(count + 1)..<(count + 1 + maximum)]))
        precondition(written <= maximum)
        buffer[count] = UInt8(written + 1)
        count += written + 1
    }

    /// A length, `marker` more than the bytes, and the bytes.
    @inline(__always)
    private mutating func append(_ text: String, marker: Int) {
        var text = text
        text.withUTF8 { bytes in
            precondition(bytes.count + Self.overhead / 2 <= buffer.count - count, "no room for a header")
            var rest = bytes.count + marker
            while rest >= 0x80 {
                buffer[count] = UInt8(truncatingIfNeeded: rest) | 0x80
                count += 1
                rest >>= 7
            }
            buffer[count] = UInt8(rest)
            count += 1
            if let address = bytes.baseAddress {
                (buffer.baseAddress! + count).update(from: address, count: bytes.count)
            }
            count += bytes.count
        }
    }
}
