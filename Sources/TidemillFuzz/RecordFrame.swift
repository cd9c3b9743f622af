import TaskModel

/// A record as one run of bytes, and any run of bytes as a record: what a mutation cuts off is missing, never refused.
///
/// Flags (1: a key, 2: a value), the number of headers, the key (length in one byte); per header a name (one byte) and a
/// value (two bytes, 65535 for none); the rest is the record's value.
struct RecordFrame {
    var body: RecordBody

    init(_ body: RecordBody) { self.body = body }

    private static let absent = 65_535

    var bytes: [UInt8] {
        var bytes: [UInt8] = [(body.key == nil ? 0 : 1) | (body.value == nil ? 0 : 2)]
        let headers = Array(body.headers).prefix(255)
        bytes.append(UInt8(headers.count))
        let key = (body.key ?? []).prefix(255)
        bytes += [UInt8(key.count)] + key
        for header in headers {
            let name = header.name.utf8.prefix(255)
            bytes += [UInt8(name.count)] + name
            let value = header.value?.prefix(Self.absent - 1)
            let length = value?.count ?? Self.absent
            bytes += [UInt8(length >> 8), UInt8(length & 255)] + (value ?? [])
        }
        return bytes + (body.value ?? [])
    }

    init(_ bytes: [UInt8]) {
        var rest = bytes[...]
        func number() -> Int { Int(rest.popFirst() ?? 0) }
        func take(_ count: Int) -> [UInt8] {
            defer { rest = rest.dropFirst(count) }
            return Array(rest.prefix(count))
        }
        let flags = number()
        let count = number()
        let key = take(number())
        var headers: [RecordHeader] = []
        for _ in 0..<count where !rest.isEmpty {
            let name = String(decoding: take(number()), as: UTF8.self)
            let length = number() << 8 | number()
            headers.append(RecordHeader(name, length == Self.absent ? nil : take(length)))
        }
        body = RecordBody(
            key: flags & 1 == 0 ? nil : key, value: flags & 2 == 0 ? nil : Array(rest), headers: .init(headers))
    }
}
