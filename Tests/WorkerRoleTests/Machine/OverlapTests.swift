import TaskLog
import TaskModel
import Testing

@testable import WorkerRole

/// Fires of a schedule share a lane: the next is skipped while one is open.
@Suite struct OverlapTests {
    @Test func skipsBesideARunningOne() {
        var story = Story()
        story.open()
        #expect(story.deliver(fire("1"), fire("2")) == ["ledger skipped", "start 1"])
        #expect(story.acknowledge() == ["journal skipped nightly"])
        _ = story.acknowledge()
        #expect(story.finish("1") == ["ledger completed"])
        _ = story.acknowledge()
        #expect(story.deliver(fire("3")) == ["start 3"])
    }

    @Test func skipsBesideOneThatAnotherWorkerHolds() {
        var story = Story()
        story.open(notes: [Story.entry(fire("1"), .leased(Lease(holder: "other/n9", length: 30_000)))])
        #expect(story.deliver(fire("1"), fire("2")) == ["ledger skipped"])
    }

    @Test func skipsWhileOneWaitsForItsRetry() {
        var story = Story()
        story.open(notes: [Story.outcome(fire("1"), .retrying)])
        #expect(story.deliver(fire("2")) == ["ledger skipped"])
    }

    /// A later turn of the open one is itself, not an overlap.
    @Test func aRetryIsNotSkipped() {
        var story = Story()
        story.open(notes: [Story.outcome(fire("1"), .retrying)])
        #expect(story.deliver(fire("1") { $0.turn = 2 }) == ["start 1"])
    }

    @Test func aSkipOnItsWayDoesNotMakeTheNextOneSkip() {
        var story = Story()
        story.open()
        _ = story.deliver(fire("1"), fire("2"))
        _ = story.finish("1")
        // Neither the completion of 1 nor the skip of 2 is acknowledged yet: nothing of the lane runs, though.
        #expect(story.deliver(fire("3")) == ["start 3"])
    }

    @Test func otherLanesAndOtherRulesRun() {
        var story = Story()
        story.open()
        let other = fire("2") { $0.partitionKey = "hourly" }
        let allowed = fire("3") { $0.overlap = .allow }
        #expect(story.deliver(fire("1"), other, allowed) == ["start 1", "start 2", "start 3"])
    }

    /// Whoever settled has left its lane, and the others are still there.
    @Test func whoSettledHasLeftItsLaneAlone() {
        var story = Story()
        story.open()
        for id in ["1", "2", "3"] {
            #expect(story.deliver(fire(id)) == ["start \(id)"])
            #expect(story.finish(id) == ["ledger completed"])
            while !story.acknowledge().isEmpty {}
        }
        #expect(story.deliver(fire("4")) == ["start 4"])
        #expect(story.deliver(fire("5") { $0.partitionKey = "hourly" }) == ["start 5"])
        let atMostTwo = fire("6") {
            $0.overlap = .allow
            $0.overlapLimit = 2
        }
        #expect(story.deliver(atMostTwo) == ["start 6"])
        #expect(story.finish("6") == ["ledger completed"])
        while !story.acknowledge().isEmpty {}
        #expect(story.deliver(fire("7")) == ["ledger skipped"])
        #expect(story.deliver(fire("8") { $0.partitionKey = "hourly" }) == ["ledger skipped"])
    }

    private func fire(_ id: String, _ change: (inout TaskEvent) -> Void = { _ in }) -> TaskEvent {
        Story.event(id) {
            $0.partitionKey = "nightly"
            $0.scheduleID = "nightly"
            $0.overlap = .skip
            change(&$0)
        }
    }
}
