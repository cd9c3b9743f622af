package import TaskModel

/// One partition of one topic.
package struct TopicPartition: Hashable, Sendable, Comparable, CustomStringConvertible {
    package var topic: String
    package var partition: Int32

    package init(_ topic: String, _ partition: Int32) {
        self.topic = topic
        self.partition = partition
    }

    package static func < (left: TopicPartition, right: TopicPartition) -> Bool {
        (left.topic, left.partition) < (right.topic, right.partition)
    }

    package var description: String { "\(topic)[\(partition)]" }
}

/// A record as the log holds it.
package struct LogRecord: Hashable, Sendable {
    package var topic: String
    package var partition: Int32
    package var offset: Int64
    /// The broker's time of the append, never a client's.
    package var timestamp: Timestamp
    package var key: [UInt8]?
    /// Nil is a tombstone: in a compacted topic it deletes the key.
    package var value: [UInt8]?
    package var headers: RecordHeaders

    package init(
        topic: String, partition: Int32, offset: Int64, timestamp: Timestamp, key: [UInt8]?, value: [UInt8]?,
        headers: RecordHeaders = []
    ) {
        self.topic = topic
        self.partition = partition
        self.offset = offset
        self.timestamp = timestamp
        self.key = key
        self.value = value
        self.headers = headers
    }

    package var topicPartition: TopicPartition { TopicPartition(topic, partition) }
}

/// A record to append. The caller chooses the partition: the log never guesses one.
package struct LogAppend: Hashable, Sendable {
    package var topic: String
    package var partition: Int32
    package var key: [UInt8]?
    package var value: [UInt8]?
    package var headers: RecordHeaders

    package init(
        topic: String, partition: Int32, key: [UInt8]?, value: [UInt8]?, headers: RecordHeaders = []
    ) {
        self.topic = topic
        self.partition = partition
        self.key = key
        self.value = value
        self.headers = headers
    }

    package init(_ body: RecordBody, to place: TopicPartition) {
        self.init(
            topic: place.topic, partition: place.partition, key: body.key, value: body.value, headers: body.headers)
    }

    /// Bytes that count against a topic's record limit: key, value, and headers with their names.
    package var byteCount: Int {
        (key?.count ?? 0) + (value?.count ?? 0) + headers.byteCount
    }

    /// Bytes that it holds in memory: a little more than ``byteCount``, and known without looking into the headers.
    package var footprint: Int { (key?.count ?? 0) + (value?.count ?? 0) + headers.block.count }
}

/// Where a durable record landed, and the broker's time of it.
package struct AppendReceipt: Hashable, Sendable {
    package var offset: Int64
    package var timestamp: Timestamp

    package init(offset: Int64, timestamp: Timestamp) {
        self.offset = offset
        self.timestamp = timestamp
    }
}

/// The offsets that can be read: `start` is the first kept record, `end` is one past the last.
package struct OffsetBounds: Hashable, Sendable {
    package var start: Int64
    package var end: Int64

    package init(start: Int64, end: Int64) {
        self.start = start
        self.end = end
    }
}

/// What a group has committed for a partition.
package struct CommittedOffset: Hashable, Sendable {
    /// The next offset to read.
    package var offset: Int64
    /// At most 4096 bytes (Kafka's `offset.metadata.max.bytes`).
    package var metadata: String

    package init(offset: Int64, metadata: String = "") {
        self.offset = offset
        self.metadata = metadata
    }

    package static let maximumMetadataBytes = 4096
}
