import Testing

@testable import TaskModel

/// The planner as tables: a schedule that fires every minute, its cursor at 0, and what one plan decides.
struct PlannerTableTests {
    private let noon = Timestamp(rfc3339: "2026-11-21T12:00:00Z")!

    /// Times are minutes after noon.
    struct Row: CustomTestStringConvertible, Sendable {
        var catchUp = CatchUp.latest
        var maxAge: Double = 60
        var maxCount = 100
        var spacing: Double = 0
        var maxRuns: Int?
        var pausedUntil: Double?
        var start: Double?
        var end: Double?
        /// When it is planned, one after the other, each with the state that the one before left.
        var at: [Double]
        /// One line per plan: decisions; then when to plan again.
        var expected: [String]
        var testDescription: String { "\(catchUp) \(at) \(expected.first ?? "")" }
    }

    @Test(arguments: [
        // On time: all rules are one.
        Row(catchUp: .skip, at: [0.5, 1, 2], expected: ["; wake 1", "fire 1; wake 2", "fire 2; wake 3"]),
        Row(catchUp: .latest, at: [1, 2], expected: ["fire 1; wake 2", "fire 2; wake 3"]),
        Row(catchUp: .earliest, at: [1, 2], expected: ["fire 1; wake 2", "fire 2; wake 3"]),
        Row(catchUp: .all, spacing: 5, at: [1, 2], expected: ["fire 1; wake 2", "fire 2; wake 3"]),
        // Four missed.
        Row(catchUp: .skip, at: [4.5], expected: ["drop 1-3 missed, fire 4; wake 5"]),
        Row(catchUp: .latest, at: [4.5, 5], expected: ["fire 4 for 4; wake 5", "fire 5; wake 6"]),
        Row(catchUp: .earliest, at: [4.5, 5], expected: ["fire 1 for 4; wake 5", "fire 5; wake 6"]),
        Row(catchUp: .all, at: [4.5], expected: ["fire 1, fire 2, fire 3, fire 4; wake 5"]),
        // Some too old: exactly the maximum age still fires.
        Row(catchUp: .latest, maxAge: 2, at: [4], expected: ["drop 1 tooOld, fire 4 for 3; wake 5"]),
        Row(catchUp: .earliest, maxAge: 2, at: [4], expected: ["drop 1 tooOld, fire 2 for 3; wake 5"]),
        Row(catchUp: .all, maxAge: 2, at: [4.5], expected: ["drop 1-2 tooOld, fire 3, fire 4; wake 5"]),
        Row(catchUp: .latest, maxAge: 0, at: [4.5, 5], expected: ["drop 1-4 tooOld; wake 5", "fire 5; wake 6"]),
        Row(catchUp: .latest, maxAge: 60, at: [100], expected: ["drop 1-39 tooOld, fire 100 for 61; wake 101"]),
        // More than the count.
        Row(catchUp: .all, maxCount: 2, at: [4.5], expected: ["drop 1-2 beyondMaxCount, fire 3, fire 4; wake 5"]),
        Row(
            catchUp: .all, maxAge: 3, maxCount: 2, at: [6],
            expected: ["drop 1-2 tooOld, drop 3-4 beyondMaxCount, fire 5, fire 6; wake 7"]),
        // A rate: one fire every half minute until the rest has been made; new ones wait their turn.
        Row(
            catchUp: .all, spacing: 0.5, at: [2.25, 2.5, 2.75, 3, 3.25],
            expected: ["fire 1; wake 2.75", "; wake 2.75", "fire 2; wake 3", "fire 3; wake 4", "; wake 4"]),
        // Slower than the schedule itself: what waits grows older, and is not dropped for it but for its number.
        Row(
            catchUp: .all, maxAge: 3, maxCount: 2, spacing: 2, at: [2.5, 4.5, 6.5],
            expected: [
                "fire 1; wake 4.5", "drop 2 beyondMaxCount, fire 3; wake 6.5",
                "drop 4 beyondMaxCount, fire 5; wake 8.5",
            ]),
        // Left alone for longer than the maximum age, a catch-up is over.
        Row(
            catchUp: .all, maxAge: 2, spacing: 1, at: [2.5, 9],
            expected: ["fire 1; wake 3.5", "drop 2-6 tooOld, fire 7; wake 10"]),
        // A clock that steps back fires nothing twice and holds nothing back.
        Row(
            catchUp: .all, spacing: 1, at: [2.5, 1.5, 3], expected: ["fire 1; wake 3.5", "; wake 2", "fire 2; wake 4"]),
        Row(
            catchUp: .latest, at: [3, 1, 3.5, 4],
            expected: ["fire 3 for 3; wake 4", "; wake 4", "; wake 4", "fire 4; wake 5"]),
        // The end after so many runs.
        Row(catchUp: .latest, maxRuns: 2, at: [1, 2, 3], expected: ["fire 1; wake 2", "fire 2; wake -", "; wake -"]),
        Row(
            catchUp: .all, maxRuns: 2, at: [4.5, 5],
            expected: ["fire 1, fire 2, drop 3-4 afterLastRun; wake -", "; wake -"]),
        Row(catchUp: .latest, maxRuns: 1, at: [4.5], expected: ["fire 4 for 4; wake -"]),
        Row(
            catchUp: .all, spacing: 1, maxRuns: 2, at: [4.5, 5.5],
            expected: ["fire 1; wake 5.5", "fire 2, drop 3-5 afterLastRun; wake -"]),
        // A pause with an end: what passed is not caught up, and the end itself fires.
        Row(
            catchUp: .all, pausedUntil: 3, at: [1.5, 3, 4],
            expected: ["; wake 3", "drop 1-2 paused, fire 3; wake 4", "fire 4; wake 5"]),
        Row(catchUp: .latest, pausedUntil: 3, at: [5.5], expected: ["drop 1-2 paused, fire 5 for 3; wake 6"]),
        Row(catchUp: .latest, maxAge: 0, pausedUntil: 2.5, at: [2.75], expected: ["drop 1-2 paused; wake 3"]),
        // Bounds: what lies outside was never missed.
        Row(catchUp: .all, start: 3, at: [1, 4.5], expected: ["; wake 3", "fire 3, fire 4; wake 5"]),
        Row(catchUp: .latest, start: 2.5, at: [4.5], expected: ["fire 4 for 2; wake 5"]),
        Row(catchUp: .earliest, end: 3, at: [2.5, 9], expected: ["fire 1 for 2; wake 3", "fire 3; wake -"]),
        Row(catchUp: .skip, end: 3, at: [9], expected: ["drop 1-3 missed; wake -"]),
        Row(catchUp: .latest, maxAge: 2, end: 3, at: [9], expected: ["drop 1-3 tooOld; wake -"]),
        Row(catchUp: .latest, pausedUntil: 9, end: 3, at: [5, 9], expected: ["; wake 9", "drop 1-3 paused; wake -"]),
        // The minute of grace of `skip`, to the millisecond.
        Row(catchUp: .skip, at: [2], expected: ["drop 1 missed, fire 2; wake 3"]),
        Row(catchUp: .skip, end: 1, at: [2], expected: ["fire 1; wake -"]),
        Row(catchUp: .skip, end: 1, at: [2.01], expected: ["drop 1 missed; wake -"]),
        // The last run of a catch-up that stands for several.
        Row(catchUp: .earliest, maxRuns: 1, at: [4.5], expected: ["fire 1 for 4; wake -"]),
        // One in a hurry: the count is one.
        Row(catchUp: .all, maxCount: 1, spacing: 5, at: [3.5], expected: ["drop 1-2 beyondMaxCount, fire 3; wake 4"]),
    ])
    func decides(_ row: Row) throws {
        var spec = ScheduleSpec(id: "s", task: "t", trigger: try .every(milliseconds: 60_000), catchUp: row.catchUp)
        spec.maxAge = Int64(row.maxAge * 60_000)
        spec.maxCount = row.maxCount
        spec.catchUpSpacing = Int64(row.spacing * 60_000)
        spec.maxRuns = row.maxRuns
        spec.start = row.start.map(at)
        spec.end = row.end.map(at)
        spec.pause = row.pausedUntil.map { SchedulePause(note: "n", by: "me", at: noon, until: at($0)) }
        var state = ScheduleState(cursor: noon)
        for (minute, expected) in zip(row.at, row.expected) {
            let plan = Planner.plan(spec, state, now: at(minute))
            #expect(describe(plan, from: state.cursor) == expected, "at \(minute)")
            state = plan.state
        }
    }

