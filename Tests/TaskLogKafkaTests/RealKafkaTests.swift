import KafkaClient
import TaskLog
import TaskLogKafka
import TaskTelemetry
import TaskTestKit
import Testing

/// What only a real broker does.
@Suite(.serialized, .enabled(if: RealKafka.bootstrap != nil, "no Kafka to test against"))
struct RealKafkaTests {
    @Test("topics are made as the design wants them")
    func topicSettings() async throws {
        try await withLog("settings") { log, topic in
            let specs = [
                TopicSpec(name: topic + ".never", partitions: 3, replication: 1, minInSyncReplicas: 1, cleanup: .never),
                TopicSpec(
                    name: topic + ".delete", partitions: 1, replication: 1, minInSyncReplicas: 1,
                    cleanup: .delete(retentionMilliseconds: 86_400_000), maximumRecordBytes: 2_000_000),
                TopicSpec(
                    name: topic + ".compact", partitions: 2, replication: 1, minInSyncReplicas: 1, cleanup: .compact,
                    settings: ["segment.ms": "600000", "max.compaction.lag.ms": "3600000"]),
            ]
            let made = try await log.ensure(topics: specs)
            #expect(made.map(\.name) == specs.map(\.name))
            #expect(made.map(\.partitions) == [3, 1, 2])
            for (spec, topic) in zip(specs, made) {
                #expect(topic.replication == 1)
                #expect(topic.settings["message.timestamp.type"] == "LogAppendTime")
                #expect(topic.settings["min.insync.replicas"] == "1")
                #expect(topic.settings["unclean.leader.election.enable"] == "false")
                #expect(topic.settings["max.message.bytes"] == String(spec.maximumRecordBytes))
            }
            #expect(made[0].settings["retention.ms"] == "-1" && made[0].settings["cleanup.policy"] == "delete")
            #expect(made[1].settings["retention.ms"] == "86400000")
            #expect(made[2].settings["cleanup.policy"] == "compact" && made[2].settings["segment.ms"] == "600000")
        }
    }

    @Test("more replicas than brokers is refused with both numbers")
    func tooManyReplicas() async throws {
        try await withLog("replicas") { log, topic in
            let spec = TopicSpec(name: topic, partitions: 1, replication: 99, cleanup: .never)
            do {
                _ = try await log.ensure(topics: [spec])
                Issue.record("99 replicas were made")
            } catch let error as LogError {
                #expect(!error.isRetriable)
                #expect(error.message.contains("99 replicas") && error.message.contains("broker"))
            }
            let found = try await log.describe(topics: [topic])
            #expect(found.isEmpty)
        }
    }

    @Test("a reader whose position was trimmed away goes on at the first kept record")
    func positionBelowTheStart() async throws {
        try await withLog("trimmed") { log, topic in
            let partition = try await make(topic, on: log)
            for result in await log.append(numbers(0..<20, in: partition)) { _ = try result.get() }
            try await log.trim(partition, before: 12)
            let follower = try await log.follow([partition: 3])
            var seen: [Int?] = []
            while seen.count < 8, let batch = try await follower.next() { seen += batch.map(\.number) }
            #expect(seen == Array(12..<20))
            await follower.close()
        }
    }

    @Test("a scan over nothing but a gap ends, again and again")
    func scanOfAGap() async throws {
        try await withLog("gap") { log, topic in
            let partition = try await make(topic, on: log)
            for result in await log.append(numbers(0..<20, in: partition)) { _ = try result.get() }
            try await log.trim(partition, before: 20)
            for _ in 0..<3 {
                let end = try await log.scan(partition, from: 0, to: 20) { _ in
                    Issue.record("a trimmed record was read")
                    return true
                }
                #expect(end == 20)
            }
        }
    }

    @Test("a record that only Kafka's own overhead makes too large is refused by its size")
    func overheadOverTheLimit() async throws {
        try await withLog("overhead") { log, topic in
            let spec = TopicSpec(
                name: topic, partitions: 1, replication: 1, minInSyncReplicas: 1, cleanup: .never,
                maximumRecordBytes: 10_000)
            _ = try await log.ensure(topics: [spec])
            let partition = TopicPartition(topic, 0)
            let large = LogAppend(topic: topic, partition: 0, key: nil, value: Array(repeating: 1, count: 9_990))
            let results = await log.append(numbers(0..<3, in: partition) + [large] + numbers(3..<6, in: partition))
            guard case .failure(let error) = results[3] else {
                Issue.record("the broker took it")
                return
            }
            #expect(error.code == .recordTooLarge && !error.isRetriable && error.message.contains("9990"))
            await #expect(throws: LogError(.recordTooLarge, "")) { _ = try await log.append(large) }
            // The broker refused the small ones that shared its batch too: they were appended again.
            for index in [0, 1, 2, 4, 5, 6] { _ = try results[index].get() }
            let kept = try await log.contents(of: partition).compactMap(\.number)
            #expect(Set(kept) == Set(0..<6))
        }
    }

    @Test("small records of many callers that gather to more than the topic takes are not refused")
    func gatheredOverTheLimit() async throws {
        try await withLog("gathered", ["linger.ms": "50"]) { log, topic in
            let spec = TopicSpec(
                name: topic, partitions: 1, replication: 1, minInSyncReplicas: 1, cleanup: .never,
                maximumRecordBytes: 10_000)
            _ = try await log.ensure(topics: [spec])
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<40 {
                    let record = LogAppend(
                        topic: topic, partition: 0, key: Array("\(number)".utf8),
                        value: Array(repeating: 1, count: 1000))
                    group.addTask {
                        if number.isMultiple(of: 2) {
                            _ = try await log.append(record)
                        } else {
                            _ = try await log.append([record])[0].get()
                        }
                    }
                }
                try await group.waitForAll()
            }
            let kept = try await log.contents(of: TopicPartition(topic, 0)).compactMap(\.key)
            #expect(kept.count == 40 && Set(kept).count == 40)
        }
    }

    @Test("a large backlog goes through in order, with headers, and its time is the broker's")
    func throughput() async throws {
        try await withLog("backlog") { log, topic in
            let partition = try await make(topic, on: log)
            let count = 20_000
            let receipts = await log.append(numbers(0..<count, in: partition))
            let times = try receipts.map { try $0.get().timestamp }
            #expect(zip(times, times.dropFirst()).allSatisfy { $0 <= $1 })
            let found = try await log.contents(of: partition)
            #expect(found.map(\.number) == Array(0..<count))
            #expect(found.map(\.timestamp) == times)
        }
    }

    private func make(_ topic: String, on log: KafkaTaskLog) async throws -> TopicPartition {
        _ = try await log.ensure(topics: [
            TopicSpec(name: topic, partitions: 1, replication: 1, minInSyncReplicas: 1, cleanup: .never)
        ])
        return TopicPartition(topic, 0)
    }

    private func withLog(
        _ name: String, _ properties: [String: String] = [:],
        _ body: @escaping @Sendable (KafkaTaskLog, String) async throws -> Void
    ) async throws {
        let bootstrap = try #require(RealKafka.bootstrap)
        let log = try KafkaTaskLog(
            KafkaLogConfiguration(
                properties: properties.merging(["bootstrap.servers": bootstrap]) { $1 }),
            logger: Logger())
        let result: Result<Void, any Error>
        do {
            try await withTimeout(seconds: 120, name) { try await body(log, "real.\(name).\(RealKafka.run)") }
            result = .success(())
        } catch {
            result = .failure(error)
        }
        await log.close()
        try result.get()
    }
}
