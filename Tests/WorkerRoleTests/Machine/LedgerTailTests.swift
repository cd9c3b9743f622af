import TaskLog
import TaskModel
import Testing

@testable import WorkerRole

/// What others append to the ledger while the partition is ours.
@Suite struct LedgerTailTests {
    @Test func aCancelMeetsAQueuedTurn() {
        var story = Story { $0.concurrency = 1 }
        story.open()
        _ = story.deliver(Story.event("a"), Story.event("b"))
        #expect(story.read(Story.outcome(Story.event("b"), .cancelled)) == [])
        _ = story.finish("a")
        #expect(story.acknowledge() == [], "b is settled and never starts")
        #expect(story.pass(100) == ["commit 2"])
    }

    /// A follower that brings nothing but what is known costs as much as it did with news.
    @Test func whatOnlyItselfWroteIsNotBrought() {
        var story = Story {
            $0.concurrency = 100
            $0.minimumSkip = 3
        }
        story.open()
        func settle(_ names: String..., at offset: Int64) -> [String] {
            _ = story.deliver(names.map { Story.event($0) })
            for name in names { _ = story.finish(name) }
            return story.acknowledge(at: offset)
        }
        #expect(settle("a", "b", at: 0) == [], "too few")
        #expect(settle("c", at: 2) == [], "too soon")
        _ = story.pass(50)
        #expect(settle("d", at: 3) == ["skip to 4"])
        // Somebody else wrote at 6.
        _ = story.pass(50)
        #expect(settle("e", "f", at: 4) == [])
        _ = story.pass(50)
        #expect(settle("g", "h", "i", at: 7) == [], "up to 6 it is too little, and beyond it nothing is known")
        story.nextLedgerOffset = 6
        _ = story.deliver(Story.event("j"))
        #expect(story.read(Story.outcome(Story.event("j"), .cancelled)) == ["cancel j"])
        _ = story.pass(50)
        #expect(settle("k", at: 10) == ["skip to 11"])
    }

    @Test func aCancelMeetsARunningTurn() {
        var story = Story()
        story.open()
        _ = story.deliver(Story.event("a"))
        #expect(story.read(Story.outcome(Story.event("a"), .cancelled)) == ["cancel a"])
        #expect(story.finish("a", .failed(code: "cancelled", message: "")) == [], "nothing is left to decide")
        #expect(story.pass(100) == ["commit 1"])
    }

    @Test func completedBeatsACancel() {
        var story = Story()
        story.open()
        _ = story.deliver(Story.event("a"))
        _ = story.read(Story.outcome(Story.event("a"), .cancelled))
        #expect(story.finish("a", .completed) == ["ledger completed"])
    }

    /// A zombie's word about an earlier turn does not end the turn that runs.
    @Test func anOldTurnsDecisionCancelsNothing() {
        var story = Story()
        story.open()
        _ = story.deliver(Story.event("a") { $0.turn = 3 })
        #expect(story.read(Story.outcome(Story.event("a"), .retrying)) == [])
    }

    @Test func aCancelBeatsARetryThatIsBeingDecided() {
        var story = Story()
        story.open()
        _ = story.deliver(Story.event("a"))
        _ = story.finish("a", .failed(code: "error", message: "no"))
        _ = story.read(Story.outcome(Story.event("a"), .cancelled))
        #expect(story.acknowledge() == [], "no next turn is emitted")
        #expect(story.pass(100) == ["commit 1"])
    }

    /// A zombie completes what the owner is about to bury: no letter is written.
    @Test func aCompletionBeforeTheDeathIsDecidedLeavesNoLetter() {
        var story = Story()
        story.open()
        _ = story.deliver(Story.event("a"))
        _ = story.finish("a", .fatal(reason: .fatal, code: "bad", message: "no"))
        _ = story.read(Story.outcome(Story.event("a"), .completed))
        #expect(!story.acknowledge().contains { $0.hasPrefix("letter") })
        #expect(story.pass(100) == ["commit 1"])
    }

    /// The log refuses the effect for a while, and a zombie completes the work meanwhile: nothing is left to do.
    @Test func aCompletionWhileTheLetterIsRefusedLeavesNoLetter() {
        var story = Story()
        story.open()
        _ = story.deliver(Story.event("a"))
        _ = story.finish("a", .fatal(reason: .fatal, code: "bad", message: "no"))
        #expect(story.acknowledge() == ["letter a fatal"])
        _ = story.refuse()
        #expect(story.read(Story.outcome(Story.event("a"), .completed)) == ["resolved"])
        _ = story.acknowledge()
        #expect(!story.pass(500).contains { $0.hasPrefix("letter") })
        #expect(story.pass(100) == ["commit 1"])
    }

