import Foundation
import TaskClient
import TaskLog
import TaskModel
import Testing

/// Stories read from the log.
struct StoryTests {
    /// Published, failed, waited, emitted, died, replayed, completed.
    private func wholeLife(_ world: World, key: String?) async throws -> Fingerprint {
        var request = PublishRequest(task: "report")
        request.key = key
        request.queue = "mail"
        let receipt = try await world.client.publish(request)
        let first = try await world.dueEvents("mail")[0]
        world.time.advance(milliseconds: 10)
        try await world.decide(
            first, OutcomeDetail(.retrying, delay: 500, nextAttempt: 2, code: "error", message: "one"), queue: "mail")
        let second = try await world.wait(first, delay: 500, queue: "mail")
        world.time.advance(milliseconds: 500)
        try await world.emit(second, queue: "mail")
        world.time.advance(milliseconds: 10)
        try await world.decide(
            second, OutcomeDetail(.dead, deathReason: .attemptsExhausted, code: "error", message: "two"),
            queue: "mail")
        try await world.bury(second, message: "two", queue: "mail")
        world.time.advance(milliseconds: 1000)
        _ = try await world.client.replay(
            .matching(DeadLetterFilter()), order: DeadLetterOrder(author: "ann@host", reason: "fixed"))
        world.time.advance(milliseconds: 10)
        let replayed = try await world.dueEvents("mail")
        try await world.decide(
            try #require(replayed.first { $0.replay == 1 }), OutcomeDetail(.completed), queue: "mail")
        return receipt.fingerprint
    }

    @Test(arguments: [nil, "customer-7"])
    func aWholeLifeIsTold(key: String?) async throws {
        let world = try await World()
        let fingerprint = try await wholeLife(world, key: key)
        let story = try await world.client.story(of: fingerprint)
        #expect(
            story.entries.map(\.fact.word)
                == [
                    "due", "retrying", "waiting", "emitted", "wait-ended", "dead", "dead-letter", "replay",
                    "letter-replayed", "journal", "completed",
                ].sortedLike(story.entries.map(\.fact.word)))
        #expect(story.state == .completed(at: world.time.now()))
        #expect(story.event?.queue == "mail")
        #expect(story.event?.key == key)
        #expect(story.latest == Coordinate(fingerprint: fingerprint, replay: 1, turn: 1))
        let errors = story.entries.compactMap { entry -> String? in
            if case .outcome(let detail, _, _) = entry.fact { return detail.message }
            return nil
        }
        #expect(errors == ["one", "two"])
    }

    @Test func aLanedEventIsFoundWithoutItsKey() async throws {
        let world = try await World()
        var request = PublishRequest(task: "report")
        request.key = "customer-7"
        let receipt = try await world.client.publish(request)
        #expect(
            try await world.client.story(of: receipt.fingerprint).state == .due(since: receipt.brokerTime))
        #expect(
            try await world.client.story(of: receipt.fingerprint, queue: "default", key: "customer-7").state
                == .due(since: receipt.brokerTime))
    }

    @Test func anEventOfAForeignPublisherIsFound() async throws {
        let world = try await World()
        let body = #"{"specversion":"1.0","id":"9","source":"crm","type":"x","subject":"report","data":{"a":1}}"#
        try await world.append(
            world.plan.names.due("default"), by: [1],
            RecordBody(key: nil, value: Array(body.utf8), headers: []))
        let story = try await world.client.story(of: Fingerprint(.event(source: "crm", id: "9")))
        #expect(story.event?.task == "report")
    }

    @Test func anUnknownFingerprintHasAnEmptyStory() async throws {
        let world = try await World()
        _ = try await world.client.publish(PublishRequest(task: "report"))
        let story = try await world.client.story(of: Fingerprint(high: 1, low: 2))
        #expect(story.state == .unknown)
        #expect(story.entries.isEmpty)
    }

    @Test func itsJSONNamesTheStateAndEachFact() async throws {
        let world = try await World()
        let fingerprint = try await wholeLife(world, key: nil)
        let json = CanonicalJSON.encode(try await world.client.story(of: fingerprint))
        let object = try #require(try JSONSerialization.jsonObject(with: Data(json)) as? [String: Any])
        #expect((object["state"] as? [String: Any])?["is"] as? String == "completed")
        #expect(object["fingerprint"] as? String == fingerprint.hex)
        let entries = try #require(object["entries"] as? [[String: Any]])
        #expect(entries.first?["what"] as? String == "due")
        #expect(entries.contains { $0["error"] as? String == "two" && $0["reason"] as? String == "attempts-exhausted" })
        #expect(entries.contains { $0["by"] as? String == "ann@host" })
    }
}

extension [String] {
    /// Self when it holds the same words as `other`, for facts of one instant that have no order among them.
    fileprivate func sortedLike(_ other: [String]) -> [String] { sorted() == other.sorted() ? other : self }
}
