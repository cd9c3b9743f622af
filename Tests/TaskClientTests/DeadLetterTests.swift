import Foundation
import TaskClient
import TaskLog
import TaskModel
import TaskTestKit
import Testing

struct DeadLetterTests {
    private let order = DeadLetterOrder(author: "ann@host", reason: "fixed the printer")

    private func filter(_ change: (inout DeadLetterFilter) -> Void) -> DeadLetterFilter {
        var filter = DeadLetterFilter()
        change(&filter)
        return filter
    }

    @Test func lettersAreFoundByWhatTheyDiedOf() async throws {
        let world = try await World()
        try await world.bury(sampleEvent("1", task: "report"), code: "http-503", message: "No Paper left")
        world.time.advance(milliseconds: 1000)
        let middle = world.time.now()
        try await world.bury(sampleEvent("2", task: "mail"), reason: .fatal, code: "fatal", message: "bad address")
        world.time.advance(milliseconds: 1000)
        try await world.bury(sampleEvent("3", task: "report"), code: "timeout", message: "too slow", queue: "mail")
        func ids(_ change: (inout DeadLetterFilter) -> Void) async throws -> [Int] {
            let letters = try await world.client.deadLetters(filter(change)).letters
            return letters.map { letter in
                (1...3).first { sampleEvent(String($0)).fingerprint == letter.key.fingerprint } ?? 0
            }
        }
        #expect(try await ids { _ in } == [3, 2, 1])
        #expect(try await ids { $0.task = "report" } == [3, 1])
        #expect(try await ids { $0.queue = "mail" } == [3])
        #expect(try await ids { $0.error = "paper" } == [1])
        #expect(try await ids { $0.error = "timeout" } == [3])
        #expect(try await ids { $0.error = "http" } == [])
        #expect(try await ids { $0.reason = .fatal } == [2])
        #expect(try await ids { $0.since = middle } == [3, 2])
        #expect(try await ids { $0.until = middle } == [1])
        #expect(try await ids { $0.fingerprint = sampleEvent("2").fingerprint } == [2])
    }

    @Test func theNewestAreListedAndAllAreCounted() async throws {
        let world = try await World()
        for id in 1...10 {
            try await world.bury(sampleEvent("\(id)", task: id % 2 == 0 ? "even" : "odd"), code: "c\(id % 3)")
            world.time.advance(milliseconds: 1)
        }
        let report = try await world.client.deadLetters(limit: 2)
        #expect(report.letters.map(\.key.fingerprint) == [sampleEvent("10"), sampleEvent("9")].map(\.fingerprint))
        #expect(report.matching == 10)
        #expect(report.groups.reduce(0) { $0 + $1.count } == 10)
        #expect(report.groups.first?.count == 2)
        #expect(report.groups.count == 6)
        #expect(!report.isTruncated)
    }

    @Test func replayPutsTheEventBackAsNewUnderTheNextReplay() async throws {
        let world = try await World()
        var event = sampleEvent(key: "lane")
        event.turn = 5
        event.attempt = 5
        event.firstDueAt = world.time.now()
        event.isForwarded = true
        let key = try await world.bury(event)
        let report = try await world.client.replay(.matching(DeadLetterFilter()), order: order)
        #expect(report.done == 1)
        let replayed = try #require(try await world.dueEvents().first)
        #expect(replayed.coordinate == Coordinate(fingerprint: event.fingerprint, replay: 1, turn: 1))
        #expect(replayed.attempt == 1)
        #expect(replayed.history.isEmpty)
        #expect(replayed.firstDueAt == nil)
        #expect(!replayed.isForwarded)
        #expect(replayed.payload == event.payload)
        #expect(replayed.partitionKey == "lane")
        #expect(try await world.client.deadLetters().matching == 0)
        let detail = try await world.client.deadLetter(event.fingerprint)
        guard case .replayed(let mark) = detail.summary.state else {
            Issue.record("the letter should be marked")
            return
        }
        #expect(mark.by == "ann@host")
        #expect(mark.reason == "fixed the printer")
        #expect(detail.summary.key == key)
        #expect(detail.letter.event.history.last?.message == "it broke")
        let journal = try await world.client.journal(of: event.fingerprint.hex)
        #expect(journal.map(\.kind) == [.replayed])
        #expect(journal.first?.author == "ann@host")
    }

