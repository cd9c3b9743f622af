import TaskClient
import TaskLog
import TaskModel
import TaskTestKit
import Testing

struct WaitTests {
    @Test func itFollowsTheEventThroughARetryToItsEnd() async throws {
        let world = try await World()
        let progress = Observed<[WaitProgress]>([])
        let published = Observed<PublishReceipt?>(nil)
        async let result = withTimeout("the end of the event") {
            try await world.client.publish(
                PublishRequest(task: "report"), waitingAtMost: 60_000,
                onPublished: { receipt in published.update { $0 = receipt } },
                progress: { step in progress.update { $0.append(step) } })
        }
        _ = try await published.wait { $0 != nil }
        var event = try #require(try await world.dueEvents().first)
        let failed = OutcomeDetail(.retrying, delay: 1000, nextAttempt: 2, code: "error", message: "no paper")
        try await world.decide(event, failed)
        try await world.decide(event, failed)
        _ = try await progress.wait { !$0.isEmpty }
        event.turn = 2
        event.attempt = 2
        try await world.decide(event, OutcomeDetail(.completed))
        guard case .ended(let end) = try await result else {
            Issue.record("it should have ended")
            return
        }
        #expect(end.isCompleted)
        #expect(end.attempt == 2)
        #expect(!end.wasDecidedBefore)
        #expect(progress.value.map(\.detail) == [failed])
    }

    @Test func anEventThatHadEndedBeforeIsNotWaitedFor() async throws {
        let world = try await World()
        var request = PublishRequest(task: "report")
        request.identity = .idempotencyKey("once")
        let first = try await world.client.publish(request)
        try await world.decide(try await world.dueEvents()[0], OutcomeDetail(.completed))
        let again = request
        let result = try await withTimeout("a known end") {
            try await world.client.publish(again, waitingAtMost: nil)
        }
        guard case .ended(let end) = result else {
            Issue.record("it should have ended")
            return
        }
        #expect(end.wasDecidedBefore)
        #expect(end.coordinate == first.coordinate)
    }

    @Test func itGivesUpAfterItsTimeout() async throws {
        let world = try await World()
        let receipt = try await world.client.publish(PublishRequest(task: "report"))
        async let result = withTimeout("the timeout") {
            try await world.client.wait(for: receipt.fingerprint, timeout: 5000)
        }
        try await world.time.waitForSleepers(count: 1)
        world.time.advance(milliseconds: 5000)
        #expect(try await result == .timedOut)
    }

    @Test func aCancelledWaitEnds() async throws {
        let world = try await World()
        let receipt = try await world.client.publish(PublishRequest(task: "report"))
        let task = Task { try await world.client.wait(for: receipt.fingerprint, timeout: nil) }
        try await world.time.waitForSleepers(count: 1)
        task.cancel()
        let result = await task.result
        #expect(throws: ClientError.self) { try result.get() }
    }

    @Test func aWaitAfterwardsFindsTheEndAndItsReason() async throws {
        let world = try await World()
        let event = sampleEvent(key: "lane")
        try await world.decide(event, OutcomeDetail(.dead, deathReason: .fatal, code: "fatal", message: "bad input"))
        let result = try await withTimeout("a known end") {
            try await world.client.wait(for: event.fingerprint, key: "lane", timeout: 1000)
        }
        guard case .ended(let end) = result else {
            Issue.record("it should have ended")
            return
        }
        #expect(end.outcome == .dead)
        #expect(end.detail.deathReason == .fatal)
        #expect(end.detail.message == "bad input")
    }

    @Test func aWaitForAReplayPassesOverTheFirstRun() async throws {
        let world = try await World()
        var event = sampleEvent()
        try await world.decide(event, OutcomeDetail(.dead, deathReason: .fatal))
        event.replay = 1
        try await world.decide(event, OutcomeDetail(.completed))
        let fingerprint = event.fingerprint
        let result = try await withTimeout("the end of the replay") {
            try await world.client.wait(for: fingerprint, replay: 1, timeout: 1000)
        }
        guard case .ended(let end) = result else {
            Issue.record("it should have ended")
            return
        }
        #expect(end.isCompleted)
    }
}
