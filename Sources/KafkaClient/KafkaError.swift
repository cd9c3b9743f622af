internal import CRdKafka

/// An error of librdkafka or of a broker: a code for programs, a message for people.
package struct KafkaError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The number of `rd_kafka_resp_err_t`: negative ones are librdkafka's own, positive ones a broker's.
    package struct Code: Hashable, Sendable, CustomStringConvertible {
        package var number: Int32

        package init(number: Int32) {
            self.number = number
        }

        /// librdkafka's short name, for example `MSG_SIZE_TOO_LARGE`.
        package var description: String {
            String(cString: rd_kafka_err2name(rd_kafka_resp_err_t(rawValue: number)))
        }
    }

    package var code: Code
    package var message: String
    /// Whether the same call may succeed later without anybody changing anything.
    package var isRetriable: Bool
    /// Whether the client that reported it is dead and has to be made anew.
    package var isFatal: Bool

    package init(_ code: Code, _ message: String? = nil, isFatal: Bool = false) {
        self.code = code
        self.message = message ?? String(cString: rd_kafka_err2str(rd_kafka_resp_err_t(rawValue: code.number)))
        self.isRetriable = Code.retriable.contains(code)
        self.isFatal = isFatal
    }

    package var description: String { "\(message) (\(code))" }

    package static func == (left: KafkaError, right: KafkaError) -> Bool { left.code == right.code }

    package func hash(into hasher: inout Hasher) { hasher.combine(code) }
}

extension KafkaError {
    init(_ code: rd_kafka_resp_err_t, _ message: String? = nil) {
        self.init(Code(number: code.rawValue), message)
    }

    /// Takes over an error object of librdkafka and frees it.
    init(consuming error: OpaquePointer) {
        self.init(rd_kafka_error_code(error), String(cString: rd_kafka_error_string(error)))
        isFatal = rd_kafka_error_is_fatal(error) != 0
        isRetriable = isRetriable || rd_kafka_error_is_retriable(error) != 0
        rd_kafka_error_destroy(error)
    }

    /// Throws what a call returned unless it succeeded.
    static func check(_ code: rd_kafka_resp_err_t, _ action: @autoclosure () -> String) throws {
        guard code != RD_KAFKA_RESP_ERR_NO_ERROR else { return }
        throw KafkaError(code, "\(action()): \(String(cString: rd_kafka_err2str(code)))")
    }
}

extension KafkaError.Code {
    init(_ code: rd_kafka_resp_err_t) { number = code.rawValue }

    /// A broker said so, not the library.
    var isBrokers: Bool { number > 0 }

    package static let none = Self(RD_KAFKA_RESP_ERR_NO_ERROR)
    package static let timedOut = Self(RD_KAFKA_RESP_ERR__TIMED_OUT)
    package static let messageTimedOut = Self(RD_KAFKA_RESP_ERR__MSG_TIMED_OUT)
    package static let transport = Self(RD_KAFKA_RESP_ERR__TRANSPORT)
    package static let allBrokersDown = Self(RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
    package static let queueFull = Self(RD_KAFKA_RESP_ERR__QUEUE_FULL)
    package static let fatal = Self(RD_KAFKA_RESP_ERR__FATAL)
    package static let closed = Self(RD_KAFKA_RESP_ERR__DESTROY)
    /// Librdkafka does not know what became of a record; it may be in the log.
    package static let purgedInFlight = Self(RD_KAFKA_RESP_ERR__PURGE_INFLIGHT)
    package static let purgedInQueue = Self(RD_KAFKA_RESP_ERR__PURGE_QUEUE)
    package static let messageTooLarge = Self(RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE)
    package static let recordListTooLarge = Self(RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE)
    package static let unknownTopicOrPartition = Self(RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
    package static let unknownTopic = Self(RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC)
    package static let unknownPartition = Self(RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION)
    package static let offsetOutOfRange = Self(RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE)
    /// What `auto.offset.reset=error` makes of an offset that the log does not hold.
    package static let noOffset = Self(RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET)
    package static let invalidReplicationFactor = Self(RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR)
    package static let topicExists = Self(RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
    package static let invalidArgument = Self(RD_KAFKA_RESP_ERR__INVALID_ARG)
    package static let offsetMetadataTooLarge = Self(RD_KAFKA_RESP_ERR_OFFSET_METADATA_TOO_LARGE)
    package static let maximumPollExceeded = Self(RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED)
    package static let unsupportedVersion = Self(RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION)
    package static let unsupportedFeature = Self(RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE)
    package static let invalidSessionTimeout = Self(RD_KAFKA_RESP_ERR_INVALID_SESSION_TIMEOUT)
    package static let duplicateSequence = Self(RD_KAFKA_RESP_ERR_DUPLICATE_SEQUENCE_NUMBER)
    package static let outOfOrderSequence = Self(RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER)
    package static let coordinatorLoadInProgress = Self(RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS)
    package static let notCoordinator = Self(RD_KAFKA_RESP_ERR_NOT_COORDINATOR)
    package static let unknownMember = Self(RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID)
    package static let storage = Self(RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR)

    /// The group no longer counts the member that asked, or is between two generations.
    package static let fenced: Set<Self> = Set(
        [
            RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION, RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID,
            RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID, RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS,
        ].map { Self($0) })

    package static let notAuthorized: Set<Self> = Set(
        [
            RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED,
            RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED, RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED,
            RD_KAFKA_RESP_ERR__AUTHENTICATION, RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
        ].map { Self($0) })

    static let retriable: Set<Self> = Set(
        [
            RD_KAFKA_RESP_ERR__TIMED_OUT, RD_KAFKA_RESP_ERR__MSG_TIMED_OUT, RD_KAFKA_RESP_ERR__TRANSPORT,
            RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, RD_KAFKA_RESP_ERR__QUEUE_FULL, RD_KAFKA_RESP_ERR__WAIT_COORD,
            RD_KAFKA_RESP_ERR__PURGE_INFLIGHT, RD_KAFKA_RESP_ERR__PURGE_QUEUE, RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE,
            RD_KAFKA_RESP_ERR__RESOLVE, RD_KAFKA_RESP_ERR__WAIT_CACHE, RD_KAFKA_RESP_ERR__RETRY,
            RD_KAFKA_RESP_ERR__OUTDATED,
            RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
            RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT, RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE,
            RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE, RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION,
            RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS, RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE,
            RD_KAFKA_RESP_ERR_NOT_COORDINATOR, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
            RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND, RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR,
            RD_KAFKA_RESP_ERR_FENCED_LEADER_EPOCH, RD_KAFKA_RESP_ERR_UNKNOWN_LEADER_EPOCH,
            RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE, RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT,
            RD_KAFKA_RESP_ERR_NOT_CONTROLLER,
        ].map { Self($0) })
}

/// The C library at run time.
package enum KafkaLibrary {
    /// For example `2.0.2`.
    package static var version: String { String(cString: rd_kafka_version_str()) }
}
