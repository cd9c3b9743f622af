import TaskLog
import TaskModel
import Testing

@testable import WorkerRole

/// A partition comes: restored before it is opened, marked unclean before it is fetched.
@Suite struct AssignmentTests {
    @Test func restoresBeforeItOpens() {
        var story = Story()
        #expect(story.wake(.assigned([Story.due], epoch: 1)) == ["restore from the start"])
        #expect(story.deliver(Story.event("early")) == [], "nothing is taken before the fold is whole")
        let opened = story.wake(.restored(Story.due, epoch: 1, Story.position(committed: 0, end: 0)))
        #expect(opened == ["follow from 0", "open 0"])
        #expect(story.reports == [.opened(Story.due, start: 0, suspects: false)])
    }

    /// The commit at the opening takes the clean mark away and keeps what it knew.
    @Test func marksItselfUncleanAndKeepsTheHolesOfTheLastOwner() {
        var story = Story()
        let known = CommitMetadata(highMark: 9, holes: [3, 5], isClean: true).encoded(offset: 3)
        let opened = story.open(committed: CommittedOffset(offset: 3, metadata: known), end: 12)
        #expect(opened == ["restore from the start", "follow from 0", "open 3 to 9 holes 3,5"])
        #expect(story.reports == [.opened(Story.due, start: 3, suspects: false)])
    }

