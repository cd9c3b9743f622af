import TaskModel
import Testing

/// What the dialects take beyond numbers and stars, and what they refuse.
struct CronSyntaxTests {
    /// The next days (or times) after Tuesday 1 December 2026, 00:30 UTC.
    @Test(
        arguments: [
            (
                .unix, "0 9 * * 1-5",
                ["2026-12-01T09:00", "2026-12-02T09:00", "2026-12-03T09:00", "2026-12-04T09:00", "2026-12-07T09:00"]
            ),
            (
                .unix, "0 0 * * FRI-MON",
                ["2026-12-04T00:00", "2026-12-05T00:00", "2026-12-06T00:00", "2026-12-07T00:00", "2026-12-11T00:00"]
            ),
            (.unix, "0 0 * * fri-mon/2", ["2026-12-04T00:00", "2026-12-06T00:00", "2026-12-11T00:00"]),
            (.unix, "0 0 * * 6-1", ["2026-12-05T00:00", "2026-12-06T00:00", "2026-12-07T00:00", "2026-12-12T00:00"]),
            (.unix, "0 0 * * 7-1", ["2026-12-06T00:00", "2026-12-07T00:00", "2026-12-13T00:00"]),
            (
                .unix, "0 22-2 * * *",
                ["2026-12-01T01:00", "2026-12-01T02:00", "2026-12-01T22:00", "2026-12-01T23:00", "2026-12-02T00:00"]
            ),
            (
                .unix, "0 22-4/3 * * *",
                ["2026-12-01T01:00", "2026-12-01T04:00", "2026-12-01T22:00", "2026-12-02T01:00"]
            ),
            (.unix, "0 0 1 nov-feb *", ["2027-01-01T00:00", "2027-02-01T00:00", "2027-11-01T00:00"]),
            (.unix, "0 0 L * *", ["2026-12-31T00:00", "2027-01-31T00:00", "2027-02-28T00:00"]),
            (.unix, "0 0 l-2 * *", ["2026-12-29T00:00", "2027-01-29T00:00", "2027-02-26T00:00"]),
            (.unix, "0 0 L-29 * *", ["2026-12-02T00:00", "2027-01-02T00:00", "2027-03-02T00:00", "2027-04-01T00:00"]),
            (.unix, "0 0 LW * *", ["2026-12-31T00:00", "2027-01-29T00:00", "2027-02-26T00:00"]),
            (
                .unix, "0 0 1W,15W * *",
                ["2026-12-15T00:00", "2027-01-01T00:00", "2027-01-15T00:00", "2027-02-01T00:00", "2027-02-15T00:00"]
            ),
            (
                .unix, "0 0 1W * *",
                ["2027-01-01T00:00", "2027-02-01T00:00", "2027-03-01T00:00", "2027-04-01T00:00", "2027-05-03T00:00"]
            ),
            (.unix, "0 0 31W * *", ["2026-12-31T00:00", "2027-01-29T00:00", "2027-03-31T00:00"]),
            (.unix, "0 0 * * 5L", ["2026-12-25T00:00", "2027-01-29T00:00"]),
            (.unix, "0 0 * * friL,mon#1", ["2026-12-07T00:00", "2026-12-25T00:00", "2027-01-04T00:00"]),
            (.unix, "0 0 * * 0#5,2#1", ["2027-01-05T00:00", "2027-01-31T00:00", "2027-02-02T00:00"]),
            (.quartz, "0 */5 * * * ?", ["2026-12-01T00:35", "2026-12-01T00:40"]),
            (
                .quartz, "0 0/15 9 ? * MON-FRI",
                ["2026-12-01T09:00", "2026-12-01T09:15", "2026-12-01T09:30", "2026-12-01T09:45", "2026-12-02T09:00"]
            ),
            (.quartz, "0 0 12 ? * 1", ["2026-12-06T12:00", "2026-12-13T12:00"]),
            (.quartz, "0 0 12 ? * L", ["2026-12-05T12:00", "2026-12-12T12:00"]),
            (.quartz, "0 0 12 ? * 6L", ["2026-12-25T12:00", "2027-01-29T12:00"]),
            (.quartz, "0 0 12 ? * 6#3,2#1", ["2026-12-07T12:00", "2026-12-18T12:00", "2027-01-04T12:00"]),
            (.quartz, "0 0 12 * * *", ["2026-12-01T12:00", "2026-12-02T12:00"]),
            (.quartz, "0 0 12 L-1W * ?", ["2026-12-30T12:00", "2027-01-29T12:00", "2027-02-26T12:00"]),
            (.quartz, "30 0 0 1 1 ? 2030/3", ["2030-01-01T00:00:30", "2033-01-01T00:00:30"]),
            (.quartz, "0 0 0 1 JAN ? 2028-2029,2035", ["2028-01-01T00:00", "2029-01-01T00:00", "2035-01-01T00:00"]),
            (.quartz, "@weekly", ["2026-12-06T00:00", "2026-12-13T00:00"]),
            (
                .fields, "hour=9 minute=0 day_of_week=mon-fri",
                ["2026-12-01T09:00", "2026-12-02T09:00", "2026-12-03T09:00", "2026-12-04T09:00", "2026-12-07T09:00"]
            ),
            (.fields, "day=1 minute=20", ["2026-12-01T01:20", "2026-12-01T02:20"]),
            (.fields, "day_of_week=0", ["2026-12-07T00:00", "2026-12-14T00:00"]),
            (
                .fields, "day_of_week=4-6",
                ["2026-12-04T00:00", "2026-12-05T00:00", "2026-12-06T00:00", "2026-12-11T00:00"]
            ),
            (.fields, "month=6-8", ["2027-06-01T00:00", "2027-07-01T00:00"]),
            (.fields, "year=2027", ["2027-01-01T00:00"]),
            (.fields, "second=*/20 hour=23", ["2026-12-01T23:00", "2026-12-01T23:00:20"]),
            (.fields, "day=13 day_of_week=fri", ["2027-08-13T00:00"]),
            (.fields, "day=last hour=6", ["2026-12-31T06:00", "2027-01-31T06:00"]),
        ] as [(CronDialect, String, [String])])
    func namesTheNextTimes(dialect: CronDialect, expression: String, expected: [String]) throws {
        let trigger = try Trigger.cron(expression, dialect: dialect)
        var position = try time("2026-12-01T00:30:00Z")
        var found: [String] = []
        for _ in expected {
            position = try #require(trigger.next(after: position))
            found.append(position.rfc3339)
        }
        #expect(found == expected.map { $0.count == 16 ? $0 + ":00Z" : $0 + "Z" })
    }

