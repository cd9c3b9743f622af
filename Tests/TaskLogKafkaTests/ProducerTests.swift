import TaskLog
import TaskLogKafka
import TaskTestKit
import Testing

@testable import KafkaClient

@Suite(.serialized)
struct ProducerTests {
    @Test("an append to brokers that are down fails in its time, and works once they are up")
    func brokerDownAtStart() async throws {
        try await withMockLog {
            $0.appendTimeoutMilliseconds = 1000
            $0.requestTimeoutMilliseconds = 1000
        } _: { log, mock in
            try mock.setBroker(1, isUp: false)
            let results = await log.append(numbers(0..<3))
            for result in results {
                guard case .failure(let error) = result else {
                    Issue.record("a broker that is down took a record")
                    continue
                }
                #expect(error.code == .unavailable && error.isRetriable, "\(error)")
            }
            try mock.setBroker(1, isUp: true)
            try await appendUntilTaken(log, numbers(0..<3))
            #expect(try await log.contents(of: first).suffix(3).map(\.number) == [0, 1, 2])
        }
    }

    @Test("records of unknown fate fail as unavailable when the broker stays away")
    func brokerGoesAway() async throws {
        try await withMockLog {
            $0.appendTimeoutMilliseconds = 1000
            $0.requestTimeoutMilliseconds = 1000
        } _: { log, mock in
            try await appendUntilTaken(log, numbers(0..<1))
            try mock.setBroker(1, isUp: false)
            await #expect(throws: LogError(.unavailable, "")) { _ = try await log.append(numbers(1..<2)[0]) }
            try mock.setBroker(1, isUp: true)
            try await appendUntilTaken(log, numbers(1..<2))
            #expect(try await log.contents(of: first).map(\.number).last == 1)
        }
    }

    @Test("a broker that is away for a while in the middle delays records and loses none")
    func brokerAwayInTheMiddle() async throws {
        try await withMockLog { log, mock in
            let follower = try await log.follow([first: 0])
            for result in await log.append(numbers(0..<10)) { _ = try result.get() }
            try mock.setBroker(1, isUp: false)
            async let late = log.append(numbers(10..<20))
            try mock.setBroker(1, isUp: true)
            for result in await late { _ = try result.get() }
            var seen: [Int?] = []
            while seen.count < 20, let batch = try await follower.next() { seen += batch.map(\.number) }
            #expect(seen == Array(0..<20))
            await follower.close()
        }
    }

    @Test("a producer that dies is replaced, and what was in flight is appended again")
    func fatalErrorRebuilds() async throws {
        let lines = LineCollector()
        try await withMockLog(sink: lines) {
            // All five go in one request: the mock cluster looks at no sequence numbers, and would take a second one.
            $0.properties.properties["linger.ms"] = "50"
        } _: { log, mock in
            for result in await log.append(numbers(0..<5)) { _ = try result.get() }
            mock.failNextRequests(apiKey: KafkaMockCluster.APIKey.produce, [.outOfOrderSequence])
            for result in await log.append(numbers(5..<10)) { _ = try result.get() }
            for result in await log.append(numbers(10..<15)) { _ = try result.get() }
            mock.failNextRequests(apiKey: KafkaMockCluster.APIKey.produce, [.outOfOrderSequence])
            for record in numbers(15..<17) { _ = try await log.append(record) }
            #expect(try await log.contents(of: first).map(\.number) == Array(0..<17))
            try await lines.wait(for: "replaced")
            #expect(lines.lines(from: .warning) == [], "routine is no error")
        }
    }

