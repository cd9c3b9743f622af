import TaskLog
import TaskModel
import Testing

@testable import WorkerRole

/// What becomes of a record before anything runs.
@Suite struct JudgingTests {
    @Test func anEventThatTheLedgerCompletedIsStale() {
        let event = Story.event("a")
        var story = Story()
        story.open(notes: [Story.outcome(event, .completed)])
        #expect(story.deliver(event) == [])
        #expect(story.machine.counters.stale == 1)
        #expect(story.pass(100) == ["commit 1"])
    }

    @Test func aReplayOfACompletedEventRuns() {
        var story = Story()
        story.open(notes: [Story.outcome(Story.event("a"), .completed)])
        #expect(story.deliver(Story.event("a") { $0.replay = 1 }) == ["start a"])
    }

    /// The effect of a decided turn is done again, not the work.
    @Test func aDecidedTurnIsRedone() {
        let event = Story.event("a")
        var story = Story()
        story.open(notes: [Story.outcome(event, .retrying)])
        #expect(story.deliver(event) == ["retry a turn 2 attempt 2 after 5000"])
        #expect(story.pass(100) == ["commit 0 to 1 holes 0"], "a hole until the effect is durable")
        #expect(story.acknowledge() == [])
        #expect(story.pass(100) == ["commit 1"])
        #expect(story.machine.counters.redone == 1)
    }

    @Test func aDeathIsRedone() {
        let event = Story.event("a")
        var story = Story()
        story.open(notes: [Story.outcome(event, .dead)])
        #expect(story.deliver(event) == ["letter a fatal"])
    }

    @Test func aTurnBelowTheDecidedOneIsStale() {
        var story = Story()
        story.open(notes: [Story.outcome(Story.event("a") { $0.turn = 2 }, .retrying)])
        #expect(story.deliver(Story.event("a")) == [])
        #expect(story.machine.counters.stale == 1)
    }

    @Test func anEqualCoordinateBesideARunningOneIsADuplicate() {
        var story = Story()
        story.open()
        #expect(story.deliver(Story.event("a"), Story.event("a")) == ["start a"])
        #expect(story.machine.counters.duplicates == 1)
        #expect(story.pass(100) == ["commit 0 to 2 holes 0"])
        _ = story.finish("a")
        _ = story.acknowledge()
        #expect(story.pass(100) == ["commit 2"])
    }

    @Test func aHigherCoordinateWaitsAndIsJudgedThen() {
        var story = Story()
        story.open()
        let retry = Story.event("a") {
            $0.turn = 2
            $0.attempt = 2
        }
        #expect(story.deliver(Story.event("a"), retry) == ["start a"])
        #expect(story.finish("a", .failed(code: "error", message: "no")) == ["ledger retrying"])
        #expect(story.acknowledge() == ["retry a turn 2 attempt 2 after 1000"])
        #expect(story.acknowledge() == ["start a"], "the emission that came early runs now")
    }

    @Test func aHigherCoordinateBehindACompletedOneIsStale() {
        var story = Story()
        story.open()
        #expect(story.deliver(Story.event("a"), Story.event("a") { $0.turn = 2 }) == ["start a"])
        _ = story.finish("a")
        #expect(story.acknowledge() == [])
        #expect(story.machine.counters.stale == 1)
        #expect(story.pass(100) == ["commit 2"])
    }

    /// A foreign publisher can make any number of turns: a loop, not a stack.
    @Test func tenThousandStaleTurnsOfOneFingerprintFit() {
        var story = Story { $0.maximumHoles = 20_000 }
        story.open()
        let turns = (1...10_000).map { turn in Story.event("a") { $0.turn = UInt32(turn) } }
        #expect(story.deliver(turns) == ["start a"])
        _ = story.finish("a")
        #expect(story.acknowledge() == [])
        #expect(story.machine.counters.stale == 9999)
    }

