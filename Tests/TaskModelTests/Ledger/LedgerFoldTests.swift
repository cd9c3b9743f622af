import Testing

@testable import TaskModel

@Suite("LedgerFold")
struct LedgerFoldTests {
    private let fingerprint = Fingerprint(high: 5, low: 6)
    private let time = Timestamp(milliseconds: 1_800_000_000_000)

    private func coordinate(_ replay: UInt32, _ turn: UInt32) -> Coordinate {
        Coordinate(fingerprint: fingerprint, replay: replay, turn: turn)
    }

    private func record(
        _ outcome: Outcome, _ replay: UInt32 = 0, _ turn: UInt32 = 1, of other: Fingerprint? = nil, lane: UInt32? = nil
    ) -> LedgerRecord {
        LedgerRecord(
            coordinate: Coordinate(fingerprint: other ?? fingerprint, replay: replay, turn: turn), attempt: turn,
            laneHash: lane, worker: "w", body: .outcome(OutcomeDetail(outcome, delay: 5, code: "c", message: "m")))
    }

    private func note(_ body: LedgerRecord.Body, _ replay: UInt32 = 0, _ turn: UInt32 = 1, lane: UInt32? = nil)
        -> LedgerRecord
    {
        LedgerRecord(coordinate: coordinate(replay, turn), attempt: 1, laneHash: lane, worker: "w", body: body)
    }

    private func fold(_ records: [LedgerRecord]) -> LedgerFold {
        var fold = LedgerFold()
        for record in records { _ = fold.apply(record, time: time) }
        return fold
    }

    /// The rule in its plainest form: the highest of (replay, class, turn, outcome).
    private struct Plain {
        var entries: [Fingerprint: LedgerRecord] = [:]

        static func rank(_ record: LedgerRecord) -> (UInt32, UInt8, UInt32, UInt8) {
            guard case .outcome(let detail) = record.body else { return (0, 0, 0, 0) }
            let outcome = detail.outcome
            return (record.coordinate.replay, outcome.outcomeClass.rawValue, record.coordinate.turn, outcome.rawValue)
        }

        mutating func apply(_ record: LedgerRecord) {
            guard case .outcome = record.body else { return }
            if let known = entries[record.coordinate.fingerprint], Self.rank(known) >= Self.rank(record) { return }
            entries[record.coordinate.fingerprint] = record
        }

        func judge(_ coordinate: Coordinate) -> String {
            guard let entry = entries[coordinate.fingerprint], case .outcome(let detail) = entry.body else {
                return "run"
            }
            let (replay, turn) = (entry.coordinate.replay, entry.coordinate.turn)
            if coordinate.replay > replay { return "run" }
            if coordinate.replay < replay { return "stale" }
            if detail.outcome.outcomeClass == .again {
                return coordinate.turn > turn ? "run" : coordinate.turn == turn ? "redo" : "stale"
            }
            return detail.outcome == .dead && coordinate.turn >= turn ? "redo" : "stale"
        }
    }

    private func word(_ verdict: Verdict) -> String {
        switch verdict {
        case .run: "run"
        case .redo: "redo"
        case .stale: "stale"
        }
    }

    @Test("it agrees with the plain rule; neither order nor repetition matters") func model() {
        var generate = Generate(seed: 90)
        let pool = (0..<6).map { _ in generate.fingerprint() }
        for _ in 0..<400 {
            var records: [LedgerRecord] = []
            var plain = Plain()
            for _ in 0..<40 {
                let outcome = Outcome.allCases[generate.int(0...Outcome.allCases.count - 1)]
                let one = record(
                    outcome, UInt32(generate.int(0...2)), UInt32(generate.int(1...4)), of: pool[generate.int(0...5)],
                    lane: generate.optional { UInt32($0.int(0...2)) })
                records.append(one)
                plain.apply(one)
            }
            for order in [records, records.reversed(), (records + records).shuffled(using: &generate.random)] {
                let fold = fold(order)
                for fingerprint in pool {
                    let known = fold.outcome(of: fingerprint)
                    let expected = plain.entries[fingerprint].map(Plain.rank)
                    #expect(known.map { $0.replay } == expected?.0)
                    #expect(known.map { $0.outcome.outcomeClass.rawValue } == expected?.1)
                    #expect(known.map { $0.turn } == expected?.2)
                    #expect(known.map { $0.outcome.rawValue } == expected?.3)
                    for replay in UInt32(0)...3 {
                        for turn in UInt32(1)...5 {
                            let coordinate = Coordinate(fingerprint: fingerprint, replay: replay, turn: turn)
                            #expect(word(fold.judge(coordinate)) == plain.judge(coordinate), "\(coordinate)")
                        }
                    }
                }
                #expect(fold.decidedCount + fold.openCount == plain.entries.count)
            }
        }
    }