    @Test("a producer that dies again and again is an unavailable log, not a loop", arguments: [false, true])
    func fatalErrorsForEver(isAlone: Bool) async throws {
        try await withMockLog { log, mock in
            mock.failNextRequests(
                apiKey: KafkaMockCluster.APIKey.produce, Array(repeating: .outOfOrderSequence, count: 8))
            let record = numbers(0..<1)[0]
            await #expect(throws: LogError(.unavailable, "")) {
                _ = isAlone ? try await log.append(record) : try await log.append([record])[0].get()
            }
        }
    }

    @Test("publishers are told that few partitions cost less")
    func favoursFewPartitions() async throws {
        try await withMockLog { log, _ in #expect(log.favoursFewPartitions) }
    }

    @Test("a full queue makes the caller wait, in order, and is no error")
    func queueFull() async throws {
        try await withMockLog {
            $0.properties.properties["queue.buffering.max.messages"] = "10"
        } _: { log, _ in
            for result in await log.append(numbers(0..<500)) { _ = try result.get() }
            #expect(try await log.contents(of: first).map(\.number) == Array(0..<500))
        }
    }

    @Test("callers that wait for room in the queue are all served", arguments: [false, true])
    func queueFullForMany(isAlone: Bool) async throws {
        try await withMockLog {
            $0.properties.properties["queue.buffering.max.messages"] = "5"
        } _: { log, _ in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for caller in 0..<20 {
                    group.addTask {
                        let records = numbers(caller * 20..<caller * 20 + 20)
                        guard isAlone else {
                            for result in await log.append(records) { _ = try result.get() }
                            return
                        }
                        for record in records { _ = try await log.append(record) }
                    }
                }
                try await group.waitForAll()
            }
            #expect(Set(try await log.contents(of: first).compactMap(\.number)) == Set(0..<400))
        }
    }

    @Test("a record that is larger than the queue that was set finds room", arguments: [false, true])
    func largerThanTheQueue(isAlone: Bool) async throws {
        try await withMockLog {
            $0.properties.properties["queue.buffering.max.kbytes"] = "97"
            $0.properties.properties["message.max.bytes"] = "100000"
        } _: { log, _ in
            let large = LogAppend(topic: "t", partition: 0, key: nil, value: Array(repeating: 1, count: 99_500))
            _ = isAlone ? try await log.append(large) : try await log.append([large])[0].get()
            #expect(try await log.contents(of: first).map(\.value) == [large.value])
        }
    }

    @Test("what a broker refuses in too large a batch is sent again alone, once", arguments: [1, 450])
    func tooLargeABatch(count: Int) async throws {
        try await withMockLog {
            $0.properties.properties["linger.ms"] = "50"
        } _: { log, mock in
            let records = numbers(0..<count)
            mock.failNextRequests(apiKey: KafkaMockCluster.APIKey.produce, [.messageTooLarge])
            for result in await log.append(records) { _ = try result.get() }
            #expect(Set(try await log.contents(of: first).compactMap(\.number)) == Set(0..<count))
            mock.failNextRequests(apiKey: KafkaMockCluster.APIKey.produce, [.messageTooLarge])
            _ = try await log.append(records[0])
            mock.failNextRequests(apiKey: KafkaMockCluster.APIKey.produce, [.messageTooLarge, .messageTooLarge])
            await #expect(throws: LogError(.recordTooLarge, "")) { _ = try await log.append(records[0]) }
            #expect(try await log.contents(of: first).count == count + 1)
        }
    }

    /// More of them than librdkafka has numbers below 0 for.
    @Test("what the broker has without saying where is appended again, and told its place")
    func placeless() async throws {
        try await withMockLog {
            $0.properties.properties["linger.ms"] = "50"
        } _: { log, mock in
            mock.failNextRequests(apiKey: KafkaMockCluster.APIKey.produce, [.duplicateSequence])
            let offsets = try await log.append(numbers(0..<1500)).map { try $0.get().offset }
            let found = try await log.contents(of: first)
            let places = Dictionary(uniqueKeysWithValues: found.map { ($0.offset, $0.number) })
            #expect(offsets.map { places[$0] ?? nil } == Array(0..<1500))
        }
    }

    @Test("a fresh broker that is still loading is asked again, in silence")
    func coordinatorLoading() async throws {
        let lines = LineCollector()
        try await withMockLog(sink: lines) { log, mock in
            mock.failNextRequests(
                apiKey: KafkaMockCluster.APIKey.initProducerID,
                Array(repeating: .coordinatorLoadInProgress, count: 2))
            _ = try await log.append(numbers(0..<1)[0])
            #expect(lines.lines(from: .info) == [])
        }
    }

    @Test("closing lets what is in flight arrive")
    func closeFlushes() async throws {
        let mock = try KafkaMockCluster()
        try mock.createTopic("t", partitions: 1, replication: 1)
        let producer = KafkaProducer(
            KafkaConfiguration(["bootstrap.servers": mock.bootstrap, "linger.ms": "50"]),
            messageTimeoutMilliseconds: 10_000, logger: .init())
        let record = KafkaOutgoing(partition: KafkaPartition("t", 0), key: nil, value: [1])
        _ = try await producer.send([record])[0].get()
        try mock.setRoundTrip(ofBroker: 1, milliseconds: 500)
        async let many = producer.send([record, record])
        async let one = producer.send(record)
        try await withTimeout(seconds: 60, "three records in flight") {
            while producer.openRecords < 3 {
                try Task.checkCancellation()
                await Task.yield()
            }
        }
        await producer.close(within: 10_000)
        let fates = await many + [one]
        #expect(Set(try fates.map { try $0.get().offset }) == [1, 2, 3])
        for late in await producer.send([record]) + [producer.send(record)] {
            #expect(throws: KafkaError(.closed)) { _ = try late.get() }
        }
    }

    @Test("closing waits no longer than for what can still arrive")
    func closeWhileTheTopicIsAskedFor() async throws {
        // Nobody listens there: librdkafka is asked about the topic for two seconds, in vain.
        let producer = KafkaProducer(
            KafkaConfiguration(["bootstrap.servers": "127.0.0.1:1"]), messageTimeoutMilliseconds: 100_000,
            logger: .init())
        let record = KafkaOutgoing(partition: KafkaPartition("t", 0), key: nil, value: [1])
        async let fates = producer.send([record, record])
        try await withTimeout(seconds: 60, "two records under way, and none after the end") {
            while producer.openRecords < 2 {
                try Task.checkCancellation()
                await Task.yield()
            }
            await producer.close(within: 100_000)
        }
        for fate in await fates { #expect(throws: KafkaError(.closed)) { _ = try fate.get() } }
    }

    private func appendUntilTaken(_ log: KafkaTaskLog, _ records: [LogAppend]) async throws {
        while true {
            try Task.checkCancellation()
            let results = await log.append(records)
            if results.allSatisfy({ if case .success = $0 { true } else { false } }) { return }
        }
    }
}
