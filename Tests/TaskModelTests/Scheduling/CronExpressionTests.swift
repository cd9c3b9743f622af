import TaskModel
import Testing

/// Which days and minutes an expression names, in UTC, and what it refuses.
struct CronExpressionTests {
    @Test(arguments: [
        ("*/15 * * * *", "2026-11-21T09:16:00Z", "2026-11-21T09:30:00Z"),
        ("0 3 * * *", "2026-11-21T03:00:00Z", "2026-11-22T03:00:00Z"),
        ("5-59/20 8-10 * * *", "2026-11-21T10:45:00Z", "2026-11-22T08:05:00Z"),
        ("0 0 1,15 * *", "2026-11-21T00:00:00Z", "2026-12-01T00:00:00Z"),
        ("0 12 * jan,JUL *", "2026-11-21T00:00:00Z", "2027-01-01T12:00:00Z"),
        ("0 12 * * mon-fri", "2026-11-20T12:00:00Z", "2026-11-23T12:00:00Z"),
        ("0 12 * * 7", "2026-11-16T00:00:00Z", "2026-11-22T12:00:00Z"),
        ("0 12 * * 5-7", "2026-11-21T12:00:00Z", "2026-11-22T12:00:00Z"),
        ("0 0 29 2 *", "2026-01-01T00:00:00Z", "2028-02-29T00:00:00Z"),
        ("0 0 29 2 *", "2096-03-01T00:00:00Z", "2104-02-29T00:00:00Z"),
        ("0 0 29 2 */7", "2088-03-01T00:00:00Z", "2128-02-29T00:00:00Z"),
        ("*/90 * * * *", "2026-11-21T09:16:00Z", "2026-11-21T10:00:00Z"),
        ("@hourly", "2026-11-21T09:16:00Z", "2026-11-21T10:00:00Z"),
        ("@daily", "2026-11-21T09:16:00Z", "2026-11-22T00:00:00Z"),
        ("@weekly", "2026-11-21T09:16:00Z", "2026-11-22T00:00:00Z"),
        ("@monthly", "2026-11-21T09:16:00Z", "2026-12-01T00:00:00Z"),
        ("@yearly", "2026-11-21T09:16:00Z", "2027-01-01T00:00:00Z"),
        (" 0\t3  * * * ", "2026-11-21T09:16:00Z", "2026-11-22T03:00:00Z"),
    ])
    func namesTheNextTime(expression: String, after: String, expected: String) throws {
        let trigger = try Trigger.cron(expression)
        let start = try time(after)
        #expect(trigger.next(after: start)?.rfc3339 == expected)
    }

    /// 2026-12-01 is a Tuesday. Both day fields restricted: either matches; one begins with `*`: both must.
    @Test(arguments: [
        ("0 0 15 * mon", ["12-07", "12-14", "12-15", "12-21"]),
        ("0 0 */2 * mon", ["12-07", "12-21", "01-11", "01-25"]),
        ("0 0 15 * *", ["12-15", "01-15", "02-15", "03-15"]),
        ("0 0 * * mon", ["12-07", "12-14", "12-21", "12-28"]),
        ("0 0 1-7 * */7", ["12-06", "01-03", "02-07", "03-07"]),
        ("0 0 30 2 mon", ["02-01", "02-08", "02-15", "02-22"]),
    ])
    func combinesTheDayFieldsAsVixieCronDoes(expression: String, days: [String]) throws {
        let trigger = try Trigger.cron(expression)
        var position = try time("2026-12-01T12:00:00Z")
        var found: [String] = []
        for _ in days {
            position = try #require(trigger.next(after: position))
            found.append(String(position.rfc3339.dropFirst(5).prefix(5)))
        }
        #expect(found == days)
    }

    @Test(arguments: [
        ("61 * * * *", "minute", "61 is out of range"),
        ("* 24 * * *", "hour", "24 is out of range"),
        ("* * 0 * *", "day-of-month", "0 is out of range"),
        ("* * * foo *", "month", "\"foo\" is not known"),
        ("* * * * 8", "day-of-week", "8 is out of range"),
        ("5/15 * * * *", "minute", "step after the single number 5"),
        ("*/0 * * * *", "minute", "step"),
        ("1,,2 * * * *", "minute", "empty item"),
        ("1- * * * *", "minute", "a number is missing"),
        ("-5 * * * *", "minute", "a number is missing"),
        ("* * * *", "cron", "4 fields"),
        ("* * * * * *", "cron", "6 fields"),
        ("", "cron", "0 fields"),
        ("@reboot", "cron", "@daily"),
        ("0 0 30 2 *", "day-of-month", "no month and year"),
        ("0 0 31 feb,apr,jun,sep,nov *", "day-of-month", "no month and year"),
    ])
    func refusesAndPointsAtTheField(expression: String, field: String, problem: String) throws {
        let error = try caught(TriggerError.self) { try Trigger.cron(expression) }
        #expect(error.field == field)
        #expect(error.message.contains(problem), "\(error.message)")
    }

    @Test func saysWhatIsAccepted() throws {
        let error = try caught(TriggerError.self) { try Trigger.cron("0 0 * foo *") }
        #expect(
            error.description
                == "month: field 4 of 5 is \"foo\": \"foo\" is not known; accepted are 1-12 or jan-dec, *, ranges (1-5), "
                + "lists, steps (*/2, 1-5/2), H, H/n, H(a-b)")
    }

    @Test(arguments: [
        ("Europe/Belin", "Europe/Berlin"), ("CEST", "accepted are IANA names"), ("EST", "accepted"),
        ("GMT+2", "accepted"), ("", "accepted"),
    ])
    func refusesATimeZoneThatIsNone(zone: String, hint: String) throws {
        let error = try caught(TriggerError.self) { try Trigger.cron("0 3 * * *", zone: zone) }
        #expect(error.field == "timezone")
        #expect(error.message.contains(hint), "\(error.message)")
    }
}

func time(_ text: String) throws -> Timestamp {
    try #require(Timestamp(rfc3339: text), "\(text)")
}

/// The error that `body` throws, which must be of this type.
func caught<Failure: Error>(_ type: Failure.Type, _ body: () throws -> some Any) throws -> Failure {
    do {
        _ = try body()
    } catch let error as Failure {
        return error
    }
    throw NothingThrown()
}

private struct NothingThrown: Error {}
