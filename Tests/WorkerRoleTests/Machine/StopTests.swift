import TaskLog
import TaskModel
import Testing

@testable import WorkerRole

/// A stop in good order.
@Suite struct StopTests {
    @Test func handsOffAtOnceAndLeaves() {
        var story = Story()
        story.open()
        _ = story.deliver(Story.event("a"))
        #expect(story.wake(.stop) == ["ledger leased", "hand off 0 to 1 holes 0 clean", "leave"])
        #expect(story.deliver(Story.event("b")) == [])
        #expect(story.wake(.stop) == [])
    }

    @Test func anIdleWorkerFinishesAtOnce() {
        var story = Story()
        story.open()
        #expect(story.wake(.stop) == ["hand off 0 clean", "leave", "finish"])
    }

    @Test func finishesWhenItsLastDecisionIsAcknowledged() {
        var story = Story()
        story.open()
        _ = story.deliver(Story.event("a"))
        _ = story.wake(.stop)
        _ = story.acknowledge()
        #expect(story.finish("a") == ["ledger completed"])
        #expect(story.acknowledge() == ["finish"])
    }

    @Test func aRefusedDecisionIsAppendedAgainBeforeItFinishes() {
        var story = Story()
        story.open()
        _ = story.deliver(Story.event("a"))
        _ = story.wake(.stop)
        _ = story.acknowledge()
        _ = story.finish("a")
        #expect(story.refuse() == [])
        #expect(story.pass(500) == ["ledger completed"])
        #expect(story.acknowledge() == ["finish"])
    }

    @Test func afterTheGracePeriodTheRestIsReleased() {
        var story = Story { $0.grace = 5000 }
        story.open()
        _ = story.deliver(Story.event("a"))
        _ = story.wake(.stop)
        _ = story.acknowledge()
        #expect(story.pass(4999) == [])
        #expect(story.pass(1) == ["cancel a"])
        #expect(story.finish("a", .failed(code: "cancelled", message: "")) == ["ledger released", "finish"])
    }

    @Test func whoCompletesAfterTheGracePeriodHasCompleted() {
        var story = Story { $0.grace = 5000 }
        story.open()
        _ = story.deliver(Story.event("a"))
        _ = story.wake(.stop)
        _ = story.pass(5000)
        #expect(story.finish("a") == ["ledger completed"])
    }

    /// A turn that somebody else has decided is not released: that would start it once more.
    @Test func aStopDoesNotReleaseWhatOthersDecided() {
        var story = Story { $0.grace = 5000 }
        story.open()
        _ = story.deliver(Story.event("a"))
        _ = story.wake(.stop)
        #expect(story.read(Story.outcome(Story.event("a"), .cancelled)) == ["cancel a"])
        _ = story.pass(5000)
        #expect(story.finish("a", .failed(code: "cancelled", message: "")) == ["written", "finish"])
    }

    /// Nor what was lost before: its lease is over, another worker may run it.
    @Test func aStopDoesNotReleaseWhatWasLost() {
        var story = Story { $0.grace = 5000 }
        story.open()
        _ = story.deliver(Story.event("a"))
        _ = story.wake(.lost([Story.due]))
        _ = story.wake(.stop)
        _ = story.pass(5000)
        #expect(story.finish("a", .failed(code: "cancelled", message: "")) == ["finish"])
    }

    /// A log that never answers does not hold a stop for ever.
    @Test func givesUpOnADeadLogAfterALease() {
        var story = Story {
            $0.grace = 5000
            $0.lease = 10_000
        }
        story.open()
        _ = story.deliver(Story.event("a"))
        _ = story.wake(.stop)
        _ = story.finish("a")
        let lines = story.pass(15_000)
        #expect(lines.last == "finish")
        #expect(story.reports.last == .abandoned(appends: 1))
    }

    /// A suspect whose note was on its way did not start: that start is not lost.
    @Test func aNotedSuspectIsReleased() {
        var story = Story()
        story.open(committed: CommittedOffset(offset: 0, metadata: "unclean"), end: 1)
        #expect(story.deliver(Story.event("a")) == ["ledger started"])
        #expect(story.wake(.stop) == ["ledger released", "hand off 0 to 1 holes 0 clean", "leave", "finish"])
    }

    /// While it drains, nothing keeps the timer busy.
    @Test func theTimerRests() {
        var story = Story()
        story.open()
        _ = story.deliver(Story.event("a"))
        _ = story.wake(.stop)
        _ = story.acknowledge()
        #expect(!story.pass(29_000).contains("the timer never rests"))
        #expect(story.machine.nextWake.map { $0 > story.now.uptime } == true)
    }

    @Test func theTimerRestsWhenThePartitionGoesBeforeItsCommit() {
        var story = Story()
        story.open()
        _ = story.deliver(Story.event("a"))
        _ = story.wake(.revoking([Story.due]))
        #expect(!story.pass(1000).contains("the timer never rests"))
        #expect(story.machine.nextWake.map { $0 > story.now.uptime } == true)
    }
}
