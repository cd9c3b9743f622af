import TaskClient
import TaskLog
import TaskModel
import TaskTestKit
import Testing

/// Every answer to "why did it (not) run", from a journal as scheduler and worker write it.
struct ScheduleWhyTests {
    /// A schedule of every hour, created at 00:30 on 1 January 2026; it is 12:10 now.
    private let day = Timestamp(rfc3339: "2026-01-01T00:00:00Z")!
    private func hour(_ number: Int64) -> Timestamp { day + number * 3_600_000 }

    private func world(
        cursor: Int64 = 12, fires: UInt64 = 3, _ entries: [JournalEntry] = [],
        _ change: (inout ScheduleSpec) -> Void = { _ in }
    ) async throws -> World {
        let world = try await World()
        world.time.advance(milliseconds: hour(12) + 600_000 - world.time.now())
        var spec = ScheduleSpec(id: "s", task: "t", trigger: try .every(milliseconds: 3_600_000))
        change(&spec)
        let writer = ScheduleWriter(epoch: 1, name: "s-1/aa")
        let definition = ScheduleDefinition(
            spec: spec, revision: 1, createdAt: day + 1_800_000, updatedAt: day + 1_800_000, updatedBy: "ann",
            reason: "", applied: AppliedCommand(id: "c", offset: 0))
        let state = ScheduleState(cursor: hour(cursor), lastFired: hour(cursor), fires: fires)
        let key = Array("s".utf8)
        for record in [SchedulesTopicRecord.definition(definition), .state("s", state)] {
            try await world.append(world.plan.names.schedules, by: key, record.encoded(by: writer))
        }
        for entry in entries {
            try await world.append(world.plan.names.journal, by: Array(entry.subject.utf8), entry.encoded())
        }
        return world
    }

    private func entry(
        _ kind: JournalEntry.Kind, at: Timestamp, nominal: Int64? = nil, count: Int? = nil, by: String = "scheduler",
        _ reason: String = "because", subject: String = "s", fingerprint: Fingerprint? = nil,
        span: ClosedRange<Int64>? = nil
    ) -> JournalEntry {
        JournalEntry(
            subject: subject, kind: kind, at: at, author: by, reason: reason, fingerprint: fingerprint,
            nominal: nominal.map(hour), count: count,
            span: span.map { .init(after: hour($0.lowerBound), through: hour($0.upperBound)) })
    }

    private func fingerprint(_ number: Int64) -> Fingerprint {
        Fingerprint(.scheduled(scheduleID: "s", nominalTime: hour(number)))
    }

    private func verdict(_ world: World, at time: Timestamp) async throws -> ScheduleAnswer.Verdict {
        try await world.client.why(schedule: "s", at: time).verdict
    }

    @Test func aFireIsToldWithItsEvent() async throws {
        let fired = entry(.fired, at: hour(3) + 20, nominal: 3, "nominal time", fingerprint: fingerprint(3))
        let world = try await world([fired])
        let spec = try await world.client.schedule("s").spec
        let event = FireMaker.event(of: spec, nominal: hour(3), due: hour(3), standsFor: 1, now: hour(3))
        try await world.append(world.plan.names.due("default"), by: event.recordKey, event.encoded())
        try await world.decide(event, OutcomeDetail(.completed))
        let answer = try await world.client.why(schedule: "s", at: hour(3))
        #expect(answer.verdict == .fired(at: hour(3) + 20, by: "scheduler", lateness: 20))
        #expect(answer.isNominal)
        #expect(answer.evidence == [fired])
        #expect(answer.event == .completed(at: world.time.now()))
    }

    @Test func aTimeThatIsNoneIsAnsweredForTheNearest() async throws {
        let world = try await world([entry(.fired, at: hour(3), nominal: 3, fingerprint: fingerprint(3))])
        let answer = try await world.client.why(schedule: "s", at: hour(3) + 600_000)
        #expect(!answer.isNominal)
        #expect(answer.nominal == hour(3))
        #expect(answer.before == hour(3))
        #expect(answer.after == hour(4))
        #expect(answer.verdict == .fired(at: hour(3), by: "scheduler", lateness: 0))
        // Without a time it is the last one.
        #expect(try await world.client.why(schedule: "s").nominal == hour(12))
    }

