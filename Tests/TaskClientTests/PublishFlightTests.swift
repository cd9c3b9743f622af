import TaskLog
import TaskModel
import TaskTestKit
import Testing

@testable import TaskClient

/// Which chunks of one call go to the log at once.
struct PublishFlightTests {
    private func chunk(_ lanes: String?...) -> PublishChunk {
        var chunk = PublishChunk()
        for (index, lane) in lanes.enumerated() {
            var event = TaskEvent(
                id: "e\(index)", source: "test", task: "t", payload: [],
                fingerprint: Fingerprint(.event(source: "test", id: "e\(index)")))
            event.partitionKey = lane
            let record = LogAppend(topic: "due", partition: 0, key: event.recordKey, value: [])
            chunk.add(
                .success(PreparedPublish(event, queue: "default", wait: nil, record: record)), isOrdered: lane != nil)
        }
        return chunk
    }

    private func refusals(_ codes: ClientError.Code...) -> PublishFlight.Results {
        codes.map { .failure(ClientError($0, "test")) }
    }

    @Test func twoGoAtOnceAndNoMore() {
        var flight = PublishFlight()
        #expect(flight.admits(chunk(nil)))
        let first = flight.begin(chunk(nil))
        #expect(flight.admits(chunk(nil)))
        _ = flight.begin(chunk(nil))
        #expect(!flight.admits(chunk(nil)))
        flight.land(first, [])
        #expect(flight.admits(chunk(nil)))
    }

    @Test func aChunkWaitsForThoseOfItsLanes() {
        var flight = PublishFlight()
        let first = flight.begin(chunk("a", nil, "b"))
        #expect(!flight.admits(chunk("c", "b")))
        #expect(flight.admits(chunk("c", nil)))
        flight.land(first, [])
        #expect(flight.admits(chunk("c", "b")))
    }

    @Test func resultsStandInTheOrderOfTheRequests() {
        var flight = PublishFlight()
        let numbers = [flight.begin(chunk(nil, nil)), flight.begin(chunk(nil))]
        flight.land(numbers[1], refusals(.tooLarge))
        flight.land(numbers[0], refusals(.refused, .notFound))
        let codes = flight.results.map { result -> ClientError.Code? in
            if case .failure(let error) = result { error.code } else { nil }
        }
        #expect(codes == [.refused, .notFound, .tooLarge])
    }

    /// Who gives a lane, or says when two requests are the same work, means an order.
    @Test func whatMeansAnOrder() {
        var request = PublishRequest(task: "t")
        #expect(!request.isOrdered)
        request.key = "lane"
        #expect(request.isOrdered)
        request.key = nil
        request.identity = .idempotencyKey("k")
        #expect(request.isOrdered)
        request.identity = .unique(window: nil)
        #expect(request.isOrdered)
    }

    @Test func aSecondChunkDoesNotWaitForTheFirst() async throws {
        let world = try await World()
        let due = world.plan.names.due("default")
        world.log.faults.holdAcknowledgements(of: due)
        let requests = (0..<TaskClient.chunkRecords * 2 + 1).map { _ in PublishRequest(task: "t") }
        async let published = world.client.publish(requests)
        try await world.log.faults.waitForHeldAcknowledgements(count: 2)
        #expect(try await world.dueEvents().count == 2 * TaskClient.chunkRecords)
        world.log.faults.releaseAcknowledgements(of: due)
        let ids = await published.map { try? $0.get().id }
        #expect(ids == requests.map(\.id))
    }
}
