internal import TaskModel

/// Headers as one blob: for each its name and its value, both preceded by their length as a base-128 number; the
/// length of a value is one more than its bytes, so that 0 is an absent value.
enum HeaderCodec {
    /// Nil when there are none.
    static func encode(_ headers: [RecordHeader]) -> [UInt8]? {
        guard !headers.isEmpty else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(headers.reduce(0) { $0 + $1.name.utf8.count + ($1.value?.count ?? 0) + 6 })
        for header in headers {
            append(header.name.utf8.count, to: &bytes)
            bytes.append(contentsOf: header.name.utf8)
            append(header.value.map { $0.count + 1 } ?? 0, to: &bytes)
            if let value = header.value { bytes.append(contentsOf: value) }
        }
        return bytes
    }

    /// Nil for bytes that are not what `encode` makes.
    static func decode(_ bytes: UnsafeRawBufferPointer) -> [RecordHeader]? {
        var headers: [RecordHeader] = []
        headers.reserveCapacity(12)
        var position = 0
        while position < bytes.count {
            guard let nameCount = number(bytes, &position), nameCount <= bytes.count - position else { return nil }
            let name = String(decoding: bytes[position..<position + nameCount], as: UTF8.self)
            position += nameCount
            guard let marker = number(bytes, &position) else { return nil }
            guard marker > 0 else {
                headers.append(RecordHeader(name, nil))
                continue
            }
            guard marker - 1 <= bytes.count - position else { return nil }
            headers.append(RecordHeader(name, Array(bytes[position..<position + marker - 1])))
            position += marker - 1
        }
        return headers
    }

    private static func append(_ number: Int, to bytes: inout [UInt8]) {
        var rest = number
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    private static func number(_ bytes: UnsafeRawBufferPointer, _ position: inout Int) -> Int? {
        var number = 0
        var shift = 0
        while position < bytes.count, shift < 35 {
            let byte = bytes[position]
            position += 1
            number |= Int(byte & 0x7F) << shift
            if byte < 0x80 { return number }
            shift += 7
        }
        return nil
    }
}
