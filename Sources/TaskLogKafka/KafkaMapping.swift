internal import KafkaClient
internal import TaskLog
internal import TaskModel

extension TopicPartition {
    init(_ partition: KafkaPartition) { self.init(partition.topic, partition.number) }

    var kafka: KafkaPartition { KafkaPartition(topic, partition) }
}

extension LogRecord {
    init(_ record: KafkaRecord) {
        self.init(
            topic: record.partition.topic, partition: record.partition.number, offset: record.offset,
            timestamp: Timestamp(milliseconds: record.timestampMilliseconds), key: record.key, value: record.value,
            headers: record.headers)
    }

    /// About what it takes; the lengths within the headers count too.
    var byteCount: Int { (key?.count ?? 0) + (value?.count ?? 0) + headers.block.count }
}

extension KafkaOutgoing {
    init(_ append: LogAppend) {
        self.init(
            partition: KafkaPartition(append.topic, append.partition), key: append.key, value: append.value,
            headers: append.headers)
    }
}

extension AppendReceipt {
    init(_ delivery: KafkaDelivery) {
        self.init(offset: delivery.offset, timestamp: Timestamp(milliseconds: delivery.timestampMilliseconds))
    }
}

extension LogError {
    /// - Parameter action: what was tried, for people.
    init(_ error: KafkaError, _ action: String) {
        self.init(Self.code(of: error), "\(action): \(error)", isRetriable: error.isRetriable)
    }

    /// Any error of a call into ``KafkaClient``.
    static func wrap(_ error: any Error, _ action: String) -> any Error {
        switch error {
        case let error as KafkaError: LogError(error, action)
        default: error
        }
    }

    static let closed = LogError(.closed, "the connection to Kafka is closed")

    private static func code(of error: KafkaError) -> Code {
        if KafkaError.Code.fenced.contains(error.code) { return .fenced }
        if KafkaError.Code.notAuthorized.contains(error.code) { return .notAuthorized }
        switch error.code {
        case .messageTooLarge, .recordListTooLarge: return .recordTooLarge
        case .unknownTopicOrPartition, .unknownTopic: return .unknownTopic
        case .unknownPartition: return .unknownPartition
        case .offsetOutOfRange, .noOffset: return .offsetOutOfRange
        case .closed: return .closed
        case .unsupportedVersion, .unsupportedFeature: return .unsupported
        default: return error.isRetriable ? .unavailable : .other
        }
    }
}
