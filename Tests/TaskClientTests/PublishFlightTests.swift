import TaskLog
import TaskModel
import TaskTestKit
import Testing

@testable import TaskClient

/// Which chunks of one call go to the log at once.
struct PublishFlightTests {
    private func bonds(_ ids: String..., lane: String? = nil) -> PublishBonds {
        var chunk = PublishChunk()
        for id in ids {
            var event = TaskEvent(
                id: id, source: "test", task: "t", payload: [],
                fingerprint: Fingerprint(.event(source: "test", id: id)))
            event.partitionKey = lane
            let record = LogAppend(topic: "due", partition: 0, key: event.recordKey, value: [])
            chunk.add(.success(PreparedPublish(event, queue: "default", wait: nil, record: record)))
        }
        return chunk.bonds
    }

    private func refusals(_ codes: ClientError.Code...) -> PublishFlight.Results {
        codes.map { .failure(ClientError($0, "test")) }
    }

    @Test func twoGoAtOnceAndNoMore() {
        var flight = PublishFlight()
        #expect(flight.admits(bonds("a")))
        let first = flight.begin(bonds("a"))
        #expect(flight.admits(bonds("b")))
        _ = flight.begin(bonds("b"))
        #expect(!flight.admits(bonds("c")))
        flight.land(first, [])
        #expect(flight.admits(bonds("c")))
    }

    @Test func aChunkWaitsForThoseOfItsLanes() {
        var flight = PublishFlight()
        let first = flight.begin(bonds("a", "b", lane: "blue"))
        #expect(!flight.admits(bonds("c", lane: "blue")))
        #expect(flight.admits(bonds("c", lane: "red")))
        flight.land(first, [])
        #expect(flight.admits(bonds("c", lane: "blue")))
    }

    @Test func aChunkWaitsForThoseOfItsWorks() {
        var flight = PublishFlight()
        let first = flight.begin(bonds("a", "b", lane: "blue"))
        #expect(!flight.admits(bonds("c", "b")))
        flight.land(first, [])
        #expect(flight.admits(bonds("c", "b")))
    }

    @Test func resultsStandInTheOrderOfTheRequests() {
        var flight = PublishFlight()
        let numbers = [flight.begin(bonds("a", "b")), flight.begin(bonds("c"))]
        flight.land(numbers[1], refusals(.tooLarge))
        flight.land(numbers[0], refusals(.refused, .notFound))
        let codes = flight.results.map { result -> ClientError.Code? in
            if case .failure(let error) = result { error.code } else { nil }
        }
        #expect(codes == [.refused, .notFound, .tooLarge])
    }

    /// How many of three chunks are in the log while the first is not acknowledged; then all of them are.
    private func written(beside first: Int, _ requests: [PublishRequest]) async throws -> Int {
        let world = try await World()
        let due = world.plan.names.due("default")
        world.log.faults.holdAcknowledgements(of: due)
        async let published = world.client.publish(requests)
        try await world.log.faults.waitForHeldAcknowledgements(count: first)
        let count = try await world.dueEvents().count
        world.log.faults.releaseAcknowledgements(of: due)
        let ids = await published.map { try? $0.get().id }
        #expect(ids == requests.map(\.id))
        return count
    }

    @Test func aSecondChunkDoesNotWaitForTheFirst() async throws {
        let requests = (0..<2 * TaskClient.chunkRecords + 1).map { _ in PublishRequest(task: "t") }
        #expect(try await written(beside: 2, requests) == 2 * TaskClient.chunkRecords)
    }

    @Test func aLaneGoesOneChunkAtATime() async throws {
        let requests = (0..<2 * TaskClient.chunkRecords + 1).map { _ in
            var request = PublishRequest(task: "t")
            request.key = "blue"
            return request
        }
        #expect(try await written(beside: 1, requests) == TaskClient.chunkRecords)
    }
}