    @Test("a zombie cannot lower an entry, and completed is never forgotten") func monotone() {
        var fold = fold([record(.completed, 1, 1)])
        for lower in [
            record(.retrying, 1, 9), record(.dead, 1, 9), record(.cancelled, 1, 9), record(.completed, 0, 9),
            record(.completed, 1, 1),
        ] {
            let change = fold.apply(lower, time: time)
            #expect(change == .none)
            #expect(fold.outcome(of: fingerprint)?.outcome == .completed)
        }
        #expect(fold.judge(coordinate(1, 10)) == .stale(.completed))
        #expect(fold.judge(coordinate(0, 10)) == .stale(.completed))
        #expect(fold.judge(coordinate(2, 1)) == .run(nil))
    }

    @Test("what rises says so, and what is known or lower says nothing") func changes() {
        var fold = LedgerFold()
        let steps: [(LedgerRecord, LedgerFold.Change)] = [
            (record(.retrying, 0, 1), .raised), (record(.retrying, 0, 1), .none), (record(.snoozed, 0, 2), .raised),
            (record(.dead, 0, 1), .raised), (record(.snoozed, 0, 3), .none), (record(.retrying, 1, 1), .raised),
            (record(.completed, 1, 1), .raised), (record(.dead, 1, 2), .none),
        ]
        for (record, change) in steps { #expect(fold.apply(record, time: time) == change, "\(record)") }
    }

    /// The worker that decides folds the decision, all others its record.
    @Test("a decision and its record change the same") func decisions() {
        var generate = Generate(seed: 91)
        let pool = (0..<4).map { _ in generate.fingerprint() }
        var (byDecision, byRecord) = (LedgerFold(), LedgerFold())
        for _ in 0..<2000 {
            let outcome = Outcome.allCases[generate.int(0...Outcome.allCases.count - 1)]
            let one = record(
                outcome, UInt32(generate.int(0...2)), UInt32(generate.int(1...4)), of: pool[generate.int(0...3)],
                lane: generate.optional { UInt32($0.int(0...2)) })
            guard case .outcome(let detail) = one.body else { continue }
            let decision = Decision(
                coordinate: one.coordinate, attempt: one.attempt, worker: one.worker, laneHash: one.laneHash,
                detail: detail)
            #expect(decision.record == one)
            let change = byDecision.apply(decision, time: time)
            #expect(change == byRecord.apply(one, time: time))
            #expect(byDecision.judge(one.coordinate) == byRecord.judge(one.coordinate))
            #expect(byDecision.takeLateCompletions() == byRecord.takeLateCompletions())
        }
    }

    @Test("what a redo does is in the ledger: delay, attempt, error") func redo() {
        let again = record(.retrying, 0, 2)
        guard case .redo(let decision) = fold([again]).judge(coordinate(0, 2)) else {
            Issue.record("no redo")
            return
        }
        #expect(decision.record == again)
        let dead = record(.dead, 0, 2)
        guard case .redo(let death) = fold([dead]).judge(coordinate(0, 2)) else {
            Issue.record("no redo")
            return
        }
        #expect(death.record == dead)
        for outcome in [Outcome.cancelled, .expired, .skipped] {
            #expect(fold([record(outcome, 0, 2)]).judge(coordinate(0, 2)) == .stale(outcome))
        }
    }

    @Test("a death is also written by a later turn: the one who decided it may not have lived to do it")
    func lateDeath() {
        let fold = fold([record(.retrying, 0, 1), record(.dead, 0, 1)])
        guard case .redo(let death) = fold.judge(coordinate(0, 2)) else {
            Issue.record("no redo")
            return
        }
        #expect(death.record == record(.dead, 0, 1))
        #expect(self.fold([record(.dead, 0, 2)]).judge(coordinate(0, 1)) == .stale(.dead))
    }

    @Test("a redo knows that its event died even when the error was dropped") func deadDetails() {
        var fold = LedgerFold()
        let count = LedgerFold.maximumDeadDetails * 3
        for index in 0..<count {
            _ = fold.apply(record(.dead, 0, 1, of: Fingerprint(high: 1, low: UInt64(index))), time: time)
        }
        func message(_ index: Int) -> String? {
            let coordinate = Coordinate(fingerprint: Fingerprint(high: 1, low: UInt64(index)))
            guard case .redo(let decision) = fold.judge(coordinate), decision.coordinate == coordinate else {
                return nil
            }
            return decision.detail.outcome == .dead ? decision.detail.message : nil
        }
        let kept = (0..<count).filter { message($0) == "m" }
        #expect(kept.count >= LedgerFold.maximumDeadDetails / 2 && kept.count <= LedgerFold.maximumDeadDetails)
        #expect(kept.first == count - kept.count, "the latest are kept")
        #expect((0..<count).allSatisfy { message($0) != nil })
        fold.forgetDeadDetail(Fingerprint(high: 1, low: UInt64(count - 1)))
        #expect(message(count - 1) != "m" && message(count - 1) != nil)
    }

    @Suite("late completions")
    struct LateCompletions {
        private let outer = LedgerFoldTests()

        @Test("a death that meets a completion is told once, whichever is read first") func orders() {
            for turns in [(1, 2), (2, 1), (1, 1)] as [(UInt32, UInt32)] {
                let pair = [outer.record(.dead, 3, turns.0), outer.record(.completed, 3, turns.1)]
                for order in [pair, pair.reversed()] {
                    var fold = outer.fold(order)
                    let told = [fold.takeLateCompletions(), fold.takeLateCompletions()]
                    #expect(told == [[DeadLetterKey(fingerprint: outer.fingerprint, replay: 3)], []])
                }
            }
        }

        @Test("another replay's death, or an outcome without a letter, is none") func others() {
            for pair in [
                [outer.record(.dead, 0, 1), outer.record(.completed, 1, 1)],
                [outer.record(.cancelled, 0, 1), outer.record(.completed, 0, 1)],
                [outer.record(.retrying, 0, 1), outer.record(.completed, 0, 1)],
                [outer.record(.completed, 0, 1), outer.record(.completed, 0, 1)],
                [outer.record(.dead, 0, 1), outer.record(.dead, 0, 1)],
            ] {
                var fold = outer.fold(pair)
                let told = fold.takeLateCompletions()
                #expect(told.isEmpty)
            }
        }
    }

    @Suite("notes")
    struct Notes {
        private let outer = LedgerFoldTests()
        private let lease = LedgerRecord.Body.leased(Lease(holder: "h", length: 9))

        private func notes(_ records: [LedgerRecord], at turn: UInt32 = 1, replay: UInt32 = 0) -> TurnNotes? {
            guard case .run(let notes) = outer.fold(records).judge(outer.coordinate(replay, turn)) else { return nil }
            return notes
        }

        @Test("they concern the turn that they name, while it is undecided") func turns() {
            #expect(notes([outer.note(lease)])?.lease == Lease(holder: "h", length: 9))
            #expect(notes([outer.note(lease)], at: 2) == nil)
            #expect(notes([outer.record(.retrying, 0, 1), outer.note(lease, 0, 1)]) == nil)
            #expect(notes([outer.record(.retrying, 0, 1), outer.note(lease, 0, 2)], at: 2)?.lease != nil)
            #expect(notes([outer.note(lease, 0, 2), outer.record(.retrying, 0, 1)], at: 2)?.lease != nil)
            #expect(notes([outer.note(lease, 0, 2), outer.record(.retrying, 0, 2)], at: 3) == nil)
        }

        private func note(_ body: LedgerRecord.Body, by worker: String) -> LedgerRecord {
            var record = outer.note(body)
            record.worker = worker
            return record
        }

        @Test("the last one counts: its holder's release ends a lease, another worker's does not") func leases() {
            #expect(notes([note(lease, by: "h"), note(.released, by: "h")])?.lease == nil)
            #expect(notes([note(lease, by: "h"), note(.released, by: "z")])?.lease != nil)
            #expect(notes([note(.released, by: "h"), note(lease, by: "h")])?.lease != nil)
        }

        @Test("a start that was appended twice is one, and only its own worker takes it back") func starts() throws {
            let alone = note(.started(alone: true), by: "a")
            let beside = note(.started(alone: false), by: "b")
            let two = try #require(notes([alone, alone, beside]))
            #expect(two.starts == 2 && two.aloneStarts == 1)
            let one = try #require(notes([alone, beside, note(.released, by: "b")]))
            #expect(one.starts == 1 && one.aloneStarts == 1)
            let other = try #require(notes([alone, beside, note(.released, by: "a")]))
            #expect(other.starts == 1 && other.aloneStarts == 0)
            let kept = try #require(notes([alone, beside, note(.released, by: "z")]))
            #expect(kept.starts == 2 && kept.aloneStarts == 1)
            let none = try #require(notes([alone, note(.released, by: "a"), note(.released, by: "a")]))
            #expect(none.starts == 0 && none.aloneStarts == 0)
        }

        @Test("a note of an older turn than one noted says nothing") func older() {
            var fold = outer.fold([outer.note(lease, 0, 2)])
            let change = fold.apply(outer.note(.released, 0, 1), time: outer.time)
            #expect(change == .none)
            #expect(fold.judge(outer.coordinate(0, 1)) == .run(nil))
        }

        @Test("an outcome of one replay does not end the lease of the next") func replays() {
            for outcome in [Outcome.completed, .dead, .cancelled] {
                let late = [outer.record(.dead, 0, 1), outer.note(lease, 1, 1), outer.record(outcome, 0, 2)]
                #expect(notes(late, replay: 1)?.lease != nil, "\(outcome)")
            }
            #expect(notes([outer.note(lease, 1, 1), outer.record(.dead, 1, 1)], replay: 1) == nil)
        }
    }

    @Suite("lanes")
    struct Lanes {
        private let outer = LedgerFoldTests()

        @Test("an event is open in its lane while it waits or is noted, and no longer") func open() {
            let other = Fingerprint(high: 9, low: 9)
            var fold = LedgerFold()
            #expect(fold.open(inLane: 7, besides: other).isEmpty)
            _ = fold.apply(outer.note(.started(alone: false), 0, 1, lane: 7), time: outer.time)
            #expect(!fold.open(inLane: 7, besides: other).isEmpty)
            #expect(fold.open(inLane: 7, besides: outer.fingerprint).isEmpty)
            _ = fold.apply(outer.record(.retrying, 0, 1, lane: 7), time: outer.time)
            #expect(!fold.open(inLane: 7, besides: other).isEmpty && fold.open(inLane: 8, besides: other).isEmpty)
            _ = fold.apply(outer.record(.completed, 0, 2, lane: 7), time: outer.time)
            #expect(fold.open(inLane: 7, besides: other).isEmpty)
        }
    }

    @Suite("eviction")
    struct Eviction {
        private let outer = LedgerFoldTests()

        @Test("what is older than the window leaves; open events stay and are named for a refresh") func window() {
            var fold = LedgerFold()
            for index in 0..<1000 {
                let fingerprint = Fingerprint(high: 0, low: UInt64(index))
                _ = fold.apply(
                    outer.record(index % 10 == 0 ? .retrying : .completed, 0, 1, of: fingerprint),
                    time: outer.time + Int64(index * 1000))
            }
            #expect(fold.completeSince == nil)
            let cutoff = outer.time + 500_000
            let refresh = fold.evict(before: cutoff, refreshBefore: outer.time + 700_000)
            let expected: [UInt64] = (0..<70).map { UInt64($0 * 10) }
            #expect(refresh.map(\.coordinate.fingerprint.low) == expected)
            #expect(fold.completeSince == cutoff)
            #expect(fold.openCount == 100)
            for index in 501..<1000 {
                #expect(fold.outcome(of: Fingerprint(high: 0, low: UInt64(index))) != nil)
            }
            #expect(fold.outcome(of: Fingerprint(high: 0, low: 1)) == nil)
            // Appended anew, they are young again.
            for decision in refresh {
                let change = fold.apply(decision.record, time: outer.time + 900_000)
                #expect(change == .none)
            }
            let second = fold.evict(before: cutoff, refreshBefore: outer.time + 700_000)
            #expect(second.isEmpty)
        }

        @Test("a note without a decision leaves with the window") func notes() {
            var fold = outer.fold([outer.note(.started(alone: false), 0, 1, lane: 3)])
            _ = fold.evict(before: outer.time, refreshBefore: outer.time)
            #expect(fold.openCount == 1)
            _ = fold.evict(before: outer.time + 1, refreshBefore: outer.time + 1)
            #expect(fold.openCount == 0 && fold.open(inLane: 3, besides: Fingerprint(high: 0, low: 0)).isEmpty)
        }

        @Test("beyond the maximum the oldest leave, and the fold says since when it is complete") func maximum() throws
        {
            var fold = LedgerFold(maximumEntries: 1000)
            for index in 0..<2000 {
                _ = fold.apply(
                    outer.record(.completed, 0, 1, of: Fingerprint(high: 0, low: UInt64(index))),
                    time: outer.time + Int64(index * 10_000))
            }
            _ = fold.evict(before: .epoch, refreshBefore: .epoch)
            #expect(fold.decidedCount <= 1000 && fold.decidedCount >= 800)
            let since = try #require(fold.completeSince)
            for index in 0..<2000 {
                let isKnown = fold.outcome(of: Fingerprint(high: 0, low: UInt64(index))) != nil
                if outer.time + Int64(index * 10_000) >= since { #expect(isKnown) }
            }
            #expect(fold.decidedByteCount > 0)
        }
    }
}