    @Test func undecodableRecordsDieWithTheirBytes() throws {
        var story = Story()
        story.open()
        let headers: RecordHeaders = [RecordHeader("ce_id", "x"), RecordHeader("odd", [0xff])]
        let record = story.record(key: [0xfe, 1], value: [1, 2, 3], headers: headers)
        #expect(story.wake(.records([record])) == ["ledger dead"])
        _ = story.acknowledge()
        let letter = try #require(story.onTheWay.first?.record)
        guard
            case .letter(let dead) = try DeadTopicRecord(
                key: letter.key, value: letter.value, headers: letter.headers,
                place: RecordPlace(topic: letter.topic, partition: 0, offset: 0))
        else {
            Issue.record("no letter")
            return
        }
        #expect(dead.reason == .undecodable)
        #expect(dead.event.payload == [1, 2, 3])
        #expect(dead.raw.flatMap { $0.key.map(Array.init) } == [0xfe, 1])
        #expect(dead.raw?.headers.map(\.name) == ["ce_id", "odd"])
        #expect(dead.place == RecordPlace(topic: Story.due.topic, partition: 0, offset: 0))
        #expect(story.machine.counters.undecodable == 1)
    }

    @Test func anUnknownTaskComesBackAndDiesOfAge() {
        var story = Story()
        story.open()
        #expect(story.deliver(Story.event("a", task: "new")) == ["ledger snoozed"])
        let effect = story.acknowledge()
        #expect(effect.count == 1 && effect[0].hasPrefix("retry a turn 2 attempt 1 after"))
        _ = story.acknowledge()
        let old = Story.event("a", task: "new") {
            $0.turn = 2
            $0.firstDueAt = story.now.wall - 3_600_000
        }
        #expect(story.deliver(old) == ["ledger dead"])
        #expect(story.acknowledge() == ["letter a unknown-task"])
    }

    @Test func expiredEventsDoNotStart() {
        var story = Story()
        story.open()
        let late = Story.event("a") { $0.expiresAt = story.now.wall }
        #expect(story.deliver(late) == ["ledger expired"])
        #expect(story.acknowledge() == [])
        #expect(story.pass(100) == ["commit 1"])
    }

    /// Nor those that expired while they waited for a slot.
    @Test func eventsExpireInTheQueue() {
        var story = Story { $0.concurrency = 1 }
        story.open()
        let second = Story.event("b") { $0.expiresAt = story.now.wall + 50 }
        #expect(story.deliver(Story.event("a"), second) == ["start a"])
        _ = story.pass(50)
        #expect(story.finish("a") == ["ledger completed", "ledger expired"])
    }

    // MARK: wrong partitions

    @Test func aMisplacedEventIsMovedOnceBeforeAnythingElse() {
        var story = Story { $0.queues[0].partitions = 4 }
        story.open()
        let event = misplaced { $0.expiresAt = Timestamp(milliseconds: 0) }
        let right = Murmur2.partition(of: event.recordKey, count: 4)
        #expect(story.deliver(event) == ["\(Story.due.topic)[\(right)]"])
        #expect(story.acknowledge() == [], "settled by the watermark alone")
        #expect(story.pass(100) == ["commit 1"])
        #expect(story.machine.counters.forwarded == 1)
    }

    @Test func movedAndWrongAgainIsDead() {
        var story = Story { $0.queues[0].partitions = 4 }
        story.open()
        let event = misplaced { $0.isForwarded = true }
        #expect(story.deliver(event) == ["ledger dead"])
        #expect(story.acknowledge() == ["letter \(event.id) misrouted"])
    }

    private func misplaced(_ change: (inout TaskEvent) -> Void) -> TaskEvent {
        for number in 0... {
            let event = Story.event("m\(number)", change)
            if Murmur2.partition(of: event.recordKey, count: 4) != 0 { return event }
        }
        preconditionFailure("three of four are misplaced")
    }
}
