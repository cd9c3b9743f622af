import TaskModel
import Testing

struct SchedulePreviewTests {
    private func time(_ text: String) -> Timestamp { Timestamp(rfc3339: text)! }

    private func spec(
        _ cron: String, zone: String = "Europe/Berlin", changes: ClockChanges = .debian,
        _ change: (inout ScheduleSpec) -> Void = { _ in }
    ) throws -> ScheduleSpec {
        var spec = ScheduleSpec(id: "s", task: "t", trigger: try .cron(cron, zone: zone, changes: changes))
        change(&spec)
        return spec
    }

    private func days(
        _ spec: ScheduleSpec, _ state: ScheduleState? = nil, from: String = "2026-01-01T00:00:00Z", count: Int = 4
    ) -> [String] {
        SchedulePreview.fires(of: spec, state, from: time(from), count: count)
            .map { String($0.nominal.rfc3339.dropFirst(5).prefix(5)) }
    }

    @Test func localTimesHaveTheirOffset() throws {
        func local(_ utc: String, _ zone: String) throws -> String { try ZoneTable(zone).rfc3339(time(utc)) }
        #expect(try local("2026-07-01T12:00:00.250Z", "Europe/Berlin") == "2026-07-01T14:00:00.250+02:00")
        #expect(try local("2026-01-01T00:00:00Z", "America/St_Johns") == "2025-12-31T20:30:00-03:30")
        #expect(try local("2026-01-01T00:00:00Z", "UTC") == "2026-01-01T00:00:00+00:00")
    }

    @Test func pausesRunsAndTheCursorAreMinded() throws {
        let daily = "0 3 * * *"
        #expect(try days(spec(daily)) == ["01-01", "01-02", "01-03", "01-04"])
        let decided = ScheduleState(cursor: time("2026-01-02T02:00:00Z"), fires: 2)
        #expect(try days(spec(daily), decided) == ["01-03", "01-04", "01-05", "01-06"])
        #expect(try days(spec(daily) { $0.maxRuns = 3 }, decided) == ["01-03"])
        #expect(try days(spec(daily) { $0.maxRuns = 2 }, decided) == [])
        let until = SchedulePause(note: "", by: "ann", at: .epoch, until: time("2026-01-03T02:00:00Z"))
        #expect(try days(spec(daily) { $0.pause = until }) == ["01-03", "01-04", "01-05", "01-06"])
        let pause = SchedulePause(note: "", by: "ann", at: .epoch)
        #expect(try days(spec(daily) { $0.pause = pause }) == [])
        #expect(try days(spec(daily) { $0.end = time("2026-01-02T02:00:00Z") }) == ["01-01", "01-02"])
    }

    @Test func jitterIsTold() throws {
        let spec = try spec("0 3 * * *") { $0.jitter = 60_000 }
        let fire = try #require(SchedulePreview.fires(of: spec, nil, from: .epoch, count: 1).first)
        #expect(fire.due == Planner.dueTime(of: fire.nominal, in: spec))
        #expect(fire.due > fire.nominal)
    }

    /// Berlin, 29 March and 25 October 2026: expression, rule, effects of the two changes.
    @Test(arguments: [
        ("30 2 * * *", "", ["moved 02:30-02:30 1: 03:00", "first 02:30-02:30 1: 02:30"]),
        ("0,30 2 * * *", "", ["moved 02:00-02:30 2: 03:00", "first 02:00-02:30 2: 02:00 02:30"]),
        ("30 * * * *", "", ["skipped 02:30-02:30 1:", "both 02:30-02:30 1: 02:30 02:30"]),
        ("30 2 * * *", "skip first", ["skipped 02:30-02:30 1:", "first 02:30-02:30 1: 02:30"]),
        ("30 2 * * *", "shift second", ["shifted 02:30-02:30 1: 03:30", "second 02:30-02:30 1: 02:30"]),
        ("30 2 * * *", "run-after both", ["moved 02:30-02:30 1: 03:00", "both 02:30-02:30 1: 02:30 02:30"]),
        ("0 3 * * *", "", []),
    ])
    func changesOfTheClocksAreTold(expression: String, rule: String, expected: [String]) throws {
        let words = rule.split(separator: " ").map(String.init)
        let changes = ClockChanges(
            gap: words.first.flatMap(ClockChanges.Gap.init), overlap: words.last.flatMap(ClockChanges.Overlap.init))
        let spec = try spec(expression, changes: changes)
        let effects = SchedulePreview.clockChanges(of: spec, from: time("2026-01-01T00:00:00Z"), fires: [])
        #expect(effects.map(describe) == expected)
        #expect(effects.allSatisfy { $0.isDefault == rule.isEmpty })
        // What is told is what the trigger does.
        for fire in effects.flatMap(\.fires) {
            #expect(spec.next(after: fire - 1) == fire)
            let marked = SchedulePreview.fires(of: spec, nil, from: fire - 1, count: 1)
            #expect(marked.first?.clockChange != nil)
        }
    }

