/// What a consumer tells its owner, in order, on the consumer's own thread.
package enum ConsumerEvent: Sendable {
    /// The group gave these partitions. Nothing is fetched until ``KafkaConsumer/fetch(_:serial:)``. `generation` is the
    /// group's, or nil if librdkafka would not say.
    case assigned([KafkaPartition], generation: Int64?)
    /// The group takes these partitions, all that the consumer has, and waits for ``KafkaConsumer/letGo()``.
    case revoking([KafkaPartition])
    /// The partitions are gone already: the session ended, or the broker forgot the member.
    case lost([KafkaPartition])
    /// Records of one partition, in order, never empty. `serial` is that of the `fetch` call that they come from.
    case records([KafkaRecord], serial: UInt64)
    /// All of a partition was read; `offset` is where the next record will be. Only if asked for.
    case endReached(KafkaPartition, offset: Int64, serial: UInt64)
    /// This partition is not fetched any more until the next `fetch` call.
    case partitionFailed(KafkaPartition, KafkaError, serial: UInt64)
    /// Something that librdkafka goes on from by itself.
    case trouble(KafkaError)
    /// The consumer cannot go on.
    case failed(KafkaError)
    /// Nothing happened for this long; the serial is that of the last `fetch` call that was obeyed.
    case idle(milliseconds: Int, serial: UInt64)
    /// The last event: the consumer has left its group (or gave up on it) and its thread ends.
    case closed
}
