import TaskLog
import TaskModel
import TaskTestKit
import Testing

@testable import TaskClient

struct PublishTests {
    @Test func anEventGoesToThePartitionOfItsFingerprint() async throws {
        let world = try await World()
        var request = PublishRequest(task: "report", payload: Array("{\"a\":1}".utf8), contentType: "application/json")
        request.headers = [RecordHeader("tenant", "blue")]
        let receipt = try await world.client.publish(request)
        #expect(receipt.destination == .due)
        #expect(receipt.fingerprint == Fingerprint(.event(source: "test", id: request.id)))
        #expect(receipt.coordinate.turn == 1)
        #expect(receipt.brokerTime == world.time.now())
        #expect(receipt.place.topic == "tidemill.due.default")
        #expect(receipt.place.partition == Murmur2.partition(of: receipt.fingerprint.bytes, count: 3))
        let event = try #require(try await world.dueEvents().first)
        #expect(event.payload == request.payload)
        #expect(event.contentType == "application/json")
        #expect(event.extraHeaders == [RecordHeader("tenant", "blue")])
    }

    @Test func aLaneKeyDecidesThePartition() async throws {
        let world = try await World()
        var request = PublishRequest(task: "report")
        request.key = "customer-7"
        let receipt = try await world.client.publish(request)
        #expect(receipt.place.partition == Murmur2.partition(of: Array("customer-7".utf8), count: 3))
    }

