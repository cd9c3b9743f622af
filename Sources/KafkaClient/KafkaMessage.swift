internal import CRdKafka
internal import Glibc
internal import RecordFormat

/// Reading `rd_kafka_message_t`: the only place that follows its pointers.
extension UnsafePointer<rd_kafka_message_t> {
    /// What a delivery report says.
    var delivery: Result<KafkaDelivery, KafkaError> {
        guard pointee.err == RD_KAFKA_RESP_ERR_NO_ERROR else { return .failure(KafkaError(pointee.err)) }
        return .success(KafkaDelivery(offset: pointee.offset, timestampMilliseconds: timestampMilliseconds))
    }

    var timestampMilliseconds: Int64 {
        var type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE
        return rd_kafka_message_timestamp(self, &type)
    }

    /// The record, copied: its pointers hold the whole fetch buffer in memory for as long as they live.
    func record(topic: String) -> KafkaRecord {
        KafkaRecord(
            partition: KafkaPartition(topic, pointee.partition), offset: pointee.offset,
            timestampMilliseconds: timestampMilliseconds, key: bytes(pointee.key, pointee.key_len),
            value: bytes(pointee.payload, pointee.len), headers: headers)
    }

    private var headers: RecordHeaders {
        var list: OpaquePointer?
        guard rd_kafka_message_headers(self, &list) == RD_KAFKA_RESP_ERR_NO_ERROR, let list else { return [] }
        let count = rd_kafka_header_cnt(list)
        return withUnsafeTemporaryAllocation(of: RecordHeaders.Place.self, capacity: count) { places in
            for index in 0..<count {
                var name: UnsafePointer<CChar>?
                var value: UnsafeRawPointer?
                var length = 0
                _ = rd_kafka_header_get_all(list, index, &name, &value, &length)
                places.initializeElement(
                    at: index,
                    to: (
                        UnsafeRawBufferPointer(start: name, count: name.map { strlen($0) } ?? 0),
                        value.map { UnsafeRawBufferPointer(start: $0, count: length) }
                    ))
            }
            return RecordHeaders(copying: UnsafeBufferPointer(places))
        }
    }

    private func bytes(_ start: UnsafeRawPointer?, _ count: Int) -> [UInt8]? {
        guard let start else { return nil }
        return Array(UnsafeRawBufferPointer(start: start, count: count))
    }
}

/// Names of topics by the C string that comes with each message: most messages are of the topic of the last one.
struct TopicNames {
    private var name = ""
    private var nameAsC: ContiguousArray<CChar> = [0]

    mutating func name(of topic: OpaquePointer?) -> String {
        guard let topic, let text = rd_kafka_topic_name(topic) else { return "" }
        if !nameAsC.withUnsafeBufferPointer({ strcmp($0.baseAddress!, text) == 0 }) {
            name = String(cString: text)
            nameAsC = name.utf8CString
        }
        return name
    }
}