    @Test(
        arguments: [
            (.unix, "0 0 * * L", "day-of-week", "\"l\" is not known"),
            (.unix, "0 0 ? * *", "day-of-month", "? stands alone"),
            (.unix, "0 0 L-31 * *", "day-of-month", "0 to 30"),
            (.unix, "0 0 32W * *", "day-of-month", "32 is out of range"),
            (.unix, "0 0 * * 1#6", "day-of-week", "1 to 5"), (.unix, "0 0 31W 2 *", "day-of-month", "no month"),
            (.unix, "0 0 * * 8L", "day-of-week", "8 is out of range"),
            (.unix, "0 0 L-30 feb *", "day-of-month", "no month"),
            (.unix, "0 * * * * ?", "cron", "dialect quartz"), (.unix, "H * * * *", "minute", "schedule's id"),
            (.quartz, "0 9 * * 1-5", "cron", "dialect unix"), (.quartz, "0 0 12 1 * MON", "day-of-week", "must be ?"),
            (.quartz, "0 0 12 1 * */2", "day-of-week", "must be ?"),
            (.quartz, "60 0 12 1 * ?", "second", "60 is out of range"),
            (.quartz, "0 0/60 12 1 * ?", "minute", "larger than 59"),
            (.quartz, "0 0 12 ? * 0", "day-of-week", "0 is out of range"),
            (.quartz, "0 0 12 1 1 ? 1969", "year", "out of range"),
            (.quartz, "0 0 12 1 1 ? 2030-2029", "year", "backwards"),
            (.quartz, "0 0 0 29 2 ? 2027,2029-2031", "day-of-month", "no month and year"),
            (.quartz, "? 0 0 1 1 ?", "second", "? stands alone"),
            (.quartz, "0 0 12 1,,2 * ?", "day-of-month", "empty item"),
            (.fields, "", "cron", "names no field"), (.fields, "hour=9 hour=10", "cron", "twice"),
            (.fields, "week=1", "cron", "accepted are year=…"), (.fields, "hour", "cron", "accepted are year=…"),
            (.fields, "day_of_week=7", "day-of-week", "7 is out of range"),
            (.fields, "day=30 month=2", "day-of-month", "no month"),
        ] as [(CronDialect, String, String, String)])
    func refusesAndPointsAtTheField(dialect: CronDialect, expression: String, field: String, problem: String) throws {
        let error = try caught(TriggerError.self) { try Trigger.cron(expression, dialect: dialect) }
        #expect(error.field == field)
        #expect(error.message.contains(problem), "\(error.message)")
    }

