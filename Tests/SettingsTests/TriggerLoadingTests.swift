import Testing

@testable import Settings
@testable import TaskModel

/// The triggers that a schedule of the file may have.
struct TriggerLoadingTests {
    private func load(_ schedule: String) -> Result<Configuration, ConfigurationError> {
        let text = "schedules:\n  s:\n    task: t\n" + schedule.split(separator: "\n").map { "    \($0)\n" }.joined()
        do {
            return .success(
                try Configuration.load(text: Array(text.utf8), file: "t.yaml", directory: "/", environment: [:]))
        } catch {
            return .failure(error)
        }
    }

    private func spec(_ schedule: String) throws -> ScheduleSpec {
        try #require(load(schedule).get().schedules["s"]).spec
    }

    /// That the schedule has this trigger.
    private func check(
        _ schedule: String, has expected: @autoclosure () throws -> Trigger,
        sourceLocation: Testing.SourceLocation = #_sourceLocation
    ) throws {
        let (found, expected) = (try spec(schedule).trigger, try expected())
        #expect(found == expected, sourceLocation: sourceLocation)
    }

    @Test func cronInEachDialect() throws {
        try check("cron: '0 */5 * * * ?'\ndialect: quartz", has: .cron("0 */5 * * * ?", dialect: .quartz))
        let fields = "cron: { hour: 9, minute: 0, day_of_week: mon-fri }\ntime_zone: Europe/Berlin"
        try check(
            fields, has: .cron("day_of_week=mon-fri hour=9 minute=0", zone: "Europe/Berlin", dialect: .fields))
        #expect(try spec(fields).triggerText == "day_of_week=mon-fri hour=9 minute=0 (Europe/Berlin)")
        try check("cron: hour=9\ndialect: fields", has: .cron("hour=9", dialect: .fields))
        try check("cron: H 3 * * *", has: .cron("H 3 * * *", spread: "s"))
        try check(
            "cron: 30 2 * * *\ntime_zone: Europe/Berlin\nclock_changes: { gap: shift, overlap: both }",
            has: .cron("30 2 * * *", zone: "Europe/Berlin", changes: ClockChanges(gap: .shift, overlap: .both)))
    }

    @Test func intervalFromAnAnchor() throws {
        let anchor = try #require(Timestamp(rfc3339: "2026-01-01T00:00:00Z"))
        try check(
            "interval: 1h\nanchor: 2026-01-01T00:00:00Z\ndelay: 5s\nfirst: wait\nrepetitions: 3",
            has: .every(milliseconds: 3_600_000, anchor: anchor, delay: 5000, first: .wait, repetitions: 3))
    }

    @Test(arguments: ["interval:", "interval: null", "interval: ~"])
    func anEmptyIntervalDisables(text: String) throws {
        let spec = try spec(text)
        #expect(spec.trigger == .never)
        #expect(spec.warnings.count == 1)
    }

    @Test func calendar() throws {
        let spec = try spec(
            "calendar: { every: 2, unit: weeks, from: 2026-01-05, at: '09:30' }\ntime_zone: Asia/Tokyo\nmax_runs: 4")
        let start = try #require(LocalDate("2026-01-05"))
        let expected = try CalendarTrigger(every: 2, .weeks, from: start, at: "09:30", zone: "Asia/Tokyo")
        #expect(spec.trigger == .calendar(expected))
        #expect(spec.triggerText == "every 2 weeks from 2026-01-05 at 09:30 (Asia/Tokyo)")
        #expect(spec.maxRuns == 4)
    }