    private func at(_ minute: Double) -> Timestamp { noon + Int64(minute * 60_000) }

    private func minute(_ time: Timestamp) -> String {
        let value = Double(time - noon) / 60_000
        return value == value.rounded() ? "\(Int(value))" : "\(value)"
    }

    private func describe(_ plan: Planner.Plan, from cursor: Timestamp) -> String {
        var words: [String] = []
        for decision in plan.decisions {
            switch decision {
            case .fire(let nominal, _, let standsFor):
                words.append("fire \(minute(nominal))" + (standsFor == 1 ? "" : " for \(standsFor)"))
            case .drop(let nominal, let count, let reason):
                let first = nominal - Int64(count - 1) * 60_000
                words.append("drop " + (count == 1 ? "" : "\(minute(first))-") + "\(minute(nominal)) \(reason)")
            }
        }
        return words.joined(separator: ", ") + "; wake " + (plan.nextWake.map(minute) ?? "-")
    }

    private func nominals(of plan: Planner.Plan) -> [Timestamp] {
        var found: [Timestamp] = []
        for case .fire(let nominal, _, _) in plan.decisions { found.append(nominal) }
        return found
    }

    /// What a schedule does from start to end, planned whenever it asks to be.
    private func live(_ spec: ScheduleSpec, from start: Timestamp, to end: Timestamp) -> (
        fires: [Timestamp], state: ScheduleState
    ) {
        var state = ScheduleState(cursor: start)
        var fires: [Timestamp] = []
        var now = start
        for _ in 0..<20_000 {
            let plan = Planner.plan(spec, state, now: now)
            fires += nominals(of: plan)
            state = plan.state
            guard let wake = plan.nextWake, wake <= end else { break }
            now = max(wake, now)
        }
        return (fires, state)
    }

