import TaskModel
import Testing

struct CalendarTriggerTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var every: Int
        var unit: CalendarTrigger.Unit
        var start: String
        var time = "09:30"
        var zone = "UTC"
        var changes = ClockChanges.debian
        var after: String
        var fires: [String]
        var testDescription: String { "\(every) \(unit) from \(start) \(time) \(zone) after \(after)" }
    }

    @Test(arguments: [
        // A missing day is passed over, and never drifts.
        Case(
            every: 1, unit: .months, start: "2026-01-31", after: "2026-01-01T00:00:00Z",
            fires: ["2026-01-31T09:30:00Z", "2026-03-31T09:30:00Z", "2026-05-31T09:30:00Z", "2026-07-31T09:30:00Z"]),
        Case(
            every: 2, unit: .months, start: "2025-12-31", after: "2026-01-01T00:00:00Z",
            fires: ["2026-08-31T09:30:00Z", "2026-10-31T09:30:00Z", "2026-12-31T09:30:00Z", "2027-08-31T09:30:00Z"]),
        Case(
            every: 1, unit: .years, start: "2024-02-29", after: "2024-02-29T09:30:00Z",
            fires: ["2028-02-29T09:30:00Z", "2032-02-29T09:30:00Z"]),
        Case(
            every: 2, unit: .weeks, start: "2026-11-16", after: "2026-11-16T09:30:00Z",
            fires: ["2026-11-30T09:30:00Z", "2026-12-14T09:30:00Z"]),
        Case(
            every: 3, unit: .days, start: "2026-02-27", time: "23:59:59", after: "2026-02-27T23:59:59Z",
            fires: ["2026-03-02T23:59:59Z", "2026-03-05T23:59:59Z"]),
        // A gap, an overlap, and a day that was left out.
        Case(
            every: 1, unit: .days, start: "2022-03-01", time: "02:30", zone: "America/New_York",
            after: "2022-03-12T00:00:00Z",
            fires: ["2022-03-12T07:30:00Z", "2022-03-13T07:00:00Z", "2022-03-14T06:30:00Z"]),
        Case(
            every: 1, unit: .days, start: "2022-03-01", time: "02:30", zone: "America/New_York",
            changes: ClockChanges(gap: .shift), after: "2022-03-13T00:00:00Z", fires: ["2022-03-13T07:30:00Z"]),
        Case(
            every: 1, unit: .days, start: "2022-03-01", time: "02:30", zone: "America/New_York",
            changes: ClockChanges(gap: .skip), after: "2022-03-13T00:00:00Z", fires: ["2022-03-14T06:30:00Z"]),
        Case(
            every: 1, unit: .days, start: "2022-03-01", time: "01:30", zone: "America/New_York",
            after: "2022-11-06T00:00:00Z", fires: ["2022-11-06T05:30:00Z", "2022-11-07T06:30:00Z"]),
        Case(
            every: 1, unit: .days, start: "2022-03-01", time: "01:30", zone: "America/New_York",
            changes: ClockChanges(overlap: .second), after: "2022-11-06T00:00:00Z", fires: ["2022-11-06T06:30:00Z"]),
        Case(
            every: 1, unit: .days, start: "2022-03-01", time: "01:30", zone: "America/New_York",
            changes: ClockChanges(overlap: .both), after: "2022-11-06T00:00:00Z",
            fires: ["2022-11-06T05:30:00Z", "2022-11-06T06:30:00Z", "2022-11-07T06:30:00Z"]),
        Case(
            every: 1, unit: .days, start: "2011-12-01", time: "12:00", zone: "Pacific/Apia",
            after: "2011-12-29T12:00:00Z", fires: ["2011-12-29T22:00:00Z", "2011-12-30T22:00:00Z"]),
    ])
    func staysOnItsDays(_ example: Case) throws {
        let trigger = Trigger.calendar(
            try CalendarTrigger(
                every: example.every, example.unit, from: #require(LocalDate(example.start)), at: example.time,
                zone: example.zone, changes: example.changes))
        var position = try time(example.after)
        var found: [String] = []
        for _ in example.fires {
            position = try #require(trigger.next(after: position))
            found.append(position.rfc3339)
        }
        #expect(found == example.fires)
    }

    @Test(arguments: [
        (0, "09:30", "UTC", "every"), (1001, "09:30", "UTC", "every"), (1, "24:00", "UTC", "time"),
        (1, "9:30", "UTC", "time"),
        (1, "", "UTC", "time"), (1, "09:30", "Mars/Phobos", "timezone"),
    ])
    func refuses(every: Int, time: String, zone: String, field: String) throws {
        let error = try caught(TriggerError.self) {
            try CalendarTrigger(every: every, .days, from: LocalDate(day: 0), at: time, zone: zone)
        }
        #expect(error.field == field)
    }

    @Test func aDateIsOneOfTheCalendar() {
        #expect(LocalDate("2024-02-29")?.description == "2024-02-29")
        for text in ["2023-02-29", "2024-2-29", "", "2024-02-29T", "20240229"] { #expect(LocalDate(text) == nil) }
    }

    /// Every hundredth year has no 29 February, and the search ends all the same.
    @Test func endsWhereTheCalendarDoes() throws {
        let never = try CalendarTrigger(
            every: 100, .years, from: #require(LocalDate("2096-02-29")), at: "00:00", zone: "UTC")
        let leap = try time("2196-02-29T00:00:00Z")
        #expect(Trigger.calendar(never).next(after: leap - 1) == leap)
        #expect(Trigger.calendar(never).next(after: .distantFuture - 5) == nil)
    }
}
