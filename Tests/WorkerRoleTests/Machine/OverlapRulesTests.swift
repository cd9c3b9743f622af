import TaskLog
import TaskModel
import Testing

@testable import WorkerRole

/// What a fire does while another one of its lane is open, for every rule and every way to be open.
@Suite struct OverlapRulesTests {
    enum Open: CaseIterable {
        case running, leased, retrying
    }

    struct Row: CustomTestStringConvertible {
        var rule: OverlapRule
        var limit: UInt32?
        var open: Open
        var lines: [String]

        var testDescription: String { "\(rule) \(limit.map(String.init) ?? "") \(open)" }
    }

    static let rows: [Row] = Open.allCases.flatMap { open -> [Row] in
        let cancel = open == .running ? "cancel 1" : open == .leased ? "ledger displaced" : "ledger cancelled"
        return [
            Row(rule: .skip, open: open, lines: ["ledger skipped"]),
            Row(rule: .bufferOne, open: open, lines: []), Row(rule: .bufferAll, open: open, lines: []),
            Row(rule: .cancelOther, open: open, lines: [cancel]),
            Row(rule: .terminateOther, open: open, lines: ["ledger cancelled"]),
            Row(rule: .allow, open: open, lines: ["start 2"]),
            Row(rule: .allow, limit: 1, open: open, lines: ["ledger skipped"]),
            Row(rule: .allow, limit: 2, open: open, lines: ["start 2"]),
        ]
    }

    @Test(arguments: rows)
    func decides(_ row: Row) {
        var story = Self.story(with: row.open)
        #expect(story.deliver(fire("2", row.rule, row.limit)) == row.lines)
        // Whoever publishes it, and whenever it was nominal: a run out of turn is under the same rule.
        var again = Self.story(with: row.open)
        #expect(again.deliver(fire("2", row.rule, row.limit) { $0.nominalTime = nil }) == row.lines)
    }

    private static func story(with open: Open) -> Story {
        var story = Story()
        let first = fire("1", .skip)
        switch open {
        case .running:
            story.open()
            #expect(story.deliver(first) == ["start 1"])
        case .leased:
            story.open(notes: [lease(first)])
            #expect(story.deliver(first) == [])
        case .retrying: story.open(notes: [Story.outcome(first, .retrying)])
        }
        return story
    }

    // MARK: waiting

    @Test func bufferOneKeepsOneAndItFollows() {
        var story = Story()
        story.open()
        let fires = ["1", "2", "3"].map { fire($0, .bufferOne) }
        #expect(story.deliver(fires) == ["ledger skipped", "start 1"])
        #expect(story.acknowledge() == ["journal skipped nightly"])
        #expect(story.finish("1") == ["ledger completed"])
        #expect(story.deliver(fire("4", .bufferOne)) == ["ledger skipped"], "2 waits until the end of 1 is on record")
        #expect(story.acknowledge().contains("start 2"))
    }

    @Test func bufferAllKeepsTheirOrderUpToItsBound() {
        var story = Story()
        story.open()
        let fires = ["1", "2", "3", "4"].map { fire($0, .bufferAll, 2) }
        #expect(story.deliver(fires) == ["ledger skipped", "start 1"])
        _ = story.acknowledge()
        _ = story.finish("1")
        #expect(story.acknowledge() == ["start 2"])
        _ = story.finish("2")
        #expect(story.acknowledge() == ["start 3"])
    }

    @Test func waitsForTheRetryOfTheOneBefore() {
        var story = Self.story(with: .retrying)
        _ = story.deliver(fire("2", .bufferOne))
        #expect(story.deliver(fire("1", .skip) { $0.turn = 2 }) == ["start 1"])
        _ = story.finish("1")
        #expect(story.acknowledge() == ["start 2"])
    }

    @Test func waitsWhileTheOneBeforeFailsAndIsTriedAgain() {
        var story = Self.story(with: .running)
        _ = story.deliver(fire("2", .bufferOne))
        _ = story.finish("1", .failed(code: "error", message: "no"))
        #expect(story.acknowledge() == ["retry 1 turn 2 attempt 2 after 1000"])
        #expect(story.acknowledge() == [])
        #expect(story.read(Story.outcome(fire("1", .skip), .cancelled)) == ["start 2"], "a person gives 1 up")
    }

    @Test func whatWaitsMayExpireOrBeCancelled() {
        var story = Self.story(with: .running)
        let expiring = fire("2", .bufferAll) { $0.expiresAt = Timestamp(seconds: 1_767_225_610) }
        _ = story.deliver(expiring, fire("3", .bufferAll), fire("4", .bufferAll))
        #expect(story.read(Story.outcome(fire("3", .bufferAll), .cancelled)) == [])
        _ = story.pass(20_000)
        _ = story.finish("1")
        #expect(story.acknowledge() == ["ledger expired"])
        #expect(story.acknowledge() == ["start 4"])
    }