    /// Offsets that the last commit knows as settled are not run again, though the ledger may have forgotten them; and
    /// a commit before they are all read again does not forget them either.
    @Test func settledOffsetsAboveTheWatermarkStaySettled() {
        var story = Story()
        let known = CommitMetadata(highMark: 4, holes: [0, 2], isClean: true).encoded(offset: 0)
        story.open(committed: CommittedOffset(offset: 0, metadata: known), end: 5)
        #expect(story.deliver(Story.event("a")) == ["start a"])
        #expect(story.finish("a") == ["ledger completed"])
        #expect(story.acknowledge() == [])
        #expect(story.pass(100) == ["commit 1 to 4 holes 2"])
        #expect(
            story.deliver(Story.event("b"), Story.event("c"), Story.event("d"), Story.event("e")) == [
                "start c", "start e",
            ])
        #expect(story.pass(100) == ["commit 2 to 5 holes 2,4"])
    }

    @Test func aCommitWithoutTheCleanMarkMakesSuspects() {
        var story = Story()
        let known = CommitMetadata(highMark: 0, holes: [], isClean: false).encoded(offset: 0)
        story.open(committed: CommittedOffset(offset: 0, metadata: known), end: 1)
        #expect(story.reports == [.opened(Story.due, start: 0, suspects: true)])
        #expect(story.deliver(Story.event("old"), Story.event("fresh")) == ["ledger started", "start fresh"])
        #expect(story.acknowledge() == ["start old"])
    }

    @Test func unreadableMetadataIsTakenForUnclean() {
        var story = Story()
        story.open(committed: CommittedOffset(offset: 0, metadata: "not ours"), end: 1)
        #expect(story.reports == [.opened(Story.due, start: 0, suspects: true)])
    }

    @Test func trimmedRecordsBelowTheStartAreSettled() {
        var story = Story()
        let known = CommitMetadata(highMark: 9, holes: [3, 7], isClean: true).encoded(offset: 3)
        _ = story.wake(.assigned([Story.due], epoch: 1))
        let position = RestoredPosition(
            committed: CommittedOffset(offset: 3, metadata: known), due: OffsetBounds(start: 5, end: 12), ledgerEnd: 0)
        #expect(story.wake(.restored(Story.due, epoch: 1, position)) == ["follow from 0", "open 5 to 9 holes 7"])
        #expect(
            story.reports == [.deleted(Story.due, from: 3, to: 5), .opened(Story.due, start: 5, suspects: false)])
        story.nextOffset = 5
        #expect(
            story.deliver((5..<12).map { Story.event("\($0)") }).sorted() == [
                "start 10", "start 11", "start 7", "start 9",
            ])
    }

    @Test func aCommitPastTheEndStopsThePartition() throws {
        var story = Story()
        _ = story.wake(.assigned([Story.due], epoch: 1))
        #expect(story.wake(.restored(Story.due, epoch: 1, Story.position(committed: 10, end: 4))) == ["follow from 0"])
        guard case .stopped(Story.due, let text) = try #require(story.reports.first) else {
            Issue.record("\(story.reports)")
            return
        }
        #expect(text.contains("--from start"))
        #expect(story.deliver(Story.event("a")) == [])
    }

    @Test func noCommitOnALogThatWasWorkedOnStopsThePartition() {
        let old = RestoredPosition(committed: nil, due: OffsetBounds(start: 0, end: 9), ledgerEnd: 3)
        #expect(throws: WorkerStateMachine.StartProblem.self) {
            try WorkerStateMachine.start(old, Story.due, isUntouched: false).get()
        }
        let trimmed = RestoredPosition(committed: nil, due: OffsetBounds(start: 4, end: 9), ledgerEnd: 0)
        #expect(throws: WorkerStateMachine.StartProblem.self) {
            try WorkerStateMachine.start(trimmed, Story.due, isUntouched: true).get()
        }
    }

    @Test func theOperatorsWordDecidesWhereNothingElseDoes() throws {
        var old = RestoredPosition(committed: nil, due: OffsetBounds(start: 0, end: 9), ledgerEnd: 3, requestedStart: 7)
        #expect(try WorkerStateMachine.start(old, Story.due, isUntouched: false).get() == 7)
        old.committed = CommittedOffset(offset: 2)
        let start = try WorkerStateMachine.start(old, Story.due, isUntouched: false).get()
        #expect(start == 2, "a position that is known needs no word")
    }

    @Test func aNewLogStartsAtItsStart() throws {
        let new = RestoredPosition(committed: nil, due: OffsetBounds(start: 0, end: 9), ledgerEnd: 0)
        #expect(try WorkerStateMachine.start(new, Story.due, isUntouched: true).get() == 0)
    }

    /// Somebody cancelled an event before the first worker came: that is no work, and nobody has to say where to start.
    @Test func cancelsOfPeopleAreNoWork() {
        let cancel = Story.outcome(Story.event("a"), .cancelled)
        #expect(firstOpening([cancel, cancel], end: 2) == ["follow from 2", "open 0"])
        #expect(firstOpening([cancel, Story.outcome(Story.event("b"), .completed)], end: 2) == ["follow from 2"])
        #expect(firstOpening([cancel], end: 2) == ["follow from 2"], "what is missing may have been work")
    }

    private func firstOpening(_ records: [LedgerRecord], end: Int64) -> [String] {
        var story = Story()
        _ = story.wake(.assigned([Story.due], epoch: 1))
        _ = story.wake(.scanned(Story.due, epoch: 1, records.map { LedgerEntry(story.ledgerRecord($0)) }))
        let position = RestoredPosition(committed: nil, due: OffsetBounds(start: 0, end: 2), ledgerEnd: end)
        return story.wake(.restored(Story.due, epoch: 1, position))
    }

    @Test func answersOfAnEarlierAssignmentAreDropped() {
        var story = Story()
        _ = story.wake(.assigned([Story.due], epoch: 1))
        #expect(story.wake(.revoking([Story.due])) == ["hand off without news"])
        #expect(story.wake(.assigned([Story.due], epoch: 2)) == ["restore from the start"])
        #expect(story.wake(.restored(Story.due, epoch: 1, Story.position(committed: 0, end: 0))) == [])
        let restored = story.wake(.restored(Story.due, epoch: 2, Story.position(committed: 0, end: 0)))
        #expect(restored == ["follow from 0", "open 0"])
    }

    /// The ledger of a revoked partition is followed for a while: when it comes back only the rest is read.
    @Test func aPartitionThatComesBackReadsTheRestOfItsLedger() {
        var story = Story()
        story.open(notes: [Story.outcome(Story.event("a"), .completed)])
        _ = story.wake(.revoking([Story.due]))
        _ = story.read(Story.outcome(Story.event("b"), .completed))
        #expect(story.wake(.assigned([Story.due], epoch: 2)) == ["unfollow", "restore from 2"])
        _ = story.wake(.restored(Story.due, epoch: 2, Story.position(committed: 0, end: 0, ledgerEnd: 2)))
        #expect(story.deliver(Story.event("a"), Story.event("b"), Story.event("c")) == ["start c"])
    }

    /// What it has read of a ledger that it knew is whole, also where the scan was cut short: attempts that departed still
    /// hear who cancels them.
    @Test func aPartitionThatComesBackAndGoesAtOnceIsFollowedOn() {
        var story = Story()
        story.open()
        _ = story.deliver(Story.event("long"))
        _ = story.wake(.revoking([Story.due]))
        #expect(story.wake(.assigned([Story.due], epoch: 2)) == ["unfollow", "restore from 0"])
        let other = story.ledgerRecord(Story.outcome(Story.event("b"), .completed))
        _ = story.wake(.scanned(Story.due, epoch: 2, [LedgerEntry(other)]))
        #expect(story.wake(.revoking([Story.due])).first == "follow from 1")
        #expect(story.read(Story.outcome(Story.event("long"), .cancelled)) == ["cancel long"])
        #expect(story.wake(.assigned([Story.due], epoch: 3)) == ["unfollow", "restore from 2"])
    }

    /// The follower is on its way out when the partition comes and goes in one breath: what it brings before and after
    /// leaves no gap.
    @Test func whatALeavingFollowerBringsCounts() {
        var story = Story()
        story.open()
        _ = story.wake(.revoking([Story.due]))
        _ = story.wake(.assigned([Story.due], epoch: 2))
        _ = story.read(Story.outcome(Story.event("a"), .completed))
        #expect(story.wake(.revoking([Story.due])).first == "follow from 1")
        _ = story.read(Story.outcome(Story.event("b"), .completed))
        #expect(story.wake(.assigned([Story.due], epoch: 3)) == ["unfollow", "restore from 2"])
        _ = story.wake(.restored(Story.due, epoch: 3, Story.position(committed: 0, end: 0, ledgerEnd: 2)))
        #expect(story.deliver(Story.event("a"), Story.event("b"), Story.event("c")) == ["start c"])
    }

    @Test func aLedgerThatDoesNotComeBackIsDropped() {
        var story = Story()
        story.open()
        _ = story.wake(.revoking([Story.due]))
        #expect(story.pass(60_000) == ["unfollow"])
        #expect(story.wake(.assigned([Story.due], epoch: 2)) == ["restore from the start"])
    }
}