    @Test func hSpreadsByTheScheduleAndStays() throws {
        let day = try time("2026-12-01T00:00:00Z") - 1
        func first(_ expression: String, _ spread: String) throws -> String {
            try #require(Trigger.cron(expression, spread: spread).next(after: day)).rfc3339
        }
        // Pinned: a release that moved them would move every schedule that says H.
        #expect(try first("H H * * *", "nightly") == "2026-12-01T22:47:00Z")
        #expect(try first("H(10-19) H(2-4) * * *", "nightly") == "2026-12-01T03:17:00Z")
        #expect(try first("H/20 7 * * *", "nightly") == "2026-12-01T07:07:00Z")
        var minutes: Set<String> = []
        for number in 0..<500 { minutes.insert(String(try first("H 0 * * *", "s\(number)").dropFirst(14).prefix(2))) }
        #expect(minutes.count == 60)
        for number in 0..<100 {
            let trigger = try Trigger.cron("H(10-19)/5 H(1-4) H * H", spread: "s\(number)")
            let next = try #require(trigger.next(after: day)).rfc3339
            let minute = try #require(Int(next.dropFirst(14).prefix(2)))
            let hour = try #require(Int(next.dropFirst(11).prefix(2)))
            #expect((10...14).contains(minute) && (1...4).contains(hour), "\(next)")
        }
    }

    @Test func hWithAStepRunsThroughTheWholeRange() throws {
        let trigger = try Trigger.cron("H/15 * * * *", spread: "a")
        var position = try time("2026-12-01T00:00:00Z") - 1
        var minutes: [Int64] = []
        for _ in 0..<8 {
            position = try #require(trigger.next(after: position))
            minutes.append(position.milliseconds / 60_000 % 60)
        }
        #expect(minutes[0] < 15)
        #expect(minutes == (0..<8).map { (minutes[0] + 15 * $0) % 60 })
    }

    /// Nothing asks for a time limit here: the rarest expressions must only be found, and end.
    @Test(
        arguments: [
            (.quartz, "0 0 0 29 2 ? 2096-2110", "2096-02-29T00:00:00Z"),
            (.quartz, "59 59 23 31 12 ? 2199", "2199-12-31T23:59:59Z"),
            (.fields, "month=2 day=29 day_of_week=mon", "2044-02-29T00:00:00Z"),
        ] as [(CronDialect, String, String)])
    func findsTheRarest(dialect: CronDialect, expression: String, expected: String) throws {
        for zone in ["UTC", "GMT"] {
            let trigger = try Trigger.cron(expression, zone: zone, dialect: dialect)
            #expect(trigger.next(after: try time("2026-12-01T00:00:00Z"))?.rfc3339 == expected)
        }
        #expect(try Trigger.cron("0 0 0 1 1 ? 2030", dialect: .quartz).next(after: time("2030-01-01T00:00:00Z")) == nil)
    }
}
