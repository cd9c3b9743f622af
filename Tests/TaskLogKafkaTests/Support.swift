import KafkaClient
import Synchronization
import TaskLog
import TaskLogKafka
import TaskTelemetry
import TaskTestKit

/// Keeps lines, so that a test can see what an operator would.
final class LineCollector: LogSink {
    private let lines = Observed<[LogEntry]>([])

    func write(_ entry: LogEntry) { lines.update { $0.append(entry) } }

    func lines(from level: LogLevel) -> [String] {
        lines.value.filter { $0.level >= level }.map { "\($0.level): \($0.message)" }
    }

    @discardableResult
    func wait(for part: String) async throws -> [LogEntry] {
        try await lines.wait { $0.contains { $0.message.contains(part) } }
    }
}

/// A mock cluster with one topic `t`, and a log on it that is closed after `body`.
func withMockLog(
    partitions: Int32 = 1, brokers: Int = 1, sink: LineCollector = LineCollector(),
    configure: (inout KafkaLogConfiguration) -> Void = { _ in },
    _ body: @escaping @Sendable (KafkaTaskLog, KafkaMockCluster) async throws -> Void
) async throws {
    let mock = try KafkaMockCluster(brokers: brokers)
    try mock.createTopic("t", partitions: partitions, replication: 1)
    var configuration = KafkaLogConfiguration(mock: mock)
    configure(&configuration)
    let log = try KafkaTaskLog(configuration, logger: Logger(level: .trace, sink: sink))
    let result: Result<Void, any Error>
    do {
        try await withTimeout(seconds: 60, "a test on the mock cluster") { try await body(log, mock) }
        result = .success(())
    } catch {
        result = .failure(error)
    }
    await log.close()
    try result.get()
}

let first = TopicPartition("t", 0)

func numbers(_ range: Range<Int>, in partition: TopicPartition = first) -> [LogAppend] {
    range.map {
        LogAppend(topic: partition.topic, partition: partition.partition, key: nil, value: Array(String($0).utf8))
    }
}

extension LogRecord {
    var number: Int? { Int(String(decoding: value ?? [], as: UTF8.self)) }
}

extension KafkaTaskLog {
    /// Every record that the partition holds now.
    func contents(of partition: TopicPartition) async throws -> [LogRecord] {
        let found = Observed<[LogRecord]>([])
        try await scanAll(partition) { batch in
            found.update { $0 += batch }
            return true
        }
        return found.value
    }
}
