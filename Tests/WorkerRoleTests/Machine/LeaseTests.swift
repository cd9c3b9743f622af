import TaskLog
import TaskModel
import Testing

@testable import WorkerRole

/// Hand-off: what runs goes on under a lease, and nothing runs twice.
@Suite struct LeaseTests {
    // MARK: the holder

    @Test func aRevokeLeasesWhatRunsAndCommitsClean() {
        var story = Story()
        story.open()
        _ = story.deliver(Story.event("a"), Story.event("b"))
        _ = story.finish("b")
        _ = story.acknowledge()
        #expect(story.wake(.revoking([Story.due])) == ["ledger leased", "hand off 0 to 2 holes 0 clean"])
        #expect(story.finish("a") == ["ledger completed"])
    }

    @Test func theHolderRenewsAndStopsInTime() {
        var story = Story { $0.lease = 30_000 }
        story.open()
        _ = story.deliver(Story.event("a"))
        _ = story.wake(.revoking([Story.due]))
        _ = story.acknowledge()
        #expect(story.pass(10_000) == ["ledger leased"])
        _ = story.acknowledge()
        // The last acknowledged note was sent at 10 s: the end is 24 s after that.
        #expect(story.pass(10_000) == ["ledger leased"])
        _ = story.refuse()
        let rest = story.pass(13_999)
        #expect(!rest.contains("cancel a"))
        #expect(story.pass(1).contains("cancel a"))
        #expect(story.finish("a", .failed(code: "cancelled", message: "")) == [], "no right to decide that")
    }

    /// Its partition is revoked while the event runs, and the log has refused the note of that once.
    private func refusedLease(of event: TaskEvent) -> Story {
        var story = Story()
        story.open()
        _ = story.deliver(event)
        _ = story.wake(.revoking([Story.due]))
        _ = story.refuse()
        return story
    }

    /// A note that the log refused is appended again, and the partition is not let go before it is there: its next owner
    /// would run the turn beside us.
    @Test func aHandOffWaitsForANoteThatTheLogRefused() {
        var story = Story()
        story.open()
        _ = story.deliver(Story.event("a"), Story.event("b"))
        _ = story.wake(.revoking([Story.due]))
        #expect(story.refuse() == [])
        #expect(story.pass(500) == ["ledger leased", "ledger leased"])
        #expect(story.acknowledge(1) == [])
        #expect(story.acknowledge() == ["written"])
    }

    /// A hand-off of nothing, by a stop or by a group that revokes once more, gives the partition away as well.
    @Test func aLaterHandOffWaitsForTheWordsOfAnEarlierOne() {
        var story = refusedLease(of: Story.event("a"))
        #expect(story.wake(.stop) == ["hand off without news", "leave"])
        #expect(story.pass(500) == ["ledger leased"])
        #expect(story.acknowledge() == ["written", "written"])
    }

    /// The log was away for long, so it is tried seldom by now: not while a hand-off waits.
    @Test func aHandOffDoesNotWaitForAPauseThatHasGrown() {
        var story = Story()
        story.open()
        _ = story.deliver(Story.event("a"), Story.event("b"))
        _ = story.finish("a")
        for pause in [500, 1000, 2000] as [Int64] {
            _ = story.refuse()
            #expect(story.pass(pause).contains("ledger completed"))
        }
        _ = story.refuse()
        _ = story.wake(.revoking([Story.due]))
        _ = story.refuse()
        #expect(story.pass(500).filter { $0 == "ledger leased" }.count == 2)
        #expect(story.acknowledge() == ["written"])
    }

    /// Back with its holder, the turn needs no word for another one.
    @Test func aHandOffDoesNotWaitForATurnThatCameBack() {
        let event = Story.event("a")
        var story = refusedLease(of: event)
        story.nextOffset = 0
        story.open(epoch: 2)
        #expect(story.deliver(event) == ["written"])
    }

    @Test(arguments: [AttemptResult.completed, .failed(code: "error", message: "no")])
    func anEndIsAsGoodAsALeaseForAHandOff(_ end: AttemptResult) {
        var story = refusedLease(of: Story.event("a"))
        #expect(story.finish("a", end).count == 1)
        #expect(story.refuse() == [])
        #expect(story.pass(500).count == 1)
        #expect(story.acknowledge() == ["written"])
    }

