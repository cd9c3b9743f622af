internal import CRdKafka
internal import Dispatch
import Synchronization
internal import TaskTelemetry

/// The one owner of a `rd_kafka_t`, of its main and consumer queues, and of the log bridge that it calls.
///
/// librdkafka's calls on a client are thread-safe, so the handle may be shared. The client ends with the last reference,
/// on a thread of its own, since that blocks until librdkafka's threads have ended.
final class KafkaHandle: @unchecked Sendable {
    enum Kind { case producer, consumer }

    let client: OpaquePointer
    /// Where events arrive: the consumer's queue, or a producer's main queue.
    let queue: OpaquePointer
    private let bridge: KafkaLogBridge
    /// References that keep librdkafka's knowledge of topics alive.
    private let topics = Mutex<[String: UInt]>([:])

    /// - Parameter events: a mask of `RD_KAFKA_EVENT_…`, what arrives as events in `queue` and not by callbacks.
    init(_ kind: Kind, _ configuration: KafkaConfiguration, events: Int32, logger: Logger) throws {
        bridge = KafkaLogBridge(logger: logger)
        let conf = try Self.makeConf(configuration)
        rd_kafka_conf_set_events(conf, events)
        rd_kafka_conf_set_opaque(conf, Unmanaged.passUnretained(bridge).toOpaque())
        rd_kafka_conf_set_log_cb(conf) { client, level, facility, text in
            guard let client, let opaque = rd_kafka_opaque(client), let facility, let text else { return }
            let bridge = Unmanaged<KafkaLogBridge>.fromOpaque(opaque).takeUnretainedValue()
            bridge.write(
                syslogLevel: level, facility: String(cString: facility), text: String(cString: text),
                uptimeSeconds: Int64(DispatchTime.now().uptimeNanoseconds / 1_000_000_000))
        }
        var reason = [CChar](repeating: 0, count: 512)
        let type = kind == .producer ? RD_KAFKA_PRODUCER : RD_KAFKA_CONSUMER
        guard let client = rd_kafka_new(type, conf, &reason, reason.count) else {
            rd_kafka_conf_destroy(conf)
            throw KafkaError(.invalidArgument, "no Kafka client: \(text(of: reason)) (\(configuration))")
        }
        self.client = client
        switch kind {
        case .producer:
            queue = rd_kafka_queue_get_main(client)
        case .consumer:
            // Errors and the like come by the same queue as records, so that one poll serves all.
            rd_kafka_poll_set_consumer(client)
            queue = rd_kafka_queue_get_consumer(client)
        }
    }

    private static func makeConf(_ configuration: KafkaConfiguration) throws -> OpaquePointer {
        guard let conf = rd_kafka_conf_new() else { throw KafkaError(.invalidArgument, "no memory") }
        var reason = [CChar](repeating: 0, count: 512)
        for (name, value) in configuration.properties.sorted(by: { $0.key < $1.key }) {
            guard rd_kafka_conf_set(conf, name, value, &reason, reason.count) != RD_KAFKA_CONF_OK else { continue }
            rd_kafka_conf_destroy(conf)
            // librdkafka's own words may quote the value.
            let why = KafkaConfiguration.isSecret(name) ? "value refused" : text(of: reason)
            throw KafkaError(.invalidArgument, "Kafka property \(name): \(why)")
        }
        return conf
    }

    /// Makes a poll of `queue` return at once; if none is waiting, the next one.
    func wake() { rd_kafka_queue_yield(queue) }

    /// librdkafka's object for a topic that was introduced; it lives as long as the client.
    func reference(to topic: String) -> OpaquePointer? {
        topics.withLock { $0[topic].flatMap(OpaquePointer.init(bitPattern:)) }
    }

    /// Asks about a topic now, and blocks until the answer is there, at most two seconds. Without this the first record of
    /// a topic waits for librdkafka's next round of questions, which comes once a second. A failure shows at the produce.
    func introduce(_ topic: String) {
        guard reference(to: topic) == nil, let reference = rd_kafka_topic_new(client, topic, nil) else { return }
        var metadata: UnsafePointer<rd_kafka_metadata_t>?
        if rd_kafka_metadata(client, 0, reference, &metadata, 2000) == RD_KAFKA_RESP_ERR_NO_ERROR, let metadata {
            rd_kafka_metadata_destroy(metadata)
        }
        let known = topics.withLock { $0.updateValue(UInt(bitPattern: reference), forKey: topic) }
        if let known { rd_kafka_topic_destroy(OpaquePointer(bitPattern: known)) }
    }

    /// The error that killed this client, if one did.
    var fatalError: KafkaError? {
        // Asked before every send: the text costs more than the question.
        guard rd_kafka_fatal_error(client, nil, 0) != RD_KAFKA_RESP_ERR_NO_ERROR else { return nil }
        var reason = [CChar](repeating: 0, count: 512)
        let code = rd_kafka_fatal_error(client, &reason, reason.count)
        return KafkaError(.init(code), text(of: reason), isFatal: true)
    }

    deinit {
        bridge.noteEnd()
        let references = topics.withLock { Array($0.values) }
        let ending = Ending(client: client, queue: queue, topics: references, bridge: bridge)
        KafkaThread.start("kafka-end") { ending.run() }
    }

    private struct Ending: @unchecked Sendable {
        let client: OpaquePointer
        let queue: OpaquePointer
        let topics: [UInt]
        let bridge: KafkaLogBridge

        func run() {
            for topic in topics { rd_kafka_topic_destroy(OpaquePointer(bitPattern: topic)) }
            rd_kafka_queue_destroy(queue)
            // Whoever wants to leave a group has done so by then, within a bound.
            rd_kafka_destroy_flags(client, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE)
            withExtendedLifetime(bridge) {}
        }
    }
}

/// The text of a C buffer that librdkafka filled.
func text(of buffer: [CChar]) -> String {
    String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