    @Test func aCancelWhileTheRetryIsRefusedEmitsNoTurn() {
        var story = Story()
        story.open()
        _ = story.deliver(Story.event("a"))
        _ = story.finish("a", .failed(code: "error", message: "no"))
        #expect(story.acknowledge() == ["retry a turn 2 attempt 2 after 1000"])
        _ = story.refuse()
        #expect(story.read(Story.outcome(Story.event("a"), .cancelled)) == [])
        #expect(!story.pass(500).contains { $0.hasPrefix("retry") })
        #expect(story.pass(100) == ["commit 1"])
    }

    /// What another worker decided of this very turn is the decision whose effect is due.
    @Test func aDeathWhileTheRetryIsRefusedIsBuried() {
        var story = Story()
        story.open()
        _ = story.deliver(Story.event("a"))
        _ = story.finish("a", .failed(code: "error", message: "no"))
        _ = story.acknowledge()
        _ = story.refuse()
        _ = story.read(Story.outcome(Story.event("a"), .dead))
        #expect(story.pass(500).contains("letter a fatal"))
    }

    @Test func aCompletionAfterTheDeathResolvesTheLetter() {
        var story = Story()
        story.open()
        _ = story.deliver(Story.event("a"))
        _ = story.finish("a", .fatal(reason: .fatal, code: "bad", message: "no"))
        #expect(story.acknowledge() == ["letter a fatal"])
        #expect(story.read(Story.outcome(Story.event("a"), .completed)) == ["resolved"])
    }

    /// The owner that wrote the letter died before it read the completion: the next one answers the letter.
    @Test func aTakeoverResolvesWhatTheLastOwnerDidNot() {
        let event = Story.event("a")
        var story = Story()
        let opened = story.open(notes: [Story.outcome(event, .dead), Story.outcome(event, .completed)])
        #expect(opened == ["restore from the start", "follow from 2", "open 0", "resolved"])
    }

    /// Its copy says what is known. What stands beside it is another's, and read.
    @Test func itsOwnDecisionIsPassedUnread() {
        var story = Story { $0.concurrency = 1 }
        story.open()
        _ = story.deliver(Story.event("a"), Story.event("b"), Story.event("c"))
        _ = story.finish("a")
        _ = story.acknowledge(at: 1)
        // Not what lies there in truth: so it shows that offset 1 is passed, and offset 0 is not.
        let cancels = ["b", "c"].map { story.ledgerRecord(Story.outcome(Story.event($0), .cancelled)) }
        #expect(story.wake(.ledgerRecords(cancels)) == ["cancel b"])
        _ = story.finish("b", .failed(code: "cancelled", message: ""))
        #expect(story.attempts["c"] != nil, "c starts: the record at offset 1 was not read")
    }

    /// The scan and the follower may both bring a record: a start that is counted twice would bury an innocent.
    @Test func noLedgerRecordCountsTwice() {
        let event = Story.event("a")
        var story = Story()
        _ = story.wake(.assigned([Story.due], epoch: 1))
        let started = story.ledgerRecord(Story.entry(event, .started(alone: true)))
        _ = story.wake(.scanned(Story.due, epoch: 1, [LedgerEntry(started)]))
        _ = story.wake(.scanned(Story.due, epoch: 1, [LedgerEntry(started)]))
        _ = story.wake(.restored(Story.due, epoch: 1, Story.position(committed: 0, end: 0, ledgerEnd: 1)))
        _ = story.wake(.ledgerRecords([started]))
        #expect(story.deliver(event) == ["ledger started"], "one lost start proves nothing")
    }

    /// What the follower brings while a scan is under way would leave a gap in the fold.
    @Test func theFollowerWaitsForTheScan() {
        let (first, second) = (Story.event("a"), Story.event("b"))
        var story = Story()
        _ = story.wake(.assigned([Story.due], epoch: 1))
        let records = [first, second].map { story.ledgerRecord(Story.outcome($0, .completed)) }
        _ = story.wake(.ledgerRecords([records[1]]))
        _ = story.wake(.scanned(Story.due, epoch: 1, records.map { LedgerEntry($0) }))
        _ = story.wake(.restored(Story.due, epoch: 1, Story.position(committed: 0, end: 0, ledgerEnd: 2)))
        #expect(story.deliver(first, second) == [])
    }
}
