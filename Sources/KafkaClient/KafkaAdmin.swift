internal import CRdKafka
import Synchronization
package import TaskTelemetry

/// Questions and requests to a cluster that are not about records. Every call blocks, at most for its timeout.
package final class KafkaAdmin: Sendable {
    let handle: KafkaHandle
    let timeoutMilliseconds: Int32
    private let configuration: KafkaConfiguration
    private let logger: Logger
    /// By name; as many as an installation has groups.
    private let groups = Mutex<[String: Coordination]>([:])

    /// A client that only knows who coordinates a group.
    private struct Coordination {
        let handle: KafkaHandle
        /// Why nobody says who does. librdkafka tells it once, and goes on asking.
        var refusal: KafkaError?
    }

    package init(_ configuration: KafkaConfiguration, timeoutMilliseconds: Int, logger: Logger) throws {
        self.timeoutMilliseconds = Int32(timeoutMilliseconds)
        self.logger = logger
        self.configuration = configuration.withDefaults([
            "socket.nagle.disable": "true",
            "reconnect.backoff.ms": "50",
            "reconnect.backoff.max.ms": "2000",
            "retry.backoff.ms": "50",
        ]).requiring([
            "allow.auto.create.topics": "false",
            "enable.auto.commit": "false",
            "socket.timeout.ms": String(timeoutMilliseconds),
        ])
        handle = try Self.makeHandle(self.configuration, group: "tidemill-admin", logger)
    }

    /// A consumer that joins nothing: unlike a producer's, its requests for metadata never create a topic.
    private static func makeHandle(
        _ configuration: KafkaConfiguration, group: String, _ logger: Logger
    ) throws -> KafkaHandle {
        try KafkaHandle(.consumer, configuration.requiring(["group.id": group]), events: 0, logger: logger)
    }

    /// Begins to look for the coordinator of a group, so that the first question need not.
    package func prepare(group: String) throws { _ = try coordination(of: group) }

    private func coordination(of group: String) throws -> KafkaHandle {
        try groups.withLock { groups in
            if let known = groups[group] { return known.handle }
            let handle = try Self.makeHandle(configuration, group: group, logger)
            groups[group] = Coordination(handle: handle)
            return handle
        }
    }

    /// Lets go of all groups. No call may follow.
    package func close() { groups.withLock { $0 = [:] } }

    /// Frees the errors that librdkafka queued for a reader that these clients do not have.
    private func drain() {
        _ = lastRefusal(of: handle)
        groups.withLock { groups in
            for name in groups.keys {
                guard let handle = groups[name]?.handle, let refusal = lastRefusal(of: handle) else { continue }
                groups[name]?.refusal = refusal
            }
        }
    }

    /// The last of the queued errors that does not pass by itself.
    private func lastRefusal(of handle: KafkaHandle) -> KafkaError? {
        var last: KafkaError?
        while let event = rd_kafka_queue_poll(handle.queue, 0) {
            let error = KafkaError(rd_kafka_event_error(event))
            if error.code.isBrokers, !error.isRetriable { last = error }
            rd_kafka_event_destroy(event)
        }
        return last
    }

    // MARK: Metadata

    package struct Topic: Sendable {
        package var partitions: Int32
        package var replication: Int16
        /// Whether every partition has a leader now.
        package var isReady: Bool
    }

    package struct Cluster: Sendable {
        /// Ids of those that are up.
        package var brokers: [Int32]
        package var topics: [String: Topic]
    }

    /// All brokers and topics, asked now.
    package func cluster() throws -> Cluster {
        drain()
        var metadata: UnsafePointer<rd_kafka_metadata_t>?
        let code = rd_kafka_metadata(handle.client, 1, nil, &metadata, timeoutMilliseconds)
        try KafkaError.check(code, "ask the cluster for its topics")
        guard let metadata else { throw KafkaError(.timedOut) }
        defer { rd_kafka_metadata_destroy(metadata) }
        let brokers = UnsafeBufferPointer(start: metadata.pointee.brokers, count: Int(metadata.pointee.broker_cnt))
        var cluster = Cluster(brokers: brokers.map(\.id), topics: [:])
        for topic in UnsafeBufferPointer(start: metadata.pointee.topics, count: Int(metadata.pointee.topic_cnt))
        where topic.err == RD_KAFKA_RESP_ERR_NO_ERROR || topic.err == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE {
            let partitions = UnsafeBufferPointer(start: topic.partitions, count: Int(topic.partition_cnt))
            cluster.topics[String(cString: topic.topic)] = Topic(
                partitions: topic.partition_cnt, replication: Int16(partitions.map(\.replica_cnt).max() ?? 0),
                isReady: !partitions.isEmpty && partitions.allSatisfy { $0.leader >= 0 })
        }
        return cluster
    }

    // MARK: Offsets

    package enum OffsetQuery: Sendable {
        case start, end
        /// The first offset at or after this time; -1 when there is none.
        case time(milliseconds: Int64)

        fileprivate var number: Int64 {
            switch self {
            case .start: Int64(RD_KAFKA_OFFSET_BEGINNING)
            case .end: Int64(RD_KAFKA_OFFSET_END)
            case .time(let milliseconds): max(0, milliseconds)
            }
        }
    }

    /// Asks the leaders (ListOffsets), not a cache. Each partition has an answer or an error.
    ///
    /// librdkafka keeps who leads a partition, and after a leader change goes on asking the old leader for minutes (seen in
    /// 2.8.0), since this client follows no topic. So the cluster is asked anew after such an answer, and the next call
    /// goes to the new leader.
    package func offsets(
        _ query: OffsetQuery, of partitions: [KafkaPartition]
    ) throws -> [KafkaPartition: Result<Int64, KafkaError>] {
        guard !partitions.isEmpty else { return [:] }
        let list = PartitionList(offsets: partitions.reduce(into: [:]) { $0[$1] = query.number })
        let code = rd_kafka_offsets_for_times(handle.client, list.pointer, timeoutMilliseconds)
        let entries = list.entries
        lookAgain(after: [KafkaError(code)] + entries.compactMap(\.error))
        if code != RD_KAFKA_RESP_ERR_NO_ERROR && entries.allSatisfy({ $0.error == nil }) { throw KafkaError(code) }
        return entries.reduce(into: [:]) { answers, entry in
            // librdkafka leaves out whom it did not ask: then the offset is still the question.
            answers[entry.partition] =
                if let error = entry.error {
                    .failure(error)
                } else if code != RD_KAFKA_RESP_ERR_NO_ERROR {
                    .failure(KafkaError(code))
                } else {
                    .success(entry.offset)
                }
        }
    }

    /// What a group has committed; a partition without a commit is left out, one that did not answer is an error.
    ///
    /// Not by the admin protocol (ListConsumerGroupOffsets): there librdkafka keeps asking a broker that coordinates the group
    /// no longer, and aborts the process when the answer comes after the timeout (its issue 4605; both seen in 2.8.0).
    package func committed(
        group: String, partitions: [KafkaPartition]
    ) throws -> [KafkaPartition: Result<KafkaCommit, KafkaError>] {
        guard !partitions.isEmpty else { return [:] }
        let handle = try coordination(of: group)
        let list = PartitionList(partitions)
        let code = rd_kafka_committed(handle.client, list.pointer, timeoutMilliseconds)
        drain()
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else {
            throw groups.withLock { $0[group]?.refusal } ?? KafkaError(code)
        }
        groups.withLock { $0[group]?.refusal = nil }
        return list.entries.reduce(into: [:]) { answers, entry in
            if let error = entry.error {
                answers[entry.partition] = .failure(error)
            } else if entry.offset >= 0 {
                answers[entry.partition] = .success(KafkaCommit(offset: entry.offset, metadata: entry.metadata))
            }
        }
    }

    /// Brokers that refuse for now may lead no longer what they are asked about.
    func lookAgain(after errors: [KafkaError]) {
        if errors.contains(where: { $0.isRetriable && $0.code.isBrokers }) { _ = try? cluster() }
    }

    // MARK: Requests of the admin protocol

    /// Sends a request whose answer comes as one event, and reads that.
    func request<Value>(
        _ operation: rd_kafka_admin_op_t, _ send: (OpaquePointer, OpaquePointer) -> Void,
        _ read: (OpaquePointer) throws -> Value
    ) throws -> Value {
        drain()
        let client = handle.client
        guard let queue = rd_kafka_queue_new(client), let options = rd_kafka_AdminOptions_new(client, operation) else {
            throw KafkaError(.invalidArgument, "no memory")
        }
        defer {
            rd_kafka_AdminOptions_destroy(options)
            rd_kafka_queue_destroy(queue)
        }
        var reason = [CChar](repeating: 0, count: 256)
        rd_kafka_AdminOptions_set_request_timeout(options, timeoutMilliseconds, &reason, reason.count)
        send(options, queue)
        guard let event = rd_kafka_queue_poll(queue, timeoutMilliseconds + 2000) else { throw KafkaError(.timedOut) }
        defer { rd_kafka_event_destroy(event) }
        let code = rd_kafka_event_error(event)
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else {
            throw KafkaError(code, rd_kafka_event_error_string(event).map { String(cString: $0) })
        }
        return try read(event)
    }
}
