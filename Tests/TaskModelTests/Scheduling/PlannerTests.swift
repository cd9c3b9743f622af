import TaskModel
import Testing

struct PlannerTests {
    /// Every minute from 12:00:00.
    private let noon = Timestamp(rfc3339: "2026-11-21T12:00:00Z")!

    private func spec(_ change: (inout ScheduleSpec) -> Void = { _ in }) throws -> ScheduleSpec {
        var spec = ScheduleSpec(id: "s", task: "t", trigger: try .every(milliseconds: 60_000))
        change(&spec)
        return spec
    }

    private func minute(_ count: Int64) -> Timestamp { noon + count * 60_000 }

    private func fire(_ count: Int64, standsFor: Int = 1) -> PlannedDecision {
        .fire(nominal: minute(count), due: minute(count), standsFor: standsFor)
    }

    @Test func waitsForTheNextNominalTime() throws {
        let plan = Planner.plan(try spec(), ScheduleState(cursor: noon), now: noon + 59_999)
        #expect(plan == .init(decisions: [], state: ScheduleState(cursor: noon), nextWake: minute(1)))
    }

    @Test func firesWhenItIsDue() throws {
        let plan = Planner.plan(try spec(), ScheduleState(cursor: noon), now: minute(1))
        #expect(plan.decisions == [fire(1)])
        #expect(plan.state == ScheduleState(cursor: minute(1), lastFired: minute(1), fires: 1))
        #expect(plan.nextWake == minute(2))
        let again = Planner.plan(try spec(), plan.state, now: minute(1))
        #expect(again.decisions.isEmpty)
    }

    @Test func firesNothingTwiceWhenTheClockStepsBackAnHour() throws {
        let state = ScheduleState(cursor: minute(90), lastFired: minute(90), fires: 90)
        let plan = Planner.plan(try spec(), state, now: minute(30))
        #expect(plan == .init(decisions: [], state: state, nextWake: minute(91)))
    }

    @Test(arguments: [
        (CatchUp.latest, ["fire 5 for 5"]), (.earliest, ["fire 1 for 5"]),
        (.skip, ["drop 4: 4", "fire 5 for 1"]),
        (.all, ["fire 1 for 1", "fire 2 for 1", "fire 3 for 1", "fire 4 for 1", "fire 5 for 1"]),
    ])
    func catchesUp(rule: CatchUp, expected: [String]) throws {
        let plan = Planner.plan(try spec { $0.catchUp = rule }, ScheduleState(cursor: noon), now: minute(5) + 1000)
        #expect(describe(plan) == expected)
        #expect(plan.state.cursor == minute(5))
    }

    /// Two of five are older than the maximum age.
    @Test(arguments: [
        (CatchUp.latest, ["drop 2: 2", "fire 5 for 3"]), (.earliest, ["drop 2: 2", "fire 3 for 3"]),
        (.all, ["drop 2: 2", "fire 3 for 1", "fire 4 for 1", "fire 5 for 1"]),
    ])
    func dropsWhatIsTooOld(rule: CatchUp, expected: [String]) throws {
        let spec = try spec {
            $0.catchUp = rule
            $0.maxAge = 130_000
        }
        let plan = Planner.plan(spec, ScheduleState(cursor: noon), now: minute(5) + 1000)
        #expect(describe(plan) == expected)
        #expect(plan.state.misfires == 2)
    }

    @Test func dropsEverythingAfterALongAbsence() throws {
        let spec = try spec { $0.trigger = try! .cron("0 3 * * *") }
        let plan = Planner.plan(spec, ScheduleState(cursor: noon), now: noon + 10 * 86_400_000)
        #expect(plan.decisions.count == 1)
        let last = try time("2026-12-01T03:00:00Z")
        #expect(plan.decisions.first == .drop(nominal: last, count: 10, reason: .tooOld))
        #expect(plan.nextWake == last + 86_400_000)
    }

