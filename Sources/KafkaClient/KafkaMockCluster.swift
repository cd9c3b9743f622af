internal import CRdKafka
internal import Foundation
import Synchronization
package import TaskTelemetry

/// librdkafka's test brokers inside this process: no JVM, no disk, errors at will. Good for tests and a first look.
///
/// It keeps 5 MB or 100,000 batches a partition, acks transactions without doing them, makes topics on sight, and knows
/// no CreateTopics, DeleteRecords, times or retention: never a store. Ends with its last reference.
package final class KafkaMockCluster: @unchecked Sendable {
    package struct Topic: Sendable {
        package var partitions: Int32
        package var replication: Int16
        package var settings: [String: String]
    }

    private let handle: KafkaHandle
    private let cluster: OpaquePointer
    private let created = Mutex<[String: Topic]>([:])
    package let brokerCount: Int

    package init(brokers: Int = 1, logger: Logger = Logger()) throws {
        handle = try KafkaHandle(.producer, KafkaConfiguration(["client.id": "mock"]), events: 0, logger: logger)
        guard let cluster = rd_kafka_mock_cluster_new(handle.client, Int32(brokers)) else {
            throw KafkaError(.invalidArgument, "no mock cluster of \(brokers) brokers")
        }
        self.cluster = cluster
        brokerCount = brokers
        Self.setRebalanceDelay(cluster, milliseconds: 100)
    }

    deinit { rd_kafka_mock_cluster_destroy(cluster) }

    /// `host:port` of each broker, as `bootstrap.servers` takes it.
    package var bootstrap: String { String(cString: rd_kafka_mock_cluster_bootstraps(cluster)) }

    /// The topics that were made by ``createTopic(_:partitions:replication:settings:)``.
    package var topics: [String: Topic] { created.withLock { $0 } }

    /// Makes a topic; false when it exists. `settings` are only remembered.
    @discardableResult
    package func createTopic(
        _ name: String, partitions: Int32, replication: Int16, settings: [String: String] = [:]
    ) throws -> Bool {
        try created.withLock { created in
            guard created[name] == nil else { return false }
            let code = rd_kafka_mock_topic_create(cluster, name, partitions, Int32(replication))
            try KafkaError.check(code, "create mock topic \(name)")
            created[name] = Topic(partitions: partitions, replication: replication, settings: settings)
            return true
        }
    }

    /// A broker that is down closes its connections and refuses new ones. Brokers are numbered from 1.
    package func setBroker(_ number: Int, isUp: Bool) throws {
        let code =
            isUp
            ? rd_kafka_mock_broker_set_up(cluster, Int32(number))
            : rd_kafka_mock_broker_set_down(cluster, Int32(number))
        try KafkaError.check(code, "set mock broker \(number) \(isUp ? "up" : "down")")
    }

    /// Moves the leadership of a partition, as after the death of a broker.
    package func setLeader(of topic: String, _ partition: Int32, broker: Int) throws {
        try KafkaError.check(
            rd_kafka_mock_partition_set_leader(cluster, topic, partition, Int32(broker)), "set the leader of \(topic)")
    }

    package func setCoordinator(of group: String, broker: Int) throws {
        try KafkaError.check(
            rd_kafka_mock_coordinator_set(cluster, "group", group, Int32(broker)), "set the coordinator of \(group)")
    }

    /// Every answer of this broker takes this long from now on.
    package func setRoundTrip(ofBroker number: Int, milliseconds: Int) throws {
        try KafkaError.check(
            rd_kafka_mock_broker_set_rtt(cluster, Int32(number), Int32(milliseconds)), "set round trip")
    }

    /// The next requests with this key of the Kafka protocol fail so, one after the other; `.none` lets one pass.
    package func failNextRequests(apiKey: Int16, _ errors: [KafkaError.Code]) {
        let codes = errors.map { rd_kafka_resp_err_t(rawValue: $0.number) }
        codes.withUnsafeBufferPointer {
            rd_kafka_mock_push_request_errors_array(cluster, apiKey, $0.count, $0.baseAddress)
        }
    }

    /// Keys of requests, for ``failNextRequests(apiKey:_:)``.
    package enum APIKey {
        package static let produce: Int16 = 0
        package static let fetch: Int16 = 1
        package static let listOffsets: Int16 = 2
        package static let metadata: Int16 = 3
        package static let offsetCommit: Int16 = 8
        package static let offsetFetch: Int16 = 9
        package static let joinGroup: Int16 = 11
        package static let heartbeat: Int16 = 12
        package static let initProducerID: Int16 = 22
    }

    /// Since 2.4 the mock lets a new group wait 3 s for more members. The call is missing before, hence the look-up.
    private static func setRebalanceDelay(_ cluster: OpaquePointer, milliseconds: Int32) {
        typealias Setter = @convention(c) (OpaquePointer, Int32) -> Void
        guard let symbol = dlsym(dlopen(nil, RTLD_NOW), "rd_kafka_mock_group_initial_rebalance_delay_ms") else {
            return
        }
        unsafeBitCast(symbol, to: Setter.self)(cluster, milliseconds)
    }
}
