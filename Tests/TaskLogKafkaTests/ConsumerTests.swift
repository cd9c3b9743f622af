import KafkaClient
import TaskLog
import TaskLogKafka
import TaskTelemetry
import TaskTestKit
import Testing

@Suite(.serialized)
struct ConsumerTests {
    @Test("a scan of brokers that are down ends with unavailable")
    func scanWithoutBroker() async throws {
        try await withMockLog {
            $0.scanPatienceMilliseconds = 1000
        } _: { log, mock in
            for result in await log.append(numbers(0..<10)) { _ = try result.get() }
            try mock.setBroker(1, isUp: false)
            await #expect(throws: LogError(.unavailable, "")) {
                try await log.scan(first, from: 0, to: 10) { _ in true }
            }
            try mock.setBroker(1, isUp: true)
            #expect(try await log.contents(of: first).count == 10)
        }
    }

    @Test("a reader that is used again gives nothing of the scan before")
    func readersAreReused() async throws {
        try await withMockLog(partitions: 2) { log, _ in
            let second = TopicPartition("t", 1)
            for result in await log.append(numbers(0..<2000) + numbers(5000..<5010, in: second)) {
                _ = try result.get()
            }
            for round in 0..<5 {
                // Left in the middle: much of the partition is fetched ahead.
                try await log.scan(first, from: 0, to: 2000) { _ in false }
                #expect(try await log.contents(of: second).map(\.number) == Array(5000..<5010), "round \(round)")
                #expect(try await log.contents(of: first).map(\.number) == Array(0..<2000), "round \(round)")
            }
        }
    }

    @Test("more scans than readers wait for one another")
    func manyScans() async throws {
        try await withMockLog {
            $0.maximumScans = 2
        } _: { log, _ in
            for result in await log.append(numbers(0..<100)) { _ = try result.get() }
            try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<8 { group.addTask { try await log.contents(of: first).count } }
                for try await count in group { #expect(count == 100) }
            }
        }
    }

    @Test("a position past the end of the log is told, not guessed")
    func positionPastTheEnd() async throws {
        try await withMockLog { log, _ in
            for result in await log.append(numbers(0..<5)) { _ = try result.get() }
            let follower = try await log.follow([first: 100])
            await #expect(throws: LogError(.offsetOutOfRange, "")) { _ = try await follower.next() }
            await follower.close()
        }
    }

    @Test("a cancelled wait for records ends, and the follower goes on")
    func cancellation() async throws {
        try await withMockLog { log, _ in
            let follower = try await log.follow([first: 0])
            let waiting = Task { try await follower.next() }
            waiting.cancel()
            await #expect(throws: CancellationError.self) { _ = try await waiting.value }
            _ = try await log.append(numbers(7..<8)[0])
            #expect(try await follower.next()?.map(\.number) == [7])
            await follower.close()
        }
    }

    /// Each answer brings one record and takes its time, so that there are hundreds of them to be saved.
    @Test(
        "what is skipped is not fetched",
        .enabled(if: KafkaLibrary.version >= "2.1", "seeks lose their place before librdkafka 2.1"))
    func skip() async throws {
        try await withMockLog { log, mock in
            for number in 0..<300 { _ = try await log.append(numbers(number..<number + 1)[0]) }
            try mock.setRoundTrip(ofBroker: 1, milliseconds: 20)
            let (offsets, found) = AsyncStream.makeStream(of: Int64.self)
            let consumer = try KafkaConsumer(
                KafkaConfiguration([
                    "bootstrap.servers": mock.bootstrap, "fetch.message.max.bytes": "1", "queued.min.messages": "1",
                ]), options: KafkaConsumer.Options(), logger: .init()
            ) { events in
                for case .records(let records, _) in events {
                    for record in records { found.yield(record.offset) }
                }
                if case .closed? = events.last { found.finish() }
            }
            let partition = KafkaPartition("t", 0)
            consumer.fetch([partition: 0], serial: 7)
            var seen: [Int64] = []
            for await offset in offsets {
                if seen.isEmpty {
                    consumer.skip(to: [partition: 200], serial: 6)
                    consumer.skip(to: [partition: 290], serial: 7)
                }
                seen.append(offset)
                if offset == 299 { consumer.close(within: 5000) }
            }
            #expect(seen.suffix(10) == Array(290..<300))
            #expect(seen.count < 200)
        }
    }

    /// librdkafka aborts the process when a partition is taken away again before its first stop is through.
    @Test("partitions are taken out and put back as fast as calls come")
    func rapidChanges() async throws {
        let mock = try KafkaMockCluster(brokers: 1)
        try mock.createTopic("t", partitions: 8, replication: 1)
        let (ends, end) = AsyncStream.makeStream(of: Void.self)
        let (changes, change) = AsyncStream.makeStream(of: Void.self)
        let consumer = try KafkaConsumer(
            KafkaConfiguration(["bootstrap.servers": mock.bootstrap]), options: KafkaConsumer.Options(tellsEnds: true),
            logger: Logger(level: .trace, sink: LineCollector())
        ) { events in
            for event in events {
                switch event {
                case .endReached: change.yield()
                case .closed: end.finish()
                default: break
                }
            }
        }
        for round in 0..<5000 {
            let positions = (0..<8).filter { $0 != Int32(round % 8) }.map { (KafkaPartition("t", $0), Int64(0)) }
            consumer.fetch(Dictionary(uniqueKeysWithValues: positions), serial: UInt64(round))
            await Task.yield()
        }
        var iterator = changes.makeAsyncIterator()
        await iterator.next()
        consumer.close(within: 5000)
        for await _ in ends {}
    }

    @Test("a commit whose coordinator is moving is tried again")
    func commitIsRetried() async throws {
        try await withMember { log, member, mock in
            mock.failNextRequests(
                apiKey: KafkaMockCluster.APIKey.offsetCommit, [.notCoordinator, .coordinatorLoadInProgress])
            try await member.commit([first: CommittedOffset(offset: 3, metadata: "m")])
            let found = try await log.committed(group: "g", partitions: [first])
            #expect(found == [first: CommittedOffset(offset: 3, metadata: "m")])
        }
    }

    @Test("committed offsets are asked for until there is an answer")
    func committedIsRetried() async throws {
        try await withMember { log, member, mock in
            try await member.commit([first: CommittedOffset(offset: 3)])
            mock.failNextRequests(
                apiKey: KafkaMockCluster.APIKey.offsetFetch, [.coordinatorLoadInProgress, .notCoordinator])
            #expect(try await log.committed(group: "g", partitions: [first])[first]?.offset == 3)
        }
    }

    @Test("a member that the broker forgot has lost its partitions, and comes back")
    func forgottenMember() async throws {
        try await withMember { _, member, mock in
            mock.failNextRequests(apiKey: KafkaMockCluster.APIKey.heartbeat, [.unknownMember])
            guard case .lost(let lost) = try await member.next() else {
                Issue.record("expected .lost")
                return
            }
            #expect(lost == [first])
            await #expect(throws: LogError(.fenced, "")) {
                try await member.commit([first: CommittedOffset(offset: 1)])
            }
            guard case .assigned(let again, _) = try await member.next() else {
                Issue.record("expected a new assignment")
                return
            }
            #expect(again == [first])
        }
    }

    @Test("a member that leaves while it is asked to let go does not hang")
    func leaveWhileRevoking() async throws {
        try await withMember { log, member, _ in
            let other = try await log.join(GroupOptions(group: "g", topics: ["t"], clientID: "other"))
            guard case .revoking = try await member.next() else {
                Issue.record("expected .revoking")
                return
            }
            await member.leave()
            guard case .assigned(let partitions, _) = try await other.next() else {
                Issue.record("expected the other one to be assigned")
                return
            }
            #expect(partitions == [first])
        }
    }

    @Test("leaving and closing are bounded when no broker answers")
    func leaveWithoutBroker() async throws {
        try await withMockLog {
            $0.leaveTimeoutMilliseconds = 300
            $0.appendTimeoutMilliseconds = 1000
        } _: { log, mock in
            let member = try await log.join(GroupOptions(group: "g", topics: ["t"], clientID: "only"))
            guard case .assigned = try await member.next() else {
                Issue.record("expected an assignment")
                return
            }
            _ = try await log.append(numbers(0..<1)[0])
            try mock.setBroker(1, isUp: false)
            async let late = log.append(numbers(1..<2))
            await member.leave()
            let ended = try await member.next()
            #expect(ended == nil)
            await log.close()
            for result in await late {
                #expect(throws: LogError.self) { _ = try result.get() }
            }
        }
    }

    /// A group `g` of one member, which owns the one partition.
    private func withMember(
        _ body: @escaping @Sendable (KafkaTaskLog, any GroupMember, KafkaMockCluster) async throws -> Void
    ) async throws {
        try await withMockLog { log, mock in
            let member = try await log.join(
                GroupOptions(group: "g", topics: ["t"], clientID: "only", revokeTimeoutMilliseconds: 30_000))
            guard case .assigned = try await member.next() else {
                Issue.record("expected an assignment")
                return
            }
            try await body(log, member, mock)
        }
    }
}
