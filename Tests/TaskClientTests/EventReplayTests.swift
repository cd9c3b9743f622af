import TaskClient
import TaskModel
import Testing

struct EventReplayTests {
    @Test(arguments: [nil, "lane"])
    func whatHasEndedRunsAgainUnderItsNextReplay(key: String?) async throws {
        let world = try await World()
        var request = PublishRequest(task: "report", payload: [1, 2])
        request.key = key
        let receipt = try await world.client.publish(request)
        let first = try await world.dueEvents()[0]
        try await world.decide(first, OutcomeDetail(.completed))
        let result = try await world.client.replay(event: receipt.fingerprint, author: "ann", reason: "once more")
        guard case .replayed(let coordinate, let place) = result else {
            Issue.record("it should be replayed")
            return
        }
        #expect(coordinate == Coordinate(fingerprint: receipt.fingerprint, replay: 1, turn: 1))
        #expect(place.partition == receipt.place.partition)
        let events = try await world.dueEvents()
        #expect(events.map(\.payload) == [[1, 2], [1, 2]])
        #expect(try await world.client.journal(of: receipt.fingerprint.hex).map(\.kind) == [.replayed])
        // Until that one has ended there is nothing more to repeat.
        let again = try await world.client.replay(event: receipt.fingerprint, author: "bob", reason: "")
        #expect(again == .notEnded(.due(since: world.time.now())))
    }

    @Test func anOpenLetterIsMarked() async throws {
        let world = try await World()
        let receipt = try await world.client.publish(PublishRequest(task: "report"))
        let event = try await world.dueEvents()[0]
        try await world.decide(event, OutcomeDetail(.dead, deathReason: .fatal))
        try await world.bury(event, reason: .fatal)
        _ = try await world.client.replay(event: receipt.fingerprint, author: "ann", reason: "fixed")
        #expect(try await world.client.deadLetters().matching == 0)
    }

    @Test func whatIsUnknownOrHasLostItsPayloadIsSaid() async throws {
        let world = try await World()
        let event = sampleEvent()
        #expect(try await world.client.replay(event: event.fingerprint, author: "ann", reason: "") == .unknown)
        try await world.decide(event, OutcomeDetail(.completed))
        let error = await clientError {
            try await world.client.replay(event: event.fingerprint, author: "ann", reason: "")
        }
        #expect(error?.code == .refused)
        #expect(error?.message.contains("publish it anew") == true)
    }
}
