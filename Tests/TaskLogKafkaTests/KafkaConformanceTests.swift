import KafkaClient
import TaskLog
import TaskLogKafka
import TaskTelemetry
import TaskTestKit
import Testing

/// The suite that every engine passes, on librdkafka's mock cluster: no broker, no JVM.
///
/// Serialised, since every case makes threads of librdkafka by the dozen.
@Suite(.serialized)
struct KafkaMockConformanceTests {
    @Test(arguments: LogConformance.cases)
    func conforms(to promise: ConformanceCase) async throws {
        if let reason = mockLacks[promise.name] {
            return SkipReport.skip(engine: "kafka-mock", case: promise.name, reason: reason)
        }
        let mock = try KafkaMockCluster(brokers: 1)
        try await LogConformance.run(promise, on: .kafkaMock(mock, prefix: promise.slug))
    }
}

/// The same suite on Apache Kafka itself.
@Suite(.serialized, .enabled(if: RealKafka.bootstrap != nil, "no Kafka to test against"))
struct KafkaConformanceTests {
    @Test(arguments: LogConformance.cases)
    func conforms(to promise: ConformanceCase) async throws {
        let bootstrap = try #require(RealKafka.bootstrap)
        try await LogConformance.run(promise, on: .realKafka(bootstrap, prefix: promise.slug))
    }
}

/// What Kafka keeps and its mock does not, where no capability says so.
private let mockLacks = [
    "between revoking and release a commit counts, and the next owner reads it":
        "the mock cluster refuses commits while a group rebalances, Kafka takes them"
]

extension EngineUnderTest {
    static func kafkaMock(_ mock: KafkaMockCluster, prefix: String) -> EngineUnderTest {
        let missing: [EngineCapability: String] = [
            .brokerTime: "the mock cluster stamps no times",
            .timeLookup: "the mock cluster looks up no times",
            .trim: "the mock cluster has no DeleteRecords",
            .compactionOnDemand: "the mock cluster does not compact",
            .retentionOnDemand: "the mock cluster has no retention",
            .memberVanish: "a member's heartbeats cannot be stopped from outside",
        ]
        var engine = EngineUnderTest(
            name: "kafka-mock", topicPrefix: prefix,
            capabilities: Set(EngineCapability.allCases).subtracting(missing.keys)
        ) {
            try KafkaTaskLog(KafkaLogConfiguration(mock: mock), logger: Logger())
        }
        engine.missing = missing
        engine.sessionTimeoutMilliseconds = 6000
        return engine
    }
}
