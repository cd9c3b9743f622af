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

/// A header of a record; Kafka tells an absent value from an empty one.
package struct KafkaHeader: Hashable, Sendable {
    package var name: String
    package var value: [UInt8]?

    package init(_ name: String, _ value: [UInt8]?) {
        self.name = name
        self.value = value
    }
}

/// A record to produce. The caller chooses the partition.
package struct KafkaOutgoing: Sendable {
    package var partition: KafkaPartition
    package var key: [UInt8]?
    package var value: [UInt8]?
    package var headers: [KafkaHeader]

    package init(partition: KafkaPartition, key: [UInt8]?, value: [UInt8]?, headers: [KafkaHeader] = []) {
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
    package var headers: [KafkaHeader]

    package var byteCount: Int {
        headers.reduce((key?.count ?? 0) + (value?.count ?? 0)) { $0 + $1.name.utf8.count + ($1.value?.count ?? 0) }
    }
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