    @Test func aLateFireTellsWhoTookOver() async throws {
        let home = TopicPartition("tidemill.commands", Murmur2.partition(of: Array("s".utf8), count: 3))
        let other = TopicPartition("tidemill.commands", (home.partition + 1) % 3)
        let taken = entry(
            .restored, at: hour(7), "\(home) is this scheduler's now", subject: "s-2/bb")
        let world = try await world([
            entry(.restored, at: hour(7), "\(other) is this scheduler's now", subject: "s-2/bb"), taken,
            entry(.fired, at: hour(7) + 100, nominal: 6, fingerprint: fingerprint(6)),
        ])
        let answer = try await world.client.why(schedule: "s", at: hour(6))
        #expect(answer.verdict == .fired(at: hour(7) + 100, by: "scheduler", lateness: 3_600_100))
        #expect(answer.schedulers == [taken])
    }

    @Test func whatWasDroppedOrCoalescedIsFoundByItsCount() async throws {
        let dropped = entry(.misfired, at: hour(8), nominal: 5, count: 3, DropReason.tooOld.rawValue)
        let world = try await world([
            dropped, entry(.fired, at: hour(8), nominal: 8, fingerprint: fingerprint(8)),
            entry(.coalesced, at: hour(8), nominal: 8, count: 3),
        ])
        for number in Int64(3)...5 {
            #expect(
                try await verdict(world, at: hour(number)) == .dropped(reason: "older than max_age", at: hour(8)))
        }
        #expect(try await verdict(world, at: hour(2)) == .forgotten)
        for number in Int64(6)...7 {
            #expect(try await verdict(world, at: hour(number)) == .coalesced(into: hour(8), count: 3))
        }
        #expect(try await verdict(world, at: hour(9)) == .forgotten)
    }

    @Test func anEarliestFireStandsForLaterTimes() async throws {
        let world = try await world([
            entry(.fired, at: hour(8), nominal: 6, fingerprint: fingerprint(6)),
            entry(.coalesced, at: hour(8), nominal: 6, count: 3),
        ]) { $0.catchUp = .earliest }
        #expect(try await verdict(world, at: hour(8)) == .coalesced(into: hour(6), count: 3))
        #expect(try await verdict(world, at: hour(9)) == .forgotten)
    }

    /// Their count is that of the trigger of then; counted by the one of today they would lie elsewhere.
    @Test func anEditDoesNotMoveWhatWasDroppedOrCoalesced() async throws {
        let world = try await world([
            // Every half hour.
            entry(.misfired, at: hour(5) + 1, nominal: 5, count: 4, DropReason.tooOld.rawValue, span: 3...5),
            entry(.skipped, at: hour(6) + 1, nominal: 6, count: 1, DropReason.missed.rawValue),
            entry(.updated, at: hour(6) + 600_000, by: "bob"),
            // Every hour, and the earliest stood for the others.
            entry(.fired, at: hour(10), nominal: 7, fingerprint: fingerprint(7)),
            entry(.coalesced, at: hour(10), nominal: 7, count: 4, span: 6...10),
        ])
        #expect(try await verdict(world, at: hour(3)) == .edited(at: hour(6) + 600_000, by: "bob"))
        for number in Int64(4)...5 {
            #expect(
                try await verdict(world, at: hour(number)) == .dropped(reason: "older than max_age", at: hour(5) + 1))
        }
        #expect(try await verdict(world, at: hour(6)) == .dropped(reason: "missed; catch_up is skip", at: hour(6) + 1))
        for number in Int64(8)...10 {
            #expect(try await verdict(world, at: hour(number)) == .coalesced(into: hour(7), count: 4))
        }
        #expect(try await verdict(world, at: hour(11)) == .forgotten)
    }

    /// Every two hours before: what the hourly trigger of today names in between was nobody's to decide.
    @Test func anEditThatNamesMoreTimesIsTold() async throws {
        let world = try await world([
            entry(.misfired, at: hour(8) + 1, nominal: 8, count: 3, DropReason.tooOld.rawValue, span: 2...8),
            entry(.updated, at: hour(8) + 600_000, by: "bob"),
            entry(.fired, at: hour(10), nominal: 10, fingerprint: fingerprint(10)),
        ])
        #expect(try await verdict(world, at: hour(5)) == .edited(at: hour(8) + 600_000, by: "bob"))
        #expect(try await verdict(world, at: hour(8)) == .dropped(reason: "older than max_age", at: hour(8) + 1))
    }

    /// The edit was read late: the old trigger's fire stood for times that the new one has decided again.
    @Test func theLaterOfTwoDecisionsIsTold() async throws {
        let world = try await world([
            entry(.coalesced, at: hour(6), nominal: 6, count: 5, span: 1...6),
            entry(.updated, at: hour(6), by: "bob"),
            entry(.coalesced, at: hour(8), nominal: 8, count: 4, span: 4...8),
        ])
        #expect(try await verdict(world, at: hour(5)) == .coalesced(into: hour(8), count: 4))
        #expect(try await verdict(world, at: hour(3)) == .coalesced(into: hour(6), count: 5))
    }

    @Test func aPauseIsToldByWhoAndWhy() async throws {
        let old = try await world([
            entry(.paused, at: hour(2), by: "bob", "stocktaking"), entry(.resumed, at: hour(4), by: "bob"),
        ])
        #expect(
            try await verdict(old, at: hour(3)) == .paused(by: "bob", note: "stocktaking", at: hour(2), until: nil))
        #expect(try await verdict(old, at: hour(5)) == .forgotten)
        let late = try await world([
            entry(.paused, at: hour(2), by: "bob", "audit", span: 2...3), entry(.resumed, at: hour(7), by: "bob"),
        ])
        let until = hour(3) + 1
        #expect(try await verdict(late, at: hour(3)) == .paused(by: "bob", note: "audit", at: hour(2), until: until))
        #expect(try await verdict(late, at: hour(5)) == .forgotten, "its pause was over by then")
        let pause = SchedulePause(note: "audit", by: "ann", at: hour(9), until: hour(11))
        let now = try await world { $0.pause = pause }
        #expect(
            try await verdict(now, at: hour(10)) == .paused(by: "ann", note: "audit", at: hour(9), until: hour(11)))
        #expect(try await verdict(now, at: hour(11)) == .forgotten)
    }

    @Test func boundsExclusionsAndEditsAreTold() async throws {
        let bounded = try await world {
            $0.start = hour(5)
            $0.end = hour(10)
        }
        #expect(try await verdict(bounded, at: hour(4)) == .beforeStart(hour(5)))
        #expect(try await verdict(bounded, at: hour(11)) == .afterEnd(hour(10)))
        let lunch = Exclusion.range(from: hour(11), until: hour(12))
        let night = Exclusion.range(from: hour(0), until: hour(4))
        let excluding = try await world { $0.trigger = .except($0.trigger, [night, lunch]) }
        #expect(try await verdict(excluding, at: hour(11)) == .excluded(number: 2))
        #expect(try await verdict(excluding, at: hour(2)) == .excluded(number: 1))
        let edited = try await world([entry(.updated, at: hour(6) + 1, by: "bob")])
        #expect(try await verdict(edited, at: hour(6)) == .edited(at: hour(6) + 1, by: "bob"))
        #expect(try await verdict(edited, at: hour(0)) == .beforeCreation(day + 1_800_000))
        #expect(try await verdict(edited, at: hour(7)) == .forgotten)
    }

    @Test func whatIsNotDecidedIsTold() async throws {
        let down = try await world(cursor: 9)
        #expect(try await verdict(down, at: hour(10)) == .undecided)
        #expect(try await verdict(down, at: hour(13)) == .ahead(due: hour(13)))
        let over = try await world(cursor: 9, fires: 3) { $0.maxRuns = 3 }
        #expect(try await verdict(over, at: hour(10)) == .ended(runs: 3))
        let never = try await world { $0.trigger = .at(hour(20)) }
        #expect(try await verdict(never, at: hour(1)) == .notNominal)
    }

    @Test func theLogKnowsWhatTheJournalForgot() async throws {
        let world = try await world()
        let spec = try await world.client.schedule("s").spec
        let event = FireMaker.event(of: spec, nominal: hour(3), due: hour(3), standsFor: 1, now: hour(3))
        try await world.decide(event, OutcomeDetail(.skipped))
        let answer = try await world.client.why(schedule: "s", at: hour(3))
        #expect(answer.event == .skipped(at: world.time.now()))
        guard case .fired = answer.verdict else {
            Issue.record("its event is in the log: \(answer.verdict)")
            return
        }
    }

    @Test func theNewestEntriesOfAJournalAreKept() async throws {
        let world = try await world()
        for number in Int64(1)...7 {
            try await world.append(
                world.plan.names.journal, by: Array("s".utf8), entry(.fired, at: hour(number)).encoded())
        }
        #expect(try await world.client.journal(of: "s", limit: 2).map(\.at) == [hour(6), hour(7)])
    }
}