    @Test func aSecondRunSeesTheMarks() async throws {
        let world = try await World()
        let key = try await world.bury(sampleEvent())
        _ = try await world.client.replay(.matching(DeadLetterFilter()), order: order)
        #expect(try await world.client.replay(.matching(DeadLetterFilter()), order: order).total == 0)
        let named = try await world.client.replay(.letters([key]), order: order)
        #expect(named.alreadyHandled == 1)
        #expect(named.done == 0)
        #expect(try await world.dueEvents().count == 1)
    }

    /// Both have put the event into its queue before either can mark the letter.
    @Test func twoClientsAtOnceMakeTheSameCoordinate() async throws {
        let world = try await World()
        try await world.bury(sampleEvent())
        let due = world.plan.names.due("default")
        let logs = [world.log, MemoryTaskLog(broker: world.log.broker)]
        for log in logs { log.faults.holdAcknowledgements(of: due) }
        let order = order
        @Sendable func replay(_ log: MemoryTaskLog) async throws -> DeadLetterActionReport {
            try await withTimeout("a replay") {
                try await TaskClient(log: log, plan: world.plan, time: world.time).replay(
                    .matching(DeadLetterFilter()), order: order)
            }
        }
        async let first = replay(logs[0])
        async let second = replay(logs[1])
        for log in logs {
            try await log.faults.waitForHeldAcknowledgements()
            log.faults.releaseAcknowledgements(of: due)
        }
        _ = try await (first, second)
        let coordinates = try await world.dueEvents().map(\.coordinate)
        #expect(Set(coordinates) == [Coordinate(fingerprint: sampleEvent().fingerprint, replay: 1, turn: 1)])
        #expect(try await world.client.deadLetters().matching == 0)
    }

    @Test func aCrashBetweenEventAndMarkReplaysTheSameCoordinateAgain() async throws {
        let world = try await World()
        try await world.bury(sampleEvent())
        world.log.faults.nextAppends(
            to: world.plan.names.dead, meet: .refused(LogError(.unavailable, "the broker is away")))
        let error = await clientError {
            try await world.client.replay(.matching(DeadLetterFilter()), order: order)
        }
        #expect(error?.isRetriable == true)
        #expect(try await world.client.deadLetters().matching == 1)
        #expect(try await world.client.replay(.matching(DeadLetterFilter()), order: order).done == 1)
        let coordinates = try await world.dueEvents().map(\.coordinate)
        #expect(coordinates.count == 2)
        #expect(Set(coordinates).count == 1)
    }

