import Foundation
import TaskLog
import TaskLogKafka
import TaskTelemetry
import TaskTestKit
import Testing

/// Three brokers, one of them killed while records flow. Needs `KAFKA_HOME`, since somebody else's brokers are not ours to
/// kill.
@Suite(.serialized, .enabled(if: RealKafka.hasHome, "KAFKA_HOME is not set"))
struct FailoverTests {
    private static let partitions: Int32 = 3
    private static let calls = 150
    private static let perCall = 20

    @Test("a broker that is killed and comes back costs no acked record and no order")
    func brokerKilled() async throws {
        let cluster = KafkaScript(port: 19_492, brokers: 3)
        let bootstrap = try #require(cluster.up(), "scripts/kafka starts three brokers")
        defer { cluster.wipe() }
        let properties = ["bootstrap.servers": bootstrap]
        let writer = try KafkaTaskLog(KafkaLogConfiguration(properties: properties), logger: Logger())
        let reader = try KafkaTaskLog(KafkaLogConfiguration(properties: properties), logger: Logger())
        let result: Result<Void, any Error>
        do {
            try await withTimeout(seconds: 240, "failover") { try await run(cluster, writer, reader) }
            result = .success(())
        } catch {
            result = .failure(error)
        }
        await writer.close()
        await reader.close()
        try result.get()
    }

    private func run(_ cluster: KafkaScript, _ writer: KafkaTaskLog, _ reader: KafkaTaskLog) async throws {
        let topic = "failover"
        _ = try await writer.ensure(topics: [
            TopicSpec(name: topic, partitions: Self.partitions, replication: 3, minInSyncReplicas: 2, cleanup: .never)
        ])
        let all = (0..<Self.partitions).map { TopicPartition(topic, $0) }
        let follower = try await reader.follow(all.reduce(into: [:]) { $0[$1] = 0 })
        let member = try await reader.join(GroupOptions(group: "g", topics: [topic], clientID: "member"))
        let rounds = Observed(0)
        async let followed = collect(all) { try await follower.next() }
        async let joined = collect(all) { try await recordsOfMember(member, all) }
        async let broken: Void = breakBroker(cluster, rounds)
        for call in 0..<Self.calls {
            await withTaskGroup(of: Void.self) { group in
                for partition in all {
                    group.addTask {
                        await appendUntilTaken(writer, call * Self.perCall..<(call + 1) * Self.perCall, partition)
                    }
                }
            }
            rounds.update { $0 += 1 }
        }
        try await broken
        let expected = Array(0..<Self.calls * Self.perCall)
        for (reader, found) in [("follower", try await followed), ("member", try await joined)] {
            for partition in all {
                #expect(found[partition] == expected, "first sight of each record, \(reader) of \(partition)")
            }
        }
        await member.leave()
        await follower.close()
    }

    /// Kills a broker after a third of the appends, and starts it again after two thirds.
    private func breakBroker(_ cluster: KafkaScript, _ rounds: Observed<Int>) async throws {
        _ = try await rounds.wait { $0 >= Self.calls / 3 }
        try cluster.kill(2)
        _ = try await rounds.wait { $0 >= Self.calls * 2 / 3 }
        #expect(cluster.up() != nil, "the broker starts again")
    }

    private func appendUntilTaken(_ log: KafkaTaskLog, _ range: Range<Int>, _ partition: TopicPartition) async {
        while !Task.isCancelled {
            let results = await log.append(numbers(range, in: partition))
            if results.allSatisfy({ if case .success = $0 { true } else { false } }) { return }
        }
    }

    /// The numbers of each partition in the order in which they were first seen, until the last one was.
    private func collect(
        _ partitions: [TopicPartition], _ next: () async throws -> [LogRecord]?
    ) async throws -> [TopicPartition: [Int]] {
        var seen: [TopicPartition: Set<Int>] = [:]
        var order: [TopicPartition: [Int]] = [:]
        let last = Self.calls * Self.perCall - 1
        while !partitions.allSatisfy({ seen[$0]?.contains(last) == true }), let batch = try await next() {
            for record in batch {
                guard let number = record.number, seen[record.topicPartition, default: []].insert(number).inserted
                else { continue }
                order[record.topicPartition, default: []].append(number)
            }
        }
        return order
    }

    private func recordsOfMember(_ member: any GroupMember, _ all: [TopicPartition]) async throws -> [LogRecord]? {
        while let wake = try await member.next() {
            switch wake {
            case .assigned(let partitions, _): try await member.start(partitions.reduce(into: [:]) { $0[$1] = 0 })
            case .revoking(let partitions): await member.release(partitions)
            case .lost: continue
            case .records(let records): return records
            }
        }
        return nil
    }
}
