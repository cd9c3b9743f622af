import TaskLog
import TaskModel
import Testing

@testable import SchedulerRole

struct CommandApplierTests {
    private let noon = Timestamp(rfc3339: "2026-11-21T12:00:00Z")!

    private func definition(_ spec: ScheduleSpec = everyMinute(), removed: Bool = false) -> ScheduleDefinition {
        ScheduleDefinition(
            spec: spec, revision: 4, createdAt: .epoch, updatedAt: .epoch, updatedBy: "x", reason: "",
            applied: AppliedCommand(id: "before", offset: 1), isRemoved: removed)
    }

    private func decide(
        _ kind: ScheduleCommand.Kind, id: String = "c", base: UInt64? = nil, on stored: ScheduleDefinition?
    ) -> CommandDecision {
        let command = ScheduleCommand(
            id: id, scheduleID: "s", kind: kind, baseRevision: base, author: "ada", reason: "why")
        return CommandApplier.decide(
            ReceivedCommand(command: command, offset: 9, at: noon), definition: stored,
            state: stored == nil ? nil : ScheduleState(cursor: noon - 60_000, fires: 3), now: noon + 1)
    }

    private func written(_ decision: CommandDecision) throws -> (ScheduleDefinition, ScheduleState) {
        guard case .write(let definition, let state) = decision.effect else { throw NothingWritten() }
        return (definition, state)
    }

    private struct NothingWritten: Error {}

    @Test func createsFromTheBrokersTime() throws {
        let decision = decide(.put(everyMinute()), base: 0, on: nil)
        #expect(decision.result.outcome == .applied(revision: 1))
        let (definition, state) = try written(decision)
        #expect(definition.createdAt == noon && definition.updatedBy == "ada" && definition.reason == "why")
        #expect(definition.applied == AppliedCommand(id: "c", offset: 9))
        #expect(state == ScheduleState(cursor: noon, definedAt: noon))
        #expect(decision.journal.map(\.kind) == [.created])
    }

    @Test func refusesWhatCanNeverFire() {
        for trigger in [Trigger.at(noon), .at(noon - 1)] {
            #expect(decide(.put(everyMinute { $0.trigger = trigger }), on: nil).result.outcome.word == "refused")
        }
        let ended = everyMinute { $0.end = noon }
        #expect(decide(.put(ended), on: nil).result.outcome.word == "refused")
        #expect(decide(.put(ended), on: definition()).result.outcome.word == "refused")
    }

    @Test(arguments: [
        (UInt64?.none, "applied"), (4, "applied"), (3, "conflict"), (5, "conflict"), (0, "conflict"),
    ])
    func aStaleBaseIsAConflict(base: UInt64?, word: String) {
        let stored = definition()
        let decision = decide(.put(everyMinute { $0.jitter = 5 }), base: base, on: stored)
        #expect(decision.result.outcome.word == word)
        guard word == "conflict" else { return }
        #expect(decision.result.outcome == .conflict(revision: 4, spec: stored.spec))
        #expect(decision.effect == .none && decision.journal.isEmpty)
    }

    @Test func aBaseWithoutAScheduleIsAConflict() {
        #expect(decide(.put(everyMinute()), base: 4, on: nil).result.outcome == .conflict(revision: 0, spec: nil))
        let removed = definition(removed: true)
        #expect(decide(.put(everyMinute()), base: 4, on: removed).result.outcome == .conflict(revision: 0, spec: nil))
        #expect(decide(.put(everyMinute()), base: 0, on: removed).result.outcome == .applied(revision: 1))
    }

    @Test func anEditKeepsTheCursorUnlessTheTriggerChanges() throws {
        let (same, kept) = try written(decide(.put(everyMinute { $0.task = "u" }), on: definition()))
        #expect(same.revision == 5 && kept == ScheduleState(cursor: noon - 60_000, fires: 3, definedAt: noon))
        let hourly = everyMinute { $0.trigger = .interval(milliseconds: 3_600_000, anchor: nil) }
        let (_, moved) = try written(decide(.put(hourly), on: definition()))
        #expect(moved == ScheduleState(cursor: noon, fires: 3, definedAt: noon))
    }

    @Test func anEqualPutChangesNothing() {
        let decision = decide(.put(everyMinute()), on: definition())
        #expect(decision.effect == .none && decision.result.outcome == .applied(revision: 4))
    }