    /// Another worker has completed the turn: there is nothing to say.
    @Test func aHandOffDoesNotWaitForANoteThatIsGivenUp() {
        let event = Story.event("a")
        var story = refusedLease(of: event)
        _ = story.read(Story.outcome(event, .completed))
        #expect(story.finish("a") == ["written"])
    }

    @Test func whoLostItsLeaseMayStillComplete() {
        var story = Story()
        story.open()
        _ = story.deliver(Story.event("a"))
        #expect(story.wake(.lost([Story.due])) == ["cancel a", "forget"])
        #expect(story.finish("a", .completed) == ["ledger completed"])
    }

    @Test func whatIsLostUnrevokedIsCancelled() {
        var story = Story()
        story.open()
        _ = story.deliver(Story.event("a"), Story.event("b"))
        #expect(story.wake(.lost([Story.due])) == ["cancel a", "cancel b", "forget"])
        #expect(story.finish("a", .failed(code: "error", message: "")) == [])
        #expect(story.finish("b", .fatal(reason: .fatal, code: "x", message: "")) == [])
    }

    /// A completion that waits for its acknowledgement when the partition is lost stays ours to append.
    @Test func aCompletionOnItsWayIsNotLostWithThePartition() {
        var story = Story()
        story.open()
        _ = story.deliver(Story.event("a"))
        _ = story.finish("a")
        #expect(story.wake(.lost([Story.due])) == ["ledger completed", "forget"])
        _ = story.refuse()
        #expect(story.pass(500) == ["ledger completed"])
    }