    private func describe(_ effect: ClockChangeEffect) -> String {
        func clock(_ wall: Int64) -> String { String(Timestamp(seconds: wall).rfc3339.dropFirst(11).prefix(5)) }
        let fires = effect.fires.map { " " + effect.zone.rfc3339($0).dropFirst(11).prefix(5) }
        return "\(effect.kind.rawValue) \(clock(effect.firstWall))-\(clock(effect.lastWall)) \(effect.count):"
            + fires.joined()
    }

    @Test func composedTriggersTellTheChangesOfTheirParts() throws {
        let calendar = Trigger.calendar(
            try CalendarTrigger(every: 1, .days, from: LocalDate("2026-01-01")!, at: "02:30", zone: "Europe/Berlin"))
        let weekly = Trigger.calendar(
            try CalendarTrigger(every: 1, .weeks, from: LocalDate("2026-01-02")!, at: "02:30", zone: "Europe/Berlin"))
        func told(_ trigger: Trigger) -> [String] {
            SchedulePreview.clockChanges(
                of: ScheduleSpec(id: "s", task: "t", trigger: trigger), from: time("2026-01-01T00:00:00Z"), fires: []
            ).map(describe)
        }
        let both = ["moved 02:30-02:30 1: 03:00", "first 02:30-02:30 1: 02:30"]
        #expect(told(calendar) == both)
        // 2 January is a Friday, the clocks change on Sundays.
        #expect(told(weekly) == [])
        #expect(told(.anyOf([weekly, calendar])) == both)
        #expect(told(.allOf([weekly, calendar])) == [])
        let autumn = Exclusion.range(from: time("2026-10-01T00:00:00Z"), until: time("2026-11-01T00:00:00Z"))
        #expect(told(.except(calendar, [autumn])) == [both[0]])
        #expect(Trigger.anyOf([.never, calendar]).zone?.identifier == "Europe/Berlin")
    }

    @Test func anEditTellsWhatItAddsAndTakesAway() throws {
        func changes(_ old: ScheduleSpec?, _ new: ScheduleSpec, count: Int = 4) -> [String] {
            PreviewedEdit.changes(
                from: old, to: new, nil, after: time("2026-01-01T00:00:00Z"), count: count
            ).map { "\($0.change.rawValue) \($0.fire.nominal.rfc3339.dropFirst(8).prefix(5))" }
        }
        let daily = try spec("0 6 * * *", zone: "UTC")
        let twice = try spec("0 6,18 * * *", zone: "UTC")
        // Four fires of `twice` end on the second day; later ones of it are not known.
        #expect(changes(daily, twice) == ["kept 01T06", "added 01T18", "kept 02T06", "added 02T18"])
        #expect(changes(twice, daily) == ["kept 01T06", "removed 01T18", "kept 02T06", "removed 02T18"])
        #expect(changes(nil, daily, count: 2) == ["added 01T06", "added 02T06"])
        let once = try spec("0 6 * * *", zone: "UTC") { $0.maxRuns = 1 }
        #expect(changes(daily, once, count: 2) == ["kept 01T06", "removed 02T06"])
    }
}
