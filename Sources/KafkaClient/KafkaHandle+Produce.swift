internal import CRdKafka

extension KafkaHandle {
    /// Hands a record to librdkafka, which copies it. Nil when it was taken.
    ///
    /// - Parameter opaque: comes back with the delivery report.
    func produce(_ record: KafkaOutgoing, opaque: Int) -> KafkaError? {
        let headers = Self.makeHeaders(record.headers)
        let error = record.partition.topic.withCString { topic in
            withBytes(record.key) { key in
                withBytes(record.value) { value in
                    var arguments = Arguments()
                    arguments.topic(topic)
                    arguments.partition(record.partition.number)
                    arguments.key(key)
                    arguments.value(value)
                    arguments.copyPayload()
                    // Plus one: a null opaque could not be told from none.
                    arguments.opaque(UnsafeMutableRawPointer(bitPattern: opaque + 1))
                    if let headers { arguments.headers(headers) }
                    return rd_kafka_produceva(client, arguments.list, arguments.list.count)
                }
            }
        }
        guard let error else { return nil }
        // Headers are librdkafka's only when it took the record.
        if let headers { rd_kafka_headers_destroy(headers) }
        return KafkaError(consuming: error)
    }

    private static func makeHeaders(_ headers: [KafkaHeader]) -> OpaquePointer? {
        guard !headers.isEmpty, let list = rd_kafka_headers_new(headers.count) else { return nil }
        for header in headers {
            withBytes(header.value) { value in
                _ = rd_kafka_header_add(list, header.name, -1, value.start, value.count)
            }
        }
        return list
    }

    /// The argument list of `rd_kafka_produceva`.
    private struct Arguments {
        var list: [rd_kafka_vu_t] = []

        init() { list.reserveCapacity(7) }

        private mutating func add(_ type: rd_kafka_vtype_t, _ fill: (inout rd_kafka_vu_t) -> Void) {
            var argument = rd_kafka_vu_t()
            argument.vtype = type
            fill(&argument)
            list.append(argument)
        }

        mutating func topic(_ name: UnsafePointer<CChar>) { add(RD_KAFKA_VTYPE_TOPIC) { $0.u.cstr = name } }
        mutating func partition(_ number: Int32) { add(RD_KAFKA_VTYPE_PARTITION) { $0.u.i32 = number } }
        mutating func key(_ bytes: Bytes) {
            add(RD_KAFKA_VTYPE_KEY) {
                $0.u.mem.ptr = UnsafeMutableRawPointer(mutating: bytes.start)
                $0.u.mem.size = bytes.count
            }
        }
        mutating func value(_ bytes: Bytes) {
            add(RD_KAFKA_VTYPE_VALUE) {
                $0.u.mem.ptr = UnsafeMutableRawPointer(mutating: bytes.start)
                $0.u.mem.size = bytes.count
            }
        }
        mutating func copyPayload() { add(RD_KAFKA_VTYPE_MSGFLAGS) { $0.u.i = RD_KAFKA_MSG_F_COPY } }
        mutating func opaque(_ pointer: UnsafeMutableRawPointer?) { add(RD_KAFKA_VTYPE_OPAQUE) { $0.u.ptr = pointer } }
        mutating func headers(_ headers: OpaquePointer) { add(RD_KAFKA_VTYPE_HEADERS) { $0.u.headers = headers } }
    }
}

/// Bytes as C takes them: null means absent, which is not the same as empty.
struct Bytes {
    var start: UnsafeRawPointer?
    var count: Int
}

private func withBytes<Value>(_ bytes: [UInt8]?, _ body: (Bytes) -> Value) -> Value {
    guard let bytes else { return body(Bytes(start: nil, count: 0)) }
    guard !bytes.isEmpty else {
        // An empty array has no address of its own, and null would mean absent.
        var nothing: UInt8 = 0
        return withUnsafeBytes(of: &nothing) { body(Bytes(start: $0.baseAddress, count: 0)) }
    }
    return bytes.withUnsafeBytes { body(Bytes(start: $0.baseAddress, count: $0.count)) }
}