    /// A decision that the log has not taken yet keeps its turn under a lease: the next owner waits for it.
    @Test func aDecisionOnItsWayIsLeased() {
        var story = Story { $0.lease = 1500 }
        story.open()
        _ = story.deliver(Story.event("a"))
        _ = story.finish("a", .failed(code: "error", message: "no"))
        #expect(
            story.wake(.revoking([Story.due])) == ["ledger leased", "ledger retrying", "hand off 0 to 1 holes 0 clean"])
        for _ in 1...2 {
            _ = story.refuse()
            #expect(story.pass(500).contains("ledger retrying"))
        }
        _ = story.refuse()
        #expect(!story.pass(30_000).contains("ledger retrying"), "past the lease it would be another's turn")
    }

    /// Stopped past its lease, it hears of the attempt's end before its timer rings.
    @Test(arguments: [true, false])
    func aHolderThatWakesPastItsLeaseMayOnlyComplete(completes: Bool) {
        var story = Story { $0.lease = 30_000 }
        story.open()
        _ = story.deliver(Story.event("a"))
        _ = story.wake(.revoking([Story.due]))
        _ = story.acknowledge()
        story.now.uptime += 60_000
        let result: AttemptResult = completes ? .completed : .failed(code: "error", message: "no")
        #expect(story.finish("a", result) == (completes ? ["ledger completed"] : []))
    }

    @Test func ourOwnLeaseComesBack() {
        var story = Story()
        story.open()
        let event = Story.event("a")
        _ = story.deliver(event)
        _ = story.wake(.revoking([Story.due]))
        story.nextOffset = 0
        story.open(
            epoch: 2, committed: nil,
            notes: [Story.entry(event, .leased(Lease(holder: "w/n1", length: 30_000)), worker: "w/n1")])
        #expect(story.deliver(event) == ["written"], "it runs already")
        #expect(story.machine.counters.reattached == 1)
        #expect(story.finish("a", .failed(code: "error", message: "no")) == ["ledger retrying"])
        #expect(story.acknowledge() == ["retry a turn 2 attempt 2 after 1000"])
    }

    /// Lost, cancelled, and the partition comes back before the attempt ended: the turn runs anew, nothing is spent.
    @Test func aLostAttemptThatComesBackStartsAgain() {
        var story = Story()
        story.open()
        let event = Story.event("a")
        _ = story.deliver(event)
        _ = story.wake(.lost([Story.due]))
        story.nextOffset = 0
        story.open(epoch: 2)
        #expect(story.deliver(event) == [])
        #expect(story.finish("a", .failed(code: "cancelled", message: "")) == ["start a"])
    }

    /// Cancelled by us and revoked again: it goes back, and no attempt is spent.
    @Test func aCancelledAttemptThatIsRevokedAgainIsReleased() {
        var story = Story()
        story.open()
        let event = Story.event("a")
        _ = story.deliver(event)
        _ = story.wake(.lost([Story.due]))
        story.nextOffset = 0
        story.open(epoch: 2)
        _ = story.deliver(event)
        #expect(story.wake(.revoking([Story.due])) == ["ledger leased", "hand off 0 to 1 holes 0 clean"])
        #expect(story.finish("a", .failed(code: "cancelled", message: "")) == ["ledger released"])
        #expect(story.acknowledge() == ["written"])
    }

    @Test func aCancelFromThePersonReachesTheHolder() {
        var story = Story()
        story.open()
        _ = story.deliver(Story.event("a"))
        _ = story.wake(.revoking([Story.due]))
        #expect(story.read(Story.outcome(Story.event("a"), .cancelled)) == ["cancel a"])
        #expect(story.finish("a", .failed(code: "cancelled", message: "")) == ["written"], "and nothing else")
    }

    // MARK: the new owner

    @Test func theOwnerWaitsForTheHoldersDecisionAndDoesItsEffect() {
        var story = leased()
        #expect(story.deliver(Story.event("a")) == [])
        #expect(story.read(Story.outcome(Story.event("a"), .retrying)) == ["retry a turn 2 attempt 2 after 5000"])
        #expect(story.acknowledge() == [])
        #expect(story.pass(100) == ["commit 1"])
    }

    @Test func theHoldersCompletionSettles() {
        var story = leased()
        _ = story.deliver(Story.event("a"))
        #expect(story.read(Story.outcome(Story.event("a"), .completed)) == [])
        #expect(story.pass(100) == ["commit 1"])
    }

    @Test func theOwnerRunsItWhenTheLeaseEnds() {
        var story = leased()
        _ = story.deliver(Story.event("a"))
        #expect(story.pass(29_999) == ["commit 0 to 1 holes 0"])
        #expect(story.pass(1) == ["start a"])
    }

    @Test func aRenewalCountsFromReadingIt() {
        var story = leased()
        _ = story.deliver(Story.event("a"))
        _ = story.pass(20_000)
        #expect(story.read(lease()) == [])
        #expect(story.pass(29_999) == [])
        #expect(story.pass(1) == ["start a"])
    }

    @Test func aReleasedTurnRunsAtOnce() {
        var story = leased()
        _ = story.deliver(Story.event("a"))
        #expect(story.read(Story.entry(Story.event("a"), .released)) == ["start a"])
    }

    @Test func aReleaseBeforeTheTakeoverLeavesNoLease() {
        var story = Story()
        story.open(notes: [lease(), Story.entry(Story.event("a"), .released)])
        #expect(story.deliver(Story.event("a")) == ["start a"])
    }

    /// The hand-off could not wait for the log, so the lease is read late: what has not started yet waits.
    @Test func aLeaseThatComesLateStopsAQueuedTurn() {
        var story = Story { $0.concurrency = 1 }
        story.open()
        _ = story.deliver(Story.event("b"), Story.event("a"))
        #expect(story.read(lease()) == [])
        _ = story.finish("b")
        #expect(story.acknowledge() == [], "a is another's now")
        #expect(story.pass(30_000).contains("start a"))
    }

    /// As above, but the takeover was unclean, and the note of our own start was on its way.
    @Test func aLeaseThatComesLateStopsASuspectBeforeItsStart() {
        var story = Story()
        story.open(notes: [Story.entry(Story.event("a"), .started(alone: false))])
        #expect(story.deliver(Story.event("a")) == ["ledger started"])
        #expect(story.read(lease()) == [])
        #expect(story.acknowledge() == [], "a is another's now")
        #expect(story.pass(30_000).contains("ledger started"), "the lease is over")
        #expect(story.acknowledge() == ["start a"])
    }

    private func lease() -> LedgerRecord {
        Story.entry(Story.event("a"), .leased(Lease(holder: "other/n9", length: 30_000)))
    }

    private func leased() -> Story {
        var story = Story()
        story.open(notes: [lease()])
        return story
    }
}
