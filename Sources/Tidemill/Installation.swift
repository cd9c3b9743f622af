internal import Foundation
internal import KafkaClient
import ServiceRuntime
package import Settings
import TaskClient
package import TaskLog
internal import TaskLogKafka
internal import TaskLogSQLite
import TaskModel
import TaskTelemetry

/// One log with its plan, and what every process that works on it shares. The only place that knows both engines.
package struct Installation: Sendable {
    package let configuration: Configuration
    package let log: any TaskLog
    package let client: TaskClient
    package let logger: Logger
    package let metrics: MetricsRegistry
    /// Differs at every start of a process.
    package let nonce: String

    /// Opens the log that the configuration names. Creates the file of an embedded one; touches no topic.
    package static func open(_ configuration: Configuration, logger: Logger) async throws -> Installation {
        let log: any TaskLog
        switch configuration.log.engine {
        case .embedded(let path): log = try await SQLiteTaskLog.open(path: path, logger: logger)
        case .kafka(let kafka):
            var properties = kafka.properties.mapValues { $0.reveal() }
            properties["bootstrap.servers"] = kafka.bootstrapServers
            log = try KafkaTaskLog(KafkaLogConfiguration(properties: properties), logger: logger)
        }
        return Installation(configuration: configuration, log: log, logger: logger)
    }

    package init(configuration: Configuration, log: any TaskLog, logger: Logger) {
        self.configuration = configuration
        self.log = log
        self.logger = logger
        metrics = MetricsRegistry()
        nonce = String(UInt32.random(in: .min ... .max), radix: 16)
        client = TaskClient(log: log, plan: configuration.topicPlan, source: "tidemill")
    }

    /// Creates what is missing. An embedded log has one copy of everything, whatever the file says.
    package func ensureTopics() async throws {
        let result = try await client.ensureTopics()
        if !result.created.isEmpty { logger.info("topics created", ["topics": result.created.joined(separator: " ")]) }
        for difference in result.differences { logger.warning("\(difference)") }
    }

    /// `host-pid` unless the configuration names the worker.
    package var workerID: String {
        configuration.worker.id ?? "\(ProcessInfo.processInfo.hostName)-\(ProcessInfo.processInfo.processIdentifier)"
    }
}
