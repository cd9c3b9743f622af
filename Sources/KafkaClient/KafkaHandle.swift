internal import CRdKafka
internal import Dispatch
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

    /// The error that killed this client, if one did.
    var fatalError: KafkaError? {
        var reason = [CChar](repeating: 0, count: 512)
        let code = rd_kafka_fatal_error(client, &reason, reason.count)
        guard code != RD_KAFKA_RESP_ERR_NO_ERROR else { return nil }
        return KafkaError(.init(code), text(of: reason), isFatal: true)
    }

    deinit {
        bridge.noteEnd()
        let ending = Ending(client: client, queue: queue, bridge: bridge)
        KafkaThread.start("kafka-end") { ending.run() }
    }

    private struct Ending: @unchecked Sendable {
        let client: OpaquePointer
        let queue: OpaquePointer
        let bridge: KafkaLogBridge

        func run() {
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