    /// What waits are holes, and the retries that it waits for need room among them.
    @Test func allLanesTogetherWaitInAQuarterOfTheRoom() {
        var story = Story { $0.maximumHoles = 12 }
        story.open()
        let lanes = ["a", "b", "c", "d"]
        _ = story.deliver(lanes.map { lane in fire("\(lane)1", .bufferOne) { $0.partitionKey = lane } })
        let lines = story.deliver(lanes.map { lane in fire("\(lane)2", .bufferOne) { $0.partitionKey = lane } })
        #expect(lines == ["ledger skipped"])
    }

    // MARK: cancel-other

    @Test func theOtherEndsAsCancelledBeforeTheNewOneStarts() {
        var story = Self.story(with: .running)
        _ = story.deliver(fire("2", .cancelOther))
        #expect(story.finish("1", .failed(code: "cancelled", message: "")) == ["ledger cancelled"])
        #expect(story.acknowledge() == ["journal cancelled nightly", "start 2"])
        #expect(story.machine.counters.cancelled == 1)
    }

    @Test func whatCompletesAllTheSameIsCompleted() {
        var story = Self.story(with: .running)
        _ = story.deliver(fire("2", .cancelOther))
        #expect(story.finish("1") == ["ledger completed"])
        #expect(story.acknowledge() == ["start 2"])
    }

    @Test func theNewestTakesThePlaceOfOneThatWaits() {
        var story = Self.story(with: .running)
        _ = story.deliver(fire("2", .cancelOther))
        #expect(story.deliver(fire("3", .cancelOther)) == ["ledger cancelled"])
        #expect(story.acknowledge() == ["journal cancelled nightly"])
        _ = story.finish("1", .failed(code: "cancelled", message: ""))
        #expect(story.acknowledge().last == "start 3")
    }

    @Test func aRetryIsCancelledInTheLedger() {
        var story = Self.story(with: .retrying)
        _ = story.deliver(fire("2", .cancelOther))
        #expect(story.acknowledge() == ["journal cancelled nightly", "cancel marker", "start 2"])
        #expect(story.deliver(fire("1", .skip) { $0.turn = 2 }) == [], "it comes all the same, and is stale")
    }

    @Test func aRetryThatComesWhileItIsBeingCancelledIsEnded() {
        var story = Self.story(with: .retrying)
        _ = story.deliver(fire("2", .cancelOther))
        #expect(story.deliver(fire("1", .skip) { $0.turn = 2 }) == ["start 1"])
        #expect(story.acknowledge() == ["cancel 1", "journal cancelled nightly", "cancel marker"])
        _ = story.finish("1", .failed(code: "cancelled", message: ""))
        #expect(story.names.values.contains("2"), "2 starts once 1 has ended")
    }

    @Test func aFailureOnItsWayIsCancelledOnceItIsOnRecord() {
        var story = Self.story(with: .running)
        _ = story.finish("1", .failed(code: "error", message: "no"))
        #expect(story.deliver(fire("2", .cancelOther)) == [])
        #expect(story.acknowledge() == ["retry 1 turn 2 attempt 2 after 1000"])
        #expect(story.acknowledge() == ["ledger cancelled"])
        #expect(story.acknowledge().last == "start 2")
    }

    @Test func aRefusedCancelGoesOutAgain() {
        var story = Self.story(with: .retrying)
        _ = story.deliver(fire("2", .cancelOther))
        _ = story.refuse()
        #expect(story.pass(500).contains("ledger cancelled"))
        #expect(story.acknowledge().contains("start 2"))
    }

    @Test func theHolderObeysAndDecides() {
        var story = Self.story(with: .running)
        _ = story.wake(.revoking([Story.due]))
        let first = fire("1", .skip)
        let newcomer = Fingerprint(high: 0, low: 2)
        #expect(story.read(Story.entry(first, .displaced(by: newcomer))) == ["cancel 1"])
        #expect(story.finish("1", .failed(code: "cancelled", message: "")) == ["ledger cancelled"])
    }

    @Test func theOwnerAsksOnceAndWaitsForTheHolder() {
        var story = Self.story(with: .leased)
        _ = story.deliver(fire("2", .cancelOther))
        #expect(story.read(Self.lease(fire("1", .skip))) == [], "a renewal is no reason to ask again")
        #expect(story.read(Story.outcome(fire("1", .skip), .cancelled)) == ["start 2"])
    }