    @Test func keepsTheLatestWhenThereAreMoreThanMaxCount() throws {
        let spec = try spec {
            $0.catchUp = .all
            $0.maxCount = 2
        }
        let plan = Planner.plan(spec, ScheduleState(cursor: noon), now: minute(5))
        #expect(describe(plan) == ["drop 3: 3", "fire 4 for 1", "fire 5 for 1"])
        #expect(plan.decisions.first == .drop(nominal: minute(3), count: 3, reason: .beyondMaxCount))
    }

    @Test func skipMissesWhatIsLate() throws {
        let spec = try spec {
            $0.catchUp = .skip
            $0.trigger = try! .every(milliseconds: 3_600_000)
        }
        let late = Planner.plan(spec, ScheduleState(cursor: noon), now: noon + 3_600_000 + 61_000)
        #expect(late.decisions == [.drop(nominal: minute(60), count: 1, reason: .missed)])
        let punctual = Planner.plan(spec, ScheduleState(cursor: noon), now: noon + 3_600_000 + 60_000)
        #expect(punctual.decisions == [fire(60)])
    }

    @Test func aPausedScheduleDecidesNothing() throws {
        let spec = try spec { $0.pause = SchedulePause(note: "", by: "me", at: .epoch) }
        let plan = Planner.plan(spec, ScheduleState(cursor: noon), now: minute(5))
        #expect(plan == .init(decisions: [], state: ScheduleState(cursor: noon), nextWake: nil))
    }

    @Test func staysWithinItsBounds() throws {
        let spec = try spec {
            $0.start = minute(2)
            $0.end = minute(3)
            $0.catchUp = .all
        }
        #expect(spec.next(after: noon) == minute(2))
        #expect(spec.next(after: minute(3)) == nil)
        let before = Planner.plan(spec, ScheduleState(cursor: noon), now: minute(1))
        #expect(before == .init(decisions: [], state: ScheduleState(cursor: noon), nextWake: minute(2)))
        let plan = Planner.plan(spec, ScheduleState(cursor: noon), now: minute(10))
        #expect(plan.decisions == [fire(2), fire(3)])
        #expect(plan.nextWake == nil)
    }

    @Test func jitterPutsOffAndNeverPastTheNextTime() throws {
        let spec = try spec { $0.jitter = 3_600_000 }
        var offsets: Set<Int64> = []
        for count in Int64(1)...200 {
            let due = Planner.dueTime(of: minute(count), in: spec)
            #expect(due >= minute(count) && due < minute(count + 1))
            #expect(due == Planner.dueTime(of: minute(count), in: spec))
            offsets.insert(due - minute(count))
        }
        #expect(offsets.count > 150)
        let due = Planner.dueTime(of: minute(1), in: spec)
        let early = Planner.plan(spec, ScheduleState(cursor: noon), now: due - 1)
        #expect(early == .init(decisions: [], state: ScheduleState(cursor: noon), nextWake: due))
        let plan = Planner.plan(spec, ScheduleState(cursor: noon), now: due)
        #expect(plan.decisions == [.fire(nominal: minute(1), due: due, standsFor: 1)])
    }

    @Test func aShortIntervalWithALongAbsenceEndsSoon() throws {
        let spec = try spec {
            $0.trigger = try! .every(milliseconds: 100)
            $0.maxAge = 86_400_000
        }
        let day: Int64 = 86_400_000
        let plan = Planner.plan(spec, ScheduleState(cursor: noon), now: noon + 3 * day)
        var dropped = 0
        for case .drop(_, let count, _) in plan.decisions { dropped += count }
        guard case .fire(let nominal, _, let standsFor)? = plan.decisions.last else {
            Issue.record("the latest must fire")
            return
        }
        #expect(nominal == noon + 3 * day)
        #expect(dropped + standsFor == Int(3 * day / 100))
    }

    private func describe(_ plan: Planner.Plan) -> [String] {
        plan.decisions.map {
            switch $0 {
            case .fire(let nominal, _, let standsFor): "fire \((nominal - noon) / 60_000) for \(standsFor)"
            case .drop(let nominal, let count, _): "drop \((nominal - noon) / 60_000): \(count)"
            }
        }
    }
}
