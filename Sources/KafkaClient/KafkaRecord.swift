package import RecordFormat

/// One partition of one topic.
package struct KafkaPartition: Hashable, Sendable, Comparable, CustomStringConvertible {
    package var topic: String
    package var number: Int32

    package init(_ topic: String, _ number: Int32) {
        self.topic = topic
        self.number = number
    }

    package static func < (left: KafkaPartition, right: KafkaPartition) -> Bool {
        (left.topic, left.number) < (right.topic, right.number)
    }

    package var description: String { "\(topic)[\(number)]" }
}

/// A record to produce. The caller chooses the partition.
package struct KafkaOutgoing: Sendable {
    package var partition: KafkaPartition
    package var key: [UInt8]?
    package var value: [UInt8]?
    package var headers: RecordHeaders

    package init(partition: KafkaPartition, key: [UInt8]?, value: [UInt8]?, headers: RecordHeaders = []) {
        self.partition = partition
        self.key = key
        self.value = value
        self.headers = headers
    }
}

/// Where a record landed. The time is the broker's on a topic with `message.timestamp.type=LogAppendTime`, else the
/// client's.
package struct KafkaDelivery: Hashable, Sendable {
    package var offset: Int64
    package var timestampMilliseconds: Int64
}

/// A record as it was read: copied out of librdkafka's fetch buffer, which it does not pin.
package struct KafkaRecord: Sendable {
    package var partition: KafkaPartition
    package var offset: Int64
    package var timestampMilliseconds: Int64
    package var key: [UInt8]?
    package var value: [UInt8]?
    package var headers: RecordHeaders

    /// About what it takes; the lengths within the headers count too.
    package var byteCount: Int { (key?.count ?? 0) + (value?.count ?? 0) + headers.block.count }
}

/// A group's position in a partition, with text of the group's own.
package struct KafkaCommit: Hashable, Sendable {
    package var offset: Int64
    package var metadata: String

    package init(offset: Int64, metadata: String) {
        self.offset = offset
        self.metadata = metadata
    }
}
