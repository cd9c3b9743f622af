internal import CRdKafka
import Synchronization
internal import TaskTelemetry

/// Takes librdkafka's log lines to a ``Logger``. librdkafka calls it from any of its threads.
///
/// A broker that is away makes a line at every attempt: the first one within a minute is a warning, the rest are for
/// debugging. What librdkafka retries by itself is never more than that.
final class KafkaLogBridge: Sendable {
    private let logger: Logger
    /// Seconds of uptime when a noisy facility was last let through.
    private let lastNoise = Mutex<[String: Int64]>([:])
    /// Once a client is being torn down, connections that break are no news.
    private let isEnding = Atomic(false)

    init(logger: Logger) {
        self.logger = logger
    }

    func noteEnd() { isEnding.store(true, ordering: .relaxed) }

    func write(syslogLevel: Int32, facility: String, text: String, uptimeSeconds: Int64) {
        let level = level(syslogLevel: syslogLevel, facility: facility, text: text, uptimeSeconds: uptimeSeconds)
        logger.log(level, "kafka: \(text)", ["facility": facility])
    }

    func level(syslogLevel: Int32, facility: String, text: String, uptimeSeconds: Int64) -> LogLevel {
        if isEnding.load(ordering: .relaxed) { return .debug }
        // The death of a producer is routine, and its owner reports that of a consumer.
        if facility == "FATAL" { return .info }
        // A fresh broker answers so to the first idempotent producer; librdkafka asks again by itself.
        if text.containsIgnoringCase("load in progress") { return .debug }
        // One set of properties serves producers and consumers, so each kind is told of the other's.
        if facility == "CONFWARN" { return .debug }
        // Only questions about all topics are asked, and those create none on any broker.
        if text.contains("allow.auto.create.topics=false not supported") { return .debug }
        if Self.noisyFacilities.contains(facility) {
            let isFirst = lastNoise.withLock { last in
                if let time = last[facility], uptimeSeconds - time < 60 { return false }
                last[facility] = uptimeSeconds
                return true
            }
            return isFirst ? .warning : .debug
        }
        switch syslogLevel {
        case ...3: return .error
        case 4: return .warning
        case 5, 6: return .info
        default: return .debug
        }
    }

    private static let noisyFacilities: Set<String> = [
        "FAIL", "ERROR", "CONNECT", "BROKERFAIL", "GETPID", "PIDBROKER", "REQTMOUT", "METADATA", "SESSTMOUT",
    ]
}

extension String {
    /// ASCII-only, case-insensitive search; log lines are short.
    fileprivate func containsIgnoringCase(_ word: String) -> Bool {
        lowercased().contains(word)
    }
}
