internal import CRdKafka

/// The one owner of a `rd_kafka_topic_partition_list_t`.
struct PartitionList: ~Copyable {
    let pointer: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>

    init(capacity: Int) {
        pointer = rd_kafka_topic_partition_list_new(Int32(capacity))
    }

    init(_ partitions: some Collection<KafkaPartition>) {
        self.init(capacity: partitions.count)
        for partition in partitions { rd_kafka_topic_partition_list_add(pointer, partition.topic, partition.number) }
    }

    init(offsets: [KafkaPartition: Int64]) {
        self.init(capacity: offsets.count)
        for (partition, offset) in offsets {
            rd_kafka_topic_partition_list_add(pointer, partition.topic, partition.number).pointee.offset = offset
        }
    }

    init(commits: [KafkaPartition: KafkaCommit]) {
        self.init(capacity: commits.count)
        for (partition, commit) in commits {
            guard let entry = rd_kafka_topic_partition_list_add(pointer, partition.topic, partition.number) else {
                continue
            }
            entry.pointee.offset = commit.offset
            entry.pointee.copyMetadata(commit.metadata)
        }
    }

    deinit { rd_kafka_topic_partition_list_destroy(pointer) }

    var entries: [PartitionEntry] { pointer.entries }
}

/// What a list says of a partition, copied.
struct PartitionEntry {
    var partition: KafkaPartition
    var offset: Int64
    var metadata: String
    var error: KafkaError?
}

extension UnsafePointer<rd_kafka_topic_partition_list_t> {
    var entries: [PartitionEntry] {
        UnsafeBufferPointer(start: pointee.elems, count: Int(pointee.cnt)).map { $0.entry }
    }
}

extension UnsafeMutablePointer<rd_kafka_topic_partition_list_t> {
    var entries: [PartitionEntry] { UnsafePointer(self).entries }
}

extension rd_kafka_topic_partition_t {
    fileprivate var entry: PartitionEntry {
        PartitionEntry(
            partition: KafkaPartition(String(cString: topic), partition), offset: offset,
            metadata: String(decoding: UnsafeRawBufferPointer(start: metadata, count: metadata_size), as: UTF8.self),
            error: err == RD_KAFKA_RESP_ERR_NO_ERROR ? nil : KafkaError(err))
    }

    /// librdkafka frees it with the list, by its own allocator.
    fileprivate mutating func copyMetadata(_ text: String) {
        var text = text
        text.withUTF8 { bytes in
            guard let start = bytes.baseAddress, bytes.count > 0 else { return }
            metadata = rd_kafka_mem_malloc(nil, bytes.count)
            metadata.copyMemory(from: start, byteCount: bytes.count)
            metadata_size = bytes.count
        }
    }
}
