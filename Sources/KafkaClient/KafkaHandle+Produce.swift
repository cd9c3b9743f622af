internal import CRdKafka
internal import RecordFormat

extension KafkaHandle {
    /// Hands a record to librdkafka, which copies it. Nil when it was taken.
    ///
    /// - Parameter opaque: comes back with the delivery report.
    func produce(_ record: KafkaOutgoing, to topic: OpaquePointer, opaque: RecordOpaque) -> KafkaError? {
        let headers = Self.makeHeaders(record.headers)
        let error = withBytes(record.key) { key in
            withBytes(record.value) { value in
                withUnsafeTemporaryAllocation(of: rd_kafka_vu_t.self, capacity: 7) { arguments in
                    arguments.initialize(repeating: rd_kafka_vu_t())
                    arguments[0].vtype = RD_KAFKA_VTYPE_RKT
                    arguments[0].u.rkt = topic
                    arguments[1].vtype = RD_KAFKA_VTYPE_PARTITION
                    arguments[1].u.i32 = record.partition.number
                    arguments[2].set(RD_KAFKA_VTYPE_KEY, key)
                    arguments[3].set(RD_KAFKA_VTYPE_VALUE, value)
                    arguments[4].vtype = RD_KAFKA_VTYPE_MSGFLAGS
                    arguments[4].u.i = RD_KAFKA_MSG_F_COPY
                    arguments[5].vtype = RD_KAFKA_VTYPE_OPAQUE
                    arguments[5].u.ptr = opaque.pointer
                    arguments[6].vtype = RD_KAFKA_VTYPE_HEADERS
                    arguments[6].u.headers = headers
                    return rd_kafka_produceva(client, arguments.baseAddress, headers == nil ? 6 : 7)
                }
            }
        }
        guard let error else { return nil }
        // Headers are librdkafka's only when it took the record.
        if let headers { rd_kafka_headers_destroy(headers) }
        return KafkaError(consuming: error)
    }

    /// The same for many records of one topic that have no headers, for the price of one call.
    ///
    /// - Parameter bare: where they stand in the batch, as their opaques say. Those that librdkafka refuses come back
    ///   with why.
    func produce(
        bare: Range<Int>, of records: [KafkaOutgoing], to topic: OpaquePointer, place: Int
    ) -> [(index: Int, error: KafkaError)] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(
            bare.reduce(0) { $0 + (records[$1].key?.count ?? 0) + (records[$1].value?.count ?? 0) } + 1)
        for index in bare {
            if let key = records[index].key { bytes += key }
            if let value = records[index].value { bytes += value }
        }
        // An empty array has no address of its own, and null would mean absent.
        bytes.append(0)
        var refused: [(index: Int, error: KafkaError)] = []
        bytes.withUnsafeMutableBytes { buffer in
            guard var next = buffer.baseAddress else { return }
            withUnsafeTemporaryAllocation(of: rd_kafka_message_t.self, capacity: bare.count) { messages in
                messages.initialize(repeating: rd_kafka_message_t())
                func take(_ count: Int?) -> (start: UnsafeMutableRawPointer?, count: Int) {
                    guard let count else { return (nil, 0) }
                    defer { next += count }
                    return (next, count)
                }
                for (position, index) in bare.enumerated() {
                    messages[position].partition = records[index].partition.number
                    (messages[position].key, messages[position].key_len) = take(records[index].key?.count)
                    (messages[position].payload, messages[position].len) = take(records[index].value?.count)
                    messages[position]._private = RecordOpaque(place: place, index: index).pointer
                }
                let taken = rd_kafka_produce_batch(
                    topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY | RD_KAFKA_MSG_F_PARTITION,
                    messages.baseAddress, Int32(bare.count))
                guard taken < bare.count else { return }
                for (position, index) in bare.enumerated()
                where messages[position].err != RD_KAFKA_RESP_ERR_NO_ERROR {
                    refused.append((index, KafkaError(messages[position].err)))
                }
            }
        }
        return refused
    }

    private static func makeHeaders(_ headers: RecordHeaders) -> OpaquePointer? {
        // The list grows where they are more, which costs less than to count them.
        guard !headers.isEmpty, let list = rd_kafka_headers_new(16) else { return nil }
        headers.forEachPart { name, value, _ in
            // Both lie in the block, so neither is without an address for being empty.
            _ = rd_kafka_header_add(list, name.baseAddress, name.count, value?.baseAddress, value?.count ?? 0)
        }
        return list
    }
}

extension rd_kafka_vu_t {
    fileprivate mutating func set(_ type: rd_kafka_vtype_t, _ bytes: Bytes) {
        vtype = type
        u.mem.ptr = UnsafeMutableRawPointer(mutating: bytes.start)
        u.mem.size = bytes.count
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
