import TaskLog
import TaskModel
import Testing

@testable import WorkerRole

/// The log does not take an append.
@Suite struct RefusalTests {
    @Test func refusedAppendsGoOutAgainWithAGrowingPause() {
        var story = Story()
        story.open()
        _ = story.deliver(Story.event("a"))
        _ = story.finish("a")
        #expect(story.refuse() == [])
        #expect(story.pass(499) == ["commit 0 to 1 holes 0"])
        #expect(story.pass(1) == ["ledger completed"])
        _ = story.refuse()
        #expect(story.pass(999) == [])
        #expect(story.pass(1) == ["ledger completed"])
        #expect(story.acknowledge() == [])
        #expect(story.pass(100) == ["commit 1"])
        #expect(story.machine.counters.appendFailures == 2)
    }

    @Test func aRefusedEffectIsAppendedAgain() {
        var story = Story()
        story.open()
        _ = story.deliver(Story.event("a"))
        _ = story.finish("a", .failed(code: "error", message: "no"))
        _ = story.acknowledge()
        _ = story.refuse()
        #expect(story.pass(500).filter { !$0.hasPrefix("commit") } == ["retry a turn 2 attempt 2 after 1000"])
        _ = story.acknowledge()
        #expect(story.pass(100) == ["commit 1"])
    }

    /// Nothing is appended for a turn that is another's meanwhile.
    @Test func whatLostItsPurposeIsNotAppendedAgain() {
        var story = Story()
        story.open()
        _ = story.deliver(Story.event("a"))
        _ = story.finish("a", .failed(code: "error", message: "no"))
        _ = story.refuse()
        _ = story.wake(.lost([Story.due]))
        #expect(story.pass(60_000) == ["unfollow"])
    }

    @Test func aLetterThatIsTooLargeIsTrimmed() throws {
        var story = Story()
        story.open()
        let event = Story.event("a") {
            $0.attempt = 3
            for attempt in 1...2 {
                $0.history.append(
                    AttemptFailure(
                        attempt: UInt32(attempt), turn: UInt32(attempt), replay: 0, at: .epoch, worker: "w",
                        code: "error", message: "old"))
            }
        }
        _ = story.deliver(event)
        _ = story.finish("a", .failed(code: "error", message: "last"))
        _ = story.acknowledge()
        #expect(story.refuse(LogError(.recordTooLarge, "1 MiB at most")) == ["letter a attempts-exhausted"])
        let record = try #require(story.onTheWay.first?.record)
        guard
            case .letter(let letter) = try DeadTopicRecord(
                key: record.key, value: record.value, headers: record.headers,
                place: RecordPlace(topic: record.topic, partition: 0, offset: 0))
        else {
            Issue.record("no letter")
            return
        }
        #expect(letter.event.history.failures.map(\.message) == ["last"])
        #expect(letter.event.payload == event.payload)
        #expect(story.acknowledge() == [])
    }

    /// Nothing is lost and nothing is hidden: it stays a hole, is reported, and goes through once the limit is raised.
    @Test func whatIsStillTooLargeStaysAHole() {
        var story = Story()
        story.open()
        _ = story.deliver(Story.event("a"))
        _ = story.finish("a", .failed(code: "error", message: "no"))
        _ = story.acknowledge()
        let error = LogError(.recordTooLarge, "1 MiB at most")
        _ = story.refuse(error)
        #expect(story.refuse(error) == [])
        #expect(story.reports.contains(.stuck(Story.event("a").coordinate, error)))
        #expect(story.pass(29_999) == ["commit 0 to 1 holes 0"])
        #expect(story.pass(1) == ["retry a turn 2 attempt 2 after 1000"])
        _ = story.acknowledge()
        #expect(story.pass(100) == ["commit 1"])
    }

    @Test func aForwardThatIsTooLargeDies() {
        var story = Story { $0.queues[0].partitions = 4 }
        story.open()
        let event = (0...).lazy.map { Story.event("m\($0)") }
            .first { Murmur2.partition(of: $0.recordKey, count: 4) != 0 }!
        _ = story.deliver(event)
        #expect(story.refuse(LogError(.recordTooLarge, "1 MiB at most")) == ["ledger dead"])
        #expect(story.acknowledge() == ["letter \(event.id) misrouted"])
    }
}

extension Story {
    fileprivate mutating func refuse(_ error: LogError) -> [String] { refuse(nil, error) }
}