    @Test func aPutNeverResumes() throws {
        let pause = SchedulePause(note: "n", by: "bob", at: .epoch)
        let paused = definition(everyMinute { $0.pause = pause })
        #expect(decide(.put(everyMinute()), on: paused).effect == .none)
        let (edited, _) = try written(decide(.put(everyMinute { $0.task = "u" }), on: paused))
        #expect(edited.spec.pause == pause)
    }

    @Test func queueAndKeyAreFixed() {
        for spec in [everyMinute { $0.queue = "other" }, everyMinute { $0.key = "other" }] {
            #expect(decide(.put(spec), on: definition()).result.outcome.word == "refused")
        }
    }

    @Test func pausesAndResumesFromNow() throws {
        let (paused, _) = try written(decide(.pause(note: "n"), on: definition()))
        #expect(paused.spec.pause == SchedulePause(note: "n", by: "ada", at: noon))
        #expect(decide(.pause(note: "n"), on: paused).effect == .none)
        #expect(decide(.resume, on: definition()).effect == .none)
        let (resumed, state) = try written(decide(.resume, id: "d", on: paused))
        #expect(resumed.spec.pause == nil && state.cursor == noon)
    }

    /// No scheduler has run since then, or its clock was held.
    @Test func whatCameAfterAPauseThatIsOverIsStillToBeDecided() throws {
        let until = noon - 30_000
        let pause = SchedulePause(note: "n", by: "bob", at: noon - 300_000, until: until)
        let (resumed, state) = try written(decide(.resume, on: definition(everyMinute { $0.pause = pause })))
        #expect(resumed.spec.pause == nil)
        #expect(state.cursor == until - 1, "what the pause held is given up, its end is not")
        let running = SchedulePause(note: "n", by: "bob", at: noon - 300_000, until: noon + 1)
        let (_, cut) = try written(decide(.resume, on: definition(everyMinute { $0.pause = running })))
        #expect(cut.cursor == noon)
    }

    @Test func theJournalSaysWhatAPauseHolds() throws {
        let span = JournalEntry.Span(after: noon - 1, through: noon + 59_999)
        #expect(decide(.pause(note: "n", until: noon + 60_000), on: definition()).journal.map(\.span) == [span])
        #expect(decide(.pause(note: "n"), on: definition()).journal.map(\.span) == [nil])
    }

    @Test func aStateSaysWhichDefinitionItGoesWith() throws {
        let (changed, state) = try written(decide(.pause(note: "n"), on: definition()))
        #expect(state.definedAt == changed.updatedAt)
    }

    @Test(arguments: [
        ScheduleCommand.Kind.remove, .pause(note: ""), .resume, .trigger(at: nil, payload: nil),
    ])
    func withoutAScheduleOnlyAPutWorks(kind: ScheduleCommand.Kind) {
        #expect(decide(kind, on: nil).result.outcome == .refused(reason: "there is no schedule \"s\""))
        #expect(decide(kind, on: definition(removed: true)).result.outcome.word == "refused")
    }

    @Test func whatWasAppliedIsRecognised() {
        let again = decide(.put(everyMinute { $0.task = "u" }), id: "before", base: 3, on: definition())
        #expect(again.effect == .none && again.result.outcome == .applied(revision: 4))
        let mark = definition(removed: true)
        #expect(decide(.remove, id: "before", on: mark).effect == .remove(mark))
    }

    @Test func aTriggerIsIdentifiedByItsCommand() throws {
        let decision = decide(.trigger(at: nil, payload: nil), on: definition())
        guard case .run(let event, nil) = decision.effect else {
            Issue.record("a run was expected")
            return
        }
        #expect(event.fingerprint == Fingerprint(.idempotencyKey(task: "t", key: "c")))
        #expect(event.overlap == .skip && event.dueAt == noon && event.payload == [7])
        #expect(decision.result.fingerprint == event.fingerprint)
    }

    @Test func aRunOutOfTurnObeysTheOverlapRule() {
        let spec = everyMinute {
            $0.overlap = .bufferAll
            $0.maxBuffered = 7
            $0.pausesOnFailure = true
        }
        guard case .run(let event, nil) = decide(.trigger(at: nil, payload: nil), on: definition(spec)).effect else {
            Issue.record("a run was expected")
            return
        }
        #expect(event.overlap == .bufferAll && event.overlapLimit == 7 && event.pausesOnFailure)
        #expect(event.partitionKey == spec.key)
    }

    // MARK: pause_on_failure

    private func fail(_ id: UInt64, on stored: ScheduleDefinition) -> CommandDecision {
        let command = ScheduleCommand.pauseOnFailure(
            of: Coordinate(fingerprint: Fingerprint(high: 0, low: id), turn: 3), scheduleID: "s", cause: "boom",
            author: "w/1")
        return CommandApplier.decide(
            ReceivedCommand(command: command, offset: 9, at: noon), definition: stored,
            state: ScheduleState(cursor: noon), now: noon)
    }

