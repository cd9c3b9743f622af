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

    /// Bytes that lie elsewhere.
    @inline(__always)
    mutating func append(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer?) {
        append(name, marker: 0)
        append(value ?? UnsafeRawBufferPointer(start: nil, count: 0), marker: value == nil ? 0 : 1)
    }

    @inline(__always)
    private mutating func append(_ text: String, marker: Int) {
        var text = text
        text.withUTF8 { append(UnsafeRawBufferPointer($0), marker: marker) }
    }

    /// A length, `marker` more than the bytes, and the bytes.
    @inline(__always)
    private mutating func append(_ bytes: UnsafeRawBufferPointer, marker: Int) {
        let length = bytes.count + marker
        precondition(RecordHeaders.size(ofLength: length) + bytes.count <= buffer.count - count, "no room for a header")
        RecordHeaders.forEachByte(ofLength: length) { byte in
            buffer[count] = byte
            count += 1
        }
        if let address = bytes.baseAddress {
            UnsafeMutableRawPointer(buffer.baseAddress! + count).copyMemory(from: address, byteCount: bytes.count)
        }
        count += bytes.count
    }
}