    @Test func aDryRunWritesNothing() async throws {
        let world = try await World()
        try await world.bury(sampleEvent())
        var order = order
        order.isDryRun = true
        let steps = Observed<[DeadLetterStep]>([])
        let report = try await world.client.replay(.matching(DeadLetterFilter()), order: order) { step in
            steps.update { $0.append(step) }
        }
        #expect(report.done == 1)
        #expect(
            steps.value.map(\.result) == [
                .wouldReplay(Coordinate(fingerprint: sampleEvent().fingerprint, replay: 1, turn: 1))
            ])
        #expect(try await world.dueEvents().isEmpty)
        #expect(try await world.client.deadLetters().matching == 1)
        #expect(try await world.client.journal(of: sampleEvent().fingerprint.hex).isEmpty)
    }

    @Test func discardedLettersAreNotReplayed() async throws {
        let world = try await World()
        let key = try await world.bury(sampleEvent())
        #expect(try await world.client.discard(.letters([key]), order: order).done == 1)
        let report = try await world.client.replay(.letters([key]), order: order)
        #expect(report.alreadyHandled == 1)
        #expect(try await world.dueEvents().isEmpty)
        #expect(try await world.client.journal(of: sampleEvent().fingerprint.hex).map(\.kind) == [.discarded])
        let all = try await world.client.deadLetters(filter { $0.states = .all })
        #expect(all.letters.map(\.state.word) == ["discarded"])
    }

    @Test func onlyTheOldestAreTakenUpToTheLimit() async throws {
        let world = try await World()
        for id in 1...5 {
            try await world.bury(sampleEvent("\(id)"))
            world.time.advance(milliseconds: 1)
        }
        let report = try await world.client.replay(.matching(DeadLetterFilter(), limit: 2), order: order)
        #expect(report.done == 2)
        #expect(Set(try await world.dueEvents().map(\.id)) == ["1", "2"])
    }

    @Test func whatCannotBeReplayedIsRefusedAndHoldsUpNothing() async throws {
        let world = try await World()
        var expired = sampleEvent("expired")
        expired.expiresAt = world.time.now()
        try await world.bury(expired)
        try await world.bury(sampleEvent("gone"), queue: "closed")
        try await world.bury(sampleEvent("fine"))
        let missing = DeadLetterKey(fingerprint: Fingerprint(high: 1, low: 1), replay: 0)
        let report = try await world.client.replay(.matching(DeadLetterFilter()), order: order)
        #expect(report.done == 1)
        #expect(report.refused == 2)
        #expect(Set(report.refusals.values.map(\.code)) == [.refused, .unknownQueue])
        #expect(try await world.dueEvents().map(\.id) == ["fine"])
        let named = try await world.client.replay(.letters([missing]), order: order)
        #expect(named.refusals[missing]?.code == .notFound)
    }

    @Test func anUnreadableRecordIsReplayedOnlyOnceItCanBeRead() async throws {
        let world = try await World()
        let place = RecordPlace(topic: world.plan.names.due("default"), partition: 1, offset: 7)
        func standIn(_ offset: Int64, headers: RecordHeaders, payload: String) -> (TaskEvent, DeadLetter.RawRecord) {
            let event = TaskEvent(
                id: "x\(offset)", source: "kafka", task: "", payload: Array(payload.utf8),
                fingerprint: Fingerprint(.place(topic: place.topic, partition: 1, offset: offset)))
            return (event, DeadLetter.RawRecord(key: nil, headers: headers, problem: "no task"))
        }
        let (broken, brokenRaw) = standIn(7, headers: [RecordHeader("x", "y")], payload: "no event")
        let (readable, readableRaw) = standIn(8, headers: [RecordHeader("task", "report")], payload: "hello")
        try await world.bury(broken, reason: .undecodable, raw: brokenRaw)
        try await world.bury(readable, reason: .undecodable, raw: readableRaw)
        #expect(try await world.client.deadLetters().letters.map(\.isUnreadable) == [true, true])
        let report = try await world.client.replay(.matching(DeadLetterFilter()), order: order)
        #expect(report.done == 1)
        #expect(report.refusals.values.first?.message.contains("publish a corrected event instead") == true)
        let event = try #require(try await world.dueEvents().first)
        #expect(event.task == "report")
        #expect(event.payload == Array("hello".utf8))
        #expect(event.coordinate == Coordinate(fingerprint: readable.fingerprint, replay: 1, turn: 1))
    }

    @Test func aRateSpreadsTheLettersInTime() async throws {
        let world = try await World()
        for id in 1...3 { try await world.bury(sampleEvent("\(id)")) }
        var order = order
        order.rate = 1
        let paced = order
        let steps = Observed<Int>(0)
        async let report = withTimeout("the paced replay") {
            try await world.client.replay(.matching(DeadLetterFilter()), order: paced) { step in
                steps.update { $0 = step.done }
            }
        }
        for done in 1...2 {
            _ = try await steps.wait { $0 == done }
            try await world.time.waitForSleepers(count: 1)
            #expect(world.time.millisecondsToNextSleeper == 1000)
            world.time.advance(milliseconds: 1000)
        }
        #expect(try await report.done == 3)
    }

    @Test func aLetterOfALaterReplaySupersedesTheEarlierOne() async throws {
        let world = try await World()
        var event = sampleEvent()
        try await world.bury(event)
        event.replay = 1
        try await world.bury(event)
        let open = try await world.client.deadLetters()
        #expect(open.letters.map(\.key.replay) == [1])
        #expect(try await world.client.deadLetter(event.fingerprint, replay: 0).summary.state == .superseded(by: 1))
    }

    @Test func aMissingLetterIsNotFound() async throws {
        let world = try await World()
        let error = await clientError { try await world.client.deadLetter(sampleEvent().fingerprint) }
        #expect(error?.code == .notFound)
    }

    @Test func itsJSONShowsPayloadAndFailures() async throws {
        let world = try await World()
        try await world.bury(sampleEvent(), message: "no paper")
        let detail = try await world.client.deadLetter(sampleEvent().fingerprint)
        let json = try JSONSerialization.jsonObject(with: Data(CanonicalJSON.encode(detail))) as? [String: Any]
        #expect(json?["payload"] as? String == "{}")
        #expect((json?["failures"] as? [[String: Any]])?.first?["error"] as? String == "no paper")
        #expect((json?["state"] as? [String: Any])?["is"] as? String == "open")
    }
}