    @Test func aHolderThatDiesIsNotRunAgain() {
        var story = Self.story(with: .leased)
        _ = story.deliver(fire("2", .cancelOther))
        #expect(story.pass(30_000).contains("ledger cancelled"))
        #expect(story.acknowledge().contains("start 2"))
    }

    /// The old owner asked, and both it and the holder are gone.
    @Test func aTakeoverMidWayGoesOn() {
        var story = Story()
        let first = fire("1", .skip)
        let second = fire("2", .cancelOther)
        story.open(notes: [Story.entry(first, .displaced(by: second.fingerprint))])
        #expect(story.deliver(first, second) == ["ledger cancelled"])
        #expect(story.acknowledge() == ["journal cancelled nightly", "start 2"])
    }

    // MARK: terminate-other

    @Test func terminatesOnRecordFirstAndThenInFact() {
        var story = Self.story(with: .running)
        _ = story.deliver(fire("2", .terminateOther))
        #expect(story.acknowledge() == ["cancel 1", "journal cancelled nightly", "cancel marker", "start 2"])
        #expect(story.finish("1", .failed(code: "cancelled", message: "")) == [], "nobody asks for its result")
    }

    /// Two outcomes of one turn and class would be told apart by their order in the log alone.
    @Test func anEndBeforeTheCancelIsOnRecordIsTheSameCancel() {
        var story = Self.story(with: .running)
        _ = story.deliver(fire("2", .terminateOther))
        #expect(story.finish("1", .fatal(reason: .fatal, code: "x", message: "")) == ["ledger cancelled"])
        #expect(story.acknowledge().contains("start 2"))
    }

    @Test func oneThatHasNotBegunNeverDoes() {
        var story = Story()
        story.open()
        #expect(story.deliver(fire("1", .terminateOther), fire("2", .terminateOther)) == ["ledger cancelled"])
        #expect(story.acknowledge() == ["journal cancelled nightly", "start 2"])
    }

    @Test func aHolderIsToldByTheCancelItself() {
        var story = Self.story(with: .leased)
        _ = story.deliver(fire("2", .terminateOther))
        #expect(story.acknowledge() == ["journal cancelled nightly", "cancel marker", "start 2"])
    }

    // MARK: takeovers

    @Test(arguments: [OverlapRule.bufferOne, .bufferAll, .cancelOther])
    func theNextOwnerComesToTheSameEnd(_ rule: OverlapRule) {
        var story = Story()
        let (first, second) = (fire("1", .skip), fire("2", rule))
        // A crash before anything was on record: all of it again.
        story.open()
        _ = story.deliver(first, second)
        #expect(story.attempts.keys.sorted() == (rule == .cancelOther ? [] : ["1"]))
        var next = Story(nonce: "n2")
        // After the end of the first: the second is free.
        next.open(notes: [Story.outcome(first, .completed)])
        #expect(next.deliver(first, second) == ["start 2"])
    }

    /// A suspect of a crash was noted as started, and one before it in its lane was not.
    @Test func aLostStartDoesNotHoldUpTheOneBefore() {
        var story = Story()
        let (first, second) = (fire("1", .bufferAll), fire("2", .bufferAll))
        story.open(notes: [Self.lease(second)])
        #expect(story.deliver(first) == [], "another worker runs the second")
        #expect(story.deliver(second) == [])
        #expect(story.pass(30_000).contains("start 1"), "its lease is over: the order of the lane holds again")
        _ = story.finish("1")
        #expect(story.acknowledge().contains("start 2"))
    }

    @Test func nothingIsKeptOfAPartitionThatWent() {
        var story = Self.story(with: .running)
        _ = story.deliver(fire("2", .bufferOne))
        #expect(story.wake(.revoking([Story.due])) == ["ledger leased", "hand off 0 to 2 holes 0,1 clean"])
        #expect(story.machine.laneWaits.isEmpty)
        #expect(story.finish("1") == ["ledger completed"])
    }

    private static func lease(_ event: TaskEvent) -> LedgerRecord {
        Story.entry(event, .leased(Lease(holder: "other/n9", length: 30_000)))
    }
}

private func fire(
    _ id: String, _ rule: OverlapRule, _ limit: UInt32? = nil, _ change: (inout TaskEvent) -> Void = { _ in }
) -> TaskEvent {
    Story.event(id) {
        $0.partitionKey = "nightly"
        $0.scheduleID = "nightly"
        $0.nominalTime = .epoch
        $0.overlap = rule
        $0.overlapLimit = limit
        change(&$0)
    }
}