    @Test func triggersOfTriggers() throws {
        let spec = try spec(
            """
            any_of:
              - cron: 0 9 * * *
              - cron: 0 H * * *
                time_zone: UTC
              - all_of: [{ interval: 10m }, { cron: "*/15 * * * *" }]
            time_zone: Europe/Berlin
            except:
              - dates: [2026-12-25]
              - { from: "2026-12-28T00:00:00Z", until: "2026-12-31T00:00:00Z" }
              - cron: 0 9 1 1 *
            """)
        let from = try #require(Timestamp(rfc3339: "2026-12-28T00:00:00Z"))
        let parts: [Trigger] = [
            try .cron("0 9 * * *", zone: "Europe/Berlin"), try .cron("0 H * * *", spread: "s"),
            .allOf([try .every(milliseconds: 600_000), try .cron("*/15 * * * *", zone: "Europe/Berlin")]),
        ]
        let berlin = try ZoneTable("Europe/Berlin")
        let christmas: Set<LocalDate> = [try #require(LocalDate("2026-12-25"))]
        let newYear = try Trigger.cron("0 9 1 1 *", zone: "Europe/Berlin")
        #expect(
            spec.trigger
                == .except(
                    .anyOf(parts),
                    [
                        .dates(christmas, zone: berlin),
                        .range(from: from, until: from + 3 * 86_400_000),
                        .trigger(newYear),
                    ]))
        #expect(spec.triggerText == "any of 3, except 3")
    }

    @Test(arguments: [
        ("cron: 0 9 * * 1-5\ndialect: quartz", "schedules.s.cron: \"0 9 * * 1-5\" has 5 fields"),
        ("cron: { hour: 25 }", "schedules.s.cron: field hour is \"25\": 25 is out of range"),
        ("cron: { week: 5, hour: 9 }", "schedules.s.cron.week: unknown key"), ("cron: {}", "names no field"),
        ("cron: { hour: 9 }\ndialect: unix", "schedules.s.dialect: is unix, and `cron` is a mapping"),
        ("cron: 0 9 * * *\ndialect: vixie", "is not one of unix, quartz, fields"),
        ("interval: 1h\ndialect: unix", "schedules.s.dialect: means nothing without `cron`"),
        ("interval: 1h\nrepetitions: 3", "schedules.s.repetitions: it counts from an anchor"),
        ("cron: 0 9 * * *\nanchor: 2026-01-01T00:00:00Z", "schedules.s.anchor: means nothing without `interval`"),
        ("calendar: { unit: months, from: 2026-02-30, at: '09:30' }", "is no date such as"),
        ("calendar: { unit: months, from: 2026-02-28, at: '25:30' }", "schedules.s.calendar.at"),
        ("calendar: { unit: fortnights, from: 2026-02-28, at: '09:30' }", "is not one of days, weeks, months, years"),
        ("any_of: []", "any_of and all_of need at least one"),
        ("any_of: { cron: 0 9 * * * }", "is a mapping, not a list"),
        ("any_of: [{ cron: 0 9 * * *, interval: 1h }]", "schedules.s.any_of[0].interval: stands beside `cron`"),
        ("any_of: [{}]", "schedules.s.any_of[0]: has no trigger"),
        ("cron: 0 9 * * *\nexcept: [{ from: '2026-12-31T00:00:00Z', until: '2026-12-30T00:00:00Z' }]", "is not after"),
        ("cron: 0 9 * * *\nexcept: [{ from: '2026-12-31T00:00:00Z' }]", "`until` is missing"),
        ("cron: 0 9 * * *\nclock_changes: { gap: leap }", "is not one of run-after, skip, shift"),
    ])
    func refusesAndPointsAtTheKey(schedule: String, problem: String) {
        guard case .failure(let error) = load(schedule) else {
            Issue.record("\(schedule) was accepted")
            return
        }
        #expect(error.issues.count == 1, "\(error)")
        #expect(error.description.contains(problem), "\(error)")
    }

    /// What is shown of a configuration is read back as the same.
    @Test func isShownAsItIsRead() throws {
        for text in [
            "cron: { hour: 9, day_of_week: mon-fri }", "interval: null", "cron: '0 0 9 ? * 2'\ndialect: quartz",
            "calendar: { unit: months, from: 2026-01-31, at: '09:30' }\nclock_changes: { overlap: second }",
            "any_of: [{ cron: '0 9 * * *' }, { interval: 10m }]\nexcept: [{ dates: [2026-12-25] }]",
            "interval: 1h\nanchor: 2026-01-01T00:00:00Z\nrepetitions: 3",
        ] {
            let configuration = try load(text).get()
            let shown = configuration.redactedDescription()
            let again = try Configuration.load(
                text: Array(shown.utf8), file: "t.yaml", directory: "/", environment: [:])
            #expect(again.schedules["s"]?.spec == configuration.schedules["s"]?.spec, "\(shown)")
        }
    }
}