    private func failing(_ change: (inout ScheduleSpec) -> Void = { _ in }) -> ScheduleDefinition {
        definition(
            everyMinute {
                $0.pausesOnFailure = true
                change(&$0)
            })
    }

    @Test func aDeathPausesAndNamesTheEvent() throws {
        let decision = fail(7, on: failing())
        let (paused, _) = try written(decision)
        let note = "event 00000000000000000000000000000007 died: boom"
        #expect(paused.spec.pause == SchedulePause(note: note, by: "w/1", at: noon))
        #expect(paused.revision == 5 && decision.journal.map(\.reason) == [note])
    }

    /// The command may be written again after a takeover, when somebody has resumed the schedule already.
    @Test func aDeathThatIsToldTwiceDoesNotUndoAResume() throws {
        let (paused, _) = try written(fail(7, on: failing()))
        let (resumed, _) = try written(decide(.resume, on: paused))
        #expect(fail(7, on: resumed).effect == .none)
        let (again, _) = try written(fail(8, on: resumed))
        #expect(again.spec.isPaused, "another death is another matter")
    }

    @Test func whatIsPausedStaysAsItIs() throws {
        let byAda = SchedulePause(note: "migration", by: "ada", at: noon)
        let decision = fail(7, on: failing { $0.pause = byAda })
        let (kept, _) = try written(decision)
        #expect(kept.spec.pause == byAda && kept.revision == 4 && decision.journal.isEmpty)
        let (resumed, _) = try written(decide(.resume, on: kept))
        #expect(fail(7, on: resumed).effect == .none)
        let (untilResumed, _) = try written(fail(8, on: failing { $0.pause = byAda.ending(at: noon + 1000) }))
        #expect(untilResumed.spec.pause?.until == nil && untilResumed.spec.pause?.by == "w/1")
    }

    @Test func onlyAScheduleThatWantsItIsPaused() {
        #expect(fail(7, on: definition()).effect == .none)
    }

    @Test func onlyTheLastDeathsAreRemembered() throws {
        var stored = failing()
        for id in UInt64(1)...20 { (stored, _) = try written(fail(id, on: stored)) }
        #expect(stored.failurePauses?.count == 16 && stored.failurePauses?.last?.contains("14/0/3") == true)
    }

    @Test func refusesWhatIsWrongInItself() {
        let decision = decide(.put(everyMinute { $0.maxCount = 0 }), on: nil)
        #expect(decision.result.outcome == .refused(reason: "max_count must be 1 to 10000"))
        #expect(decide(.put(everyMinute("other")), on: nil).result.outcome.word == "refused")
    }
}

extension SchedulePause {
    fileprivate func ending(at time: Timestamp) -> SchedulePause {
        SchedulePause(note: note, by: by, at: at, until: time)
    }
}

struct CommandQueueTests {
    private func record(_ id: String, _ offset: Int64) -> LogRecord {
        let body = CommandsTopicRecord.command(
            ScheduleCommand(id: id, scheduleID: "s", kind: .remove, author: "ada")
        ).encoded()
        return LogRecord(
            topic: "c", partition: 0, offset: offset, timestamp: .epoch, key: body.key, value: body.value,
            headers: body.headers)
    }

    @Test func isSettledBelowTheFirstOpenCommand() {
        var queue = CommandQueue(position: 5, answered: ["b"])
        #expect(queue.settledOffset == 5)
        for (index, id) in ["a", "b", "c"].enumerated() { _ = queue.receive(record(id, Int64(5 + index))) }
        #expect(queue.count == 2 && queue.settledOffset == 5)
        queue.takeFirst()
        queue.takeFirst()
        queue.settle(offset: 7)
        #expect(queue.settledOffset == 5)
        queue.settle(offset: 5)
        #expect(queue.settledOffset == 8)
    }

    @Test func aCommandThatCannotBeReadIsAnsweredIfItSaysItsName() {
        var queue = CommandQueue(position: 0, answered: [])
        var broken = record("a", 0)
        broken.value = [0]
        _ = queue.receive(broken)
        guard case .unreadable("a", "s", 0, _)? = queue.first else {
            Issue.record("it must be answered")
            return
        }
        broken.offset = 1
        broken.headers = []
        guard case .foreign = queue.receive(broken) else {
            Issue.record("nobody can be answered")
            return
        }
        #expect(queue.count == 1)
    }
}
