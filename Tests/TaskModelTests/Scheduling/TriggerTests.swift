import TaskModel
import Testing

struct TriggerTests {
    @Test func anIntervalKeepsTheGridOfTheEpoch() throws {
        let trigger = try Trigger.every(milliseconds: 300_000)
        let now = try time("2026-11-21T09:16:00Z")
        #expect(trigger.next(after: now)?.rfc3339 == "2026-11-21T09:20:00Z")
        let later = try time("2026-11-21T09:20:00Z")
        #expect(trigger.next(after: later)?.rfc3339 == "2026-11-21T09:25:00Z")
        #expect(trigger.next(after: Timestamp(milliseconds: -1)) == .epoch)
    }

    @Test func anIntervalBeginsAtItsAnchor() throws {
        let anchor = try time("2026-11-21T09:17:03Z")
        let trigger = try Trigger.every(milliseconds: 60_000, anchor: anchor)
        #expect(trigger.next(after: .epoch) == anchor)
        #expect(trigger.next(after: anchor - 1) == anchor)
        #expect(trigger.next(after: anchor) == anchor + 60_000)
        #expect(trigger.next(after: anchor + 61_000) == anchor + 120_000)
        #expect(trigger.next(after: .distantFuture) == nil)
    }

    @Test(arguments: [0, -5, 99, Int64.max])
    func refusesAnIntervalOutOfBounds(milliseconds: Int64) throws {
        let error = try caught(TriggerError.self) { try Trigger.every(milliseconds: milliseconds) }
        #expect(error.field == "every")
    }

    @Test(
        arguments: [
            ("2026-11-21T09:30:00Z", nil, "2026-11-21T09:30:00Z"),
            ("2026-11-21T10:30:00+01:00", nil, "2026-11-21T09:30:00Z"),
            ("2026-11-21T10:30", "Europe/Berlin", "2026-11-21T09:30:00Z"),
            ("2026-11-21T10:30:15.250", "Europe/Berlin", "2026-11-21T09:30:15.250Z"),
            ("2026-07-01T10:30", "Europe/Berlin", "2026-07-01T08:30:00Z"),
            ("2026-03-29T02:30", "Europe/Berlin", "2026-03-29T01:00:00Z"),
            ("2026-10-25T02:30", "Europe/Berlin", "2026-10-25T00:30:00Z"),
            ("2026-11-21T10:30", "UTC", "2026-11-21T10:30:00Z"),
        ] as [(String, String?, String)])
    func readsAnInstant(text: String, zone: String?, expected: String) throws {
        let trigger = try Trigger.at(text, zone: zone)
        let instant = try time(expected)
        #expect(trigger == .at(instant))
        #expect(trigger.next(after: .epoch)?.rfc3339 == expected)
        #expect(trigger.next(after: instant) == nil)
    }

    @Test(
        arguments: [
            ("2026-11-21T10:30", nil, "at"), ("tomorrow", "UTC", "at"), ("2026-02-30T10:30", "UTC", "at"),
            ("2026-11-21T10:30", "Mars/Phobos", "timezone"), ("2026-11-21T10:30:00Z", "Europe/Berlin", "timezone"),
        ] as [(String, String?, String)])
    func refusesAnInstantThatIsNone(text: String, zone: String?, field: String) throws {
        let error = try caught(TriggerError.self) { try Trigger.at(text, zone: zone) }
        #expect(error.field == field)
    }

    @Test func countsAnIntervalWithoutWalking() throws {
        let trigger = try Trigger.every(milliseconds: 100)
        let year: Int64 = 365 * 86_400_000
        let found = try #require(
            trigger.occurrences(after: .epoch, through: Timestamp(milliseconds: year), limit: 10))
        #expect(found.count == Int(year / 100))
        #expect(found.last.milliseconds == year)
        #expect(trigger.occurrences(after: .epoch, through: Timestamp(milliseconds: 99), limit: 10) == nil)
    }

    @Test func countsCronUpToTheLimit() throws {
        let trigger = try Trigger.cron("* * * * *")
        let found = try #require(trigger.occurrences(after: .epoch, through: Timestamp(seconds: 6000), limit: 10))
        #expect(found.count == 10)
        #expect(found.last == Timestamp(seconds: 600))
    }

    @Test func jsonKeepsAVersionThatIsChecked() throws {
        let json = #"{"at":1,"kind":"at","version":2}"#
        #expect(throws: DecodingError.self) { try CanonicalJSON.decode(Trigger.self, from: Array(json.utf8)) }
        let wrong = #"{"version":1,"kind":"cron","dialect":"unix","expression":"0 0 30 2 *","timezone":"UTC"}"#
        #expect(throws: DecodingError.self) { try CanonicalJSON.decode(Trigger.self, from: Array(wrong.utf8)) }
        let dialect = #"{"version":1,"kind":"cron","dialect":"mars","expression":"0 0 3 2 *","timezone":"UTC"}"#
        #expect(throws: DecodingError.self) { try CanonicalJSON.decode(Trigger.self, from: Array(dialect.utf8)) }
    }
}
