internal import CRdKafka

/// The generation of a consumer's group: it grows with every rebalance.
enum GroupGeneration {
    /// librdkafka has a call for it only since 2.8, so this reads the bytes that every version writes for its own use:
    /// `CGMDv2:`, then the generation as a 32-bit integer of this machine. Nil when they look otherwise.
    static func read(_ client: OpaquePointer) -> Int64? {
        guard let metadata = rd_kafka_consumer_group_metadata(client) else { return nil }
        defer { rd_kafka_consumer_group_metadata_destroy(metadata) }
        var buffer: UnsafeMutableRawPointer?
        var count = 0
        if let error = rd_kafka_consumer_group_metadata_write(metadata, &buffer, &count) {
            rd_kafka_error_destroy(error)
            return nil
        }
        guard let buffer else { return nil }
        defer { rd_kafka_mem_free(client, buffer) }
        return parse(UnsafeRawBufferPointer(start: buffer, count: count))
    }

    static func parse(_ bytes: UnsafeRawBufferPointer) -> Int64? {
        let magic = Array("CGMDv2:".utf8)
        guard bytes.count >= magic.count + 4, bytes.prefix(magic.count).elementsEqual(magic) else { return nil }
        let generation = Int64(bytes.loadUnaligned(fromByteOffset: magic.count, as: Int32.self))
        return generation >= 0 ? generation : nil
    }
}