    /// Whoever was away and catches everything up fires what the one fired who was there, be it at once or by a rate.
    @Test func catchUpEqualsLive() throws {
        var generate = Generate(seed: 51)
        var total = 0
        for number in 0..<40 {
            var spec = ScheduleSpec(id: "s\(number)", task: "t", trigger: generate.trigger(), catchUp: .all)
            spec.maxAge = 100 * 366 * 86_400_000
            spec.maxCount = ScheduleSpec.maximumCount
            spec.jitter = generate.chance(0.5) ? 0 : Int64(generate.int(1...3_600_000))
            spec.maxRuns = generate.optional { $0.int(1...30) }
            let start = generate.instant()
            var end = start
            for _ in 0..<12 { end = spec.next(after: end) ?? end + 86_400_000 }
            let present = live(spec, from: start, to: end)
            total += present.fires.count
            let late = Planner.plan(spec, ScheduleState(cursor: start), now: end)
            #expect(nominals(of: late) == present.fires)
            #expect(late.state.cursor >= present.state.cursor && late.state.fires == present.state.fires)
            spec.catchUpSpacing = 1000
            var state = ScheduleState(cursor: start)
            var fires: [Timestamp] = []
            var now = end
            for _ in 0..<100 {
                let plan = Planner.plan(spec, state, now: now)
                fires += nominals(of: plan).filter { $0 <= end }
                state = plan.state
                guard let wake = plan.nextWake, state.catchUp != nil else { break }
                now = wake
            }
            #expect(fires.starts(with: present.fires))
        }
        #expect(total > 150)
    }

    /// Every nominal time is accounted for, whenever a schedule is planned and whatever its rule.
    @Test func everyNominalTimeIsDecidedOnce() throws {
        var generate = Generate(seed: 52)
        for number in 0..<80 {
            var spec = ScheduleSpec(id: "s\(number)", task: "t", trigger: generate.trigger())
            spec.catchUp = generate.element(CatchUp.allCases)
            spec.maxAge = Int64(generate.int(0...1000)) * 60_000
            spec.maxCount = generate.int(1...20)
            spec.jitter = generate.chance(0.5) ? 0 : Int64(generate.int(1...3_600_000))
            spec.catchUpSpacing = generate.chance(0.5) ? 0 : Int64(generate.int(1...600_000))
            let start = generate.instant()
            var now = start
            var state = ScheduleState(cursor: start)
            var decided = 0
            var positions: [Timestamp] = []
            for _ in 0..<8 {
                let wait = (spec.next(after: now) ?? now + 1000) - now
                let hours: Int64 = 3_600_000
                now = now + (wait > hours ? wait : 0) + min(hours, Int64(generate.int(0...40)) * max(1, wait / 4))
                if generate.chance(0.1) { now = now - 3_600_000 }
                let plan = Planner.plan(spec, state, now: now)
                for decision in plan.decisions {
                    switch decision {
                    case .fire(let nominal, let due, let standsFor):
                        #expect(due <= now && nominal > state.cursor)
                        decided += standsFor
                        positions.append(nominal)
                    case .drop(let nominal, let count, _):
                        decided += count
                        positions.append(nominal)
                    }
                }
                #expect(plan.state.cursor >= state.cursor)
                state = plan.state
            }
            let named = spec.trigger.occurrences(after: start, through: state.cursor, limit: .max)?.count ?? 0
            #expect(decided == named, "\(spec.trigger) \(spec.catchUp)")
            #expect(positions == positions.sorted())
        }
    }

    @Test func warnsOfATriggerThatNeverFires() {
        let spec = ScheduleSpec(id: "s", task: "t", trigger: .never)
        #expect(spec.problems.isEmpty && spec.warnings.count == 1)
        let plan = Planner.plan(spec, ScheduleState(cursor: noon), now: noon + 86_400_000)
        #expect(plan.decisions.isEmpty && plan.nextWake == nil)
        #expect(ScheduleSpec(id: "s", task: "t", trigger: .at(noon)).warnings.isEmpty)
    }
}