    /// Many calls at once, after as many as make a flow.
    private func flow(_ requests: [PublishRequest], favoursFewPartitions: Bool) async throws -> [PublishReceipt] {
        let time = ManualTimeSource()
        let log = MemoryTaskLog(time: time, favoursFewPartitions: favoursFewPartitions)
        let plan = TopicPlan(queues: [QueuePlan(name: "default", partitions: 12)], controlPartitions: 3)
        let client = TaskClient(log: log, plan: plan, time: time, source: "test")
        _ = try await client.ensureTopics()
        for _ in 0..<500 { _ = try await client.publish(PublishRequest(task: "report")) }
        time.advance(milliseconds: SingleCalls.spanMilliseconds)
        log.faults.holdAcknowledgements(of: plan.names.due("default"))
        async let receipts = withThrowingTaskGroup(of: PublishReceipt.self) { group in
            for request in requests { group.addTask { try await client.publish(request) } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        try await log.faults.waitForHeldAcknowledgements(count: requests.count)
        log.faults.releaseAcknowledgements(of: plan.names.due("default"))
        return try await receipts
    }

    /// Events of the four neighbours among twelve partitions that have the most.
    private func mostInFour(_ receipts: [PublishReceipt]) -> Int {
        (0..<12).map { first in receipts.count { ($0.place.partition - first + 12) % 12 < 4 } }.max() ?? 0
    }

    @Test func manyCallsAtOnceGoToFewPartitionsWhereThatCostsLess() async throws {
        let requests = (0..<100).map { _ in PublishRequest(task: "report") }
        let receipts = try await flow(requests, favoursFewPartitions: true)
        // The first fifteen went before there were many.
        #expect(mostInFour(receipts) >= 85)
        for receipt in receipts {
            #expect(receipt.fingerprint == Fingerprint(.event(source: "test", id: receipt.id)))
            #expect(receipt.place.partition == Murmur2.partition(of: receipt.fingerprint, count: 12))
        }
        #expect(Set(receipts.map(\.id)) == Set(requests.map(\.id)))
    }

    @Test func theyGoWhereTheirIDsSayElsewhere() async throws {
        let requests = (0..<100).map { _ in PublishRequest(task: "report") }
        #expect(try await mostInFour(flow(requests, favoursFewPartitions: false)) < 85)
    }

    /// A request of one of four kinds that says itself which work it is or where it goes. The fingerprint is nil where the
    /// id decides it.
    private func identified(_ kind: Int, _ index: Int) -> (request: PublishRequest, fingerprint: Fingerprint?) {
        var request = PublishRequest(task: "report", payload: Array("\(index)".utf8))
        switch kind {
        case 0:
            request.identity = .idempotencyKey("key-\(index)")
            return (request, Fingerprint(.idempotencyKey(task: "report", key: "key-\(index)")))
        case 1:
            request.identity = .unique(window: nil)
            return (
                request, Fingerprint(.unique(task: "report", canonicalPayload: request.payload, bucket: nil))
            )
        case 2:
            request.identity = .fingerprint(Fingerprint(high: 7, low: UInt64(index)))
            return (request, Fingerprint(high: 7, low: UInt64(index)))
        default:
            request.key = "customer-\(index)"
            return (request, nil)
        }
    }

    @Test func whatHasAnIdentityGoesWhereThatSays() async throws {
        var expected: [String: Fingerprint] = [:]
        let requests = (0..<100).map { index in
            var (request, fingerprint) = identified(index % 4, index)
            request.id = "event-\(index)"
            request.key = nil
            expected[request.id] = fingerprint ?? Fingerprint(.event(source: "test", id: request.id))
            return request
        }
        let receipts = try await flow(requests, favoursFewPartitions: true)
        for receipt in receipts {
            #expect(receipt.fingerprint == expected[receipt.id])
            #expect(receipt.place.partition == Murmur2.partition(of: receipt.fingerprint, count: 12))
        }
        #expect(mostInFour(receipts) < 85)
    }

    /// The id is open in all of these, but does not decide alone where the event goes now.
    @Test(arguments: 0..<4)
    func anIdentityCountsWhereTheIDIsOpen(kind: Int) async throws {
        let works = (0..<100).map { identified(kind, $0) }
        let receipts = try await flow(works.map(\.request), favoursFewPartitions: true)
        let expected = works.map { request, fingerprint in
            fingerprint ?? Fingerprint(.event(source: "test", id: request.id))
        }
        #expect(Set(receipts.map(\.fingerprint)) == Set(expected))
        #expect(mostInFour(receipts) < 85)
    }

    @Test func theSameRequestAgainIsTheSameWorkThoughItsIDWasChosenOnTheWay() async throws {
        let request = PublishRequest(task: "report")
        let receipts = try await flow(Array(repeating: request, count: 100), favoursFewPartitions: true)
        #expect(Set(receipts.map(\.fingerprint)).count == 1)
    }

    @Test func anUnknownQueueIsNamedWithTheKnownOnes() async throws {
        let world = try await World()
        var request = PublishRequest(task: "report")
        request.queue = "nope"
        let error = await clientError { try await world.client.publish(request) }
        #expect(error?.code == .unknownQueue)
        #expect(error?.message.contains("known queues: default, mail") == true)
    }

    @Test func aTooLargeEventIsRefusedBeforeItIsSent() async throws {
        let world = try await World()
        let request = PublishRequest(task: "report", payload: Array(repeating: 120, count: 2 << 20))
        let error = await clientError { try await world.client.publish(request) }
        #expect(error?.code == .tooLarge)
        #expect(error?.message.contains("payload 2097152") == true)
        #expect(error?.message.contains("takes 1048576") == true)
        #expect(try await world.dueEvents().isEmpty)
    }

    @Test(arguments: [
        ("", "name is empty"), ("report", "Tidemill's own"),
    ])
    func requestsThatCanNeverBeRightAreRefused(task: String, problem: String) async throws {
        let world = try await World()
        var request = PublishRequest(task: task)
        request.headers = [RecordHeader("ce_fingerprint", "x")]
        let error = await clientError { try await world.client.publish(request) }
        #expect(error?.code == .invalidRequest)
        #expect(error?.message.contains(problem) == true)
    }

    @Test func anEventThatWouldExpireBeforeItIsDueIsRefused() async throws {
        let world = try await World()
        var request = PublishRequest(task: "report")
        request.start = .after(milliseconds: 60_000)
        request.expiresAt = world.time.now() + 60_000
        let error = await clientError { try await world.client.publish(request) }
        #expect(error?.message.contains("could never run") == true)
        request.expiresAt = world.time.now() + 60_001
        _ = try await world.client.publish(request)
    }

    @Test func delayedEventsWaitInRetryUnderTheirCoordinate() async throws {
        let world = try await World()
        var request = PublishRequest(task: "report")
        request.start = .after(milliseconds: 5000)
        request.queue = "mail"
        let delayed = try await world.client.publish(request)
        #expect(delayed.destination == .waiting(until: delayed.brokerTime + 5000))
        let record = try #require(try await world.records(world.plan.names.retry).first)
        #expect(record.partition == Murmur2.partition(of: delayed.fingerprint.bytes, count: 3))
        #expect(RetryKey(record.key) == .emission(delayed.coordinate))
        let waiting = try WaitingEvent(
            key: record.key, value: record.value, headers: record.headers, place: delayed.place)
        #expect(waiting.due == .after(milliseconds: 5000))
        #expect(waiting.queue == "mail")
        #expect(try await world.dueEvents("mail").isEmpty)
    }

    @Test func anInstantThatHasPassedMeansNow() async throws {
        let world = try await World()
        var request = PublishRequest(task: "report")
        request.start = .at(world.time.now() - 1)
        #expect(try await world.client.publish(request).destination == .due)
        request.start = .at(world.time.now() + 1)
        #expect(try await world.client.publish(request).destination == .waiting(until: world.time.now() + 1))
    }

    @Test func identityIsThatOfTheRequest() async throws {
        let world = try await World()
        func fingerprint(_ identity: PublishRequest.Identity, _ payload: String = "{}") async throws -> Fingerprint {
            var request = PublishRequest(task: "report", payload: Array(payload.utf8))
            request.identity = identity
            return try await world.client.publish(request).fingerprint
        }
        let keyed = try await fingerprint(.idempotencyKey("k"))
        #expect(keyed == Fingerprint(.idempotencyKey(task: "report", key: "k")))
        #expect(try await fingerprint(.fingerprint(keyed)) == keyed)
        let ordered = try await fingerprint(.unique(window: nil), "{\"a\":1,\"b\":2}")
        #expect(try await fingerprint(.unique(window: nil), "{ \"b\":2, \"a\":1 }") == ordered)
        #expect(try await fingerprint(.unique(window: nil), "not json") != ordered)
        let bucketed = try await fingerprint(.unique(window: 60_000))
        #expect(try await fingerprint(.unique(window: 60_000)) == bucketed)
        world.time.advance(milliseconds: 60_000)
        #expect(try await fingerprint(.unique(window: 60_000)) != bucketed)
        #expect(try await fingerprint(.automatic) != fingerprint(.automatic))
    }

    @Test func theSameRequestTwiceHasOneFingerprint() async throws {
        let world = try await World()
        let request = PublishRequest(task: "report")
        let first = try await world.client.publish(request)
        let second = try await world.client.publish(request)
        #expect(first.fingerprint == second.fingerprint)
        #expect(first.place.partition == second.place.partition)
    }

    @Test func aBatchKeepsTheOrderOfItsResults() async throws {
        let world = try await World()
        var requests = (0..<1200).map { _ in PublishRequest(task: "report") }
        requests[3].queue = "nope"
        requests[700].task = ""
        let results = await world.client.publish(requests)
        #expect(results.count == 1200)
        for (index, result) in results.enumerated() {
            switch result {
            case .success(let receipt): #expect(receipt.id == requests[index].id)
            case .failure(let error): #expect(error.code == (index == 3 ? .unknownQueue : .invalidRequest))
            }
        }
        #expect(try await world.dueEvents().count == 1198)
    }

    @Test func aStreamIsSentBeforeItsErrorIsRethrown() async throws {
        struct Broken: Error {}
        let world = try await World()
        let requests = AsyncThrowingStream<PublishRequest, any Error> { continuation in
            for _ in 0..<3 { continuation.yield(PublishRequest(task: "report")) }
            continuation.finish(throwing: Broken())
        }
        let reported = Observed<[Int]>([])
        await #expect(throws: Broken.self) {
            try await world.client.publish(stream: requests) { index, result in
                _ = try result.get()
                reported.update { $0.append(index) }
            }
        }
        #expect(reported.value == [0, 1, 2])
        #expect(try await world.dueEvents().count == 3)
    }

    @Test func aClientOutlivesTheCreationOfItsTopics() async throws {
        let world = try await World(createTopics: false)
        let error = await clientError {
            try await world.client.publish(PublishRequest(task: "report"))
        }
        #expect(error?.message.contains("there is no queue yet") == true)
        _ = try await world.client.ensureTopics()
        _ = try await world.client.publish(PublishRequest(task: "report"))
    }
}
