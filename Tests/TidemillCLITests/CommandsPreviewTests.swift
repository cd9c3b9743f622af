import TaskClient
import TaskModel
import Testing

@testable import TidemillCLI

struct CommandsPreviewTests {
    private func spec(_ id: String, _ cron: String) throws -> ScheduleSpec {
        ScheduleSpec(id: id, task: "t", trigger: try .cron(cron, zone: "Europe/Berlin", spread: id))
    }

    @Test func aBareTriggerIsExactlyItsFires() async throws {
        let world = try await CommandsWorld(createTopics: false)
        let result = try await world.run(
            "schedules", "preview", "--cron", "0 30 2 ? * *", "--dialect", "quartz", "--time-zone", "Europe/Berlin",
            "--from", "2026-03-28T12:00:00Z", "--count", "2", "--output", "json")
        #expect(result.status == 0)
        #expect(
            result.output == """
                {
                  "fires" : [
                    {
                      "local" : "2026-03-29T03:00:00+02:00",
                      "utc" : "2026-03-29T01:00:00Z"
                    },
                    {
                      "local" : "2026-03-30T02:30:00+02:00",
                      "utc" : "2026-03-30T00:30:00Z"
                    }
                  ]
                }

                """)
    }

    @Test(arguments: [
        (["--interval", "90s", "--from", "2026-01-01T00:00:00Z"], "2026-01-01T00:01:30Z"),
        (["--interval", "1h", "--anchor", "2026-01-01T00:20:00Z"], "2026-01-01T00:20:00Z"),
        (["--at", "2026-07-01T09:00", "--time-zone", "Asia/Tokyo"], "2026-07-01T00:00:00Z"),
        (["--calendar", "every 1 months from 2026-01-31 at 09:30"], "2026-01-31T09:30:00Z"),
        (["--cron", "hour=9 day_of_week=mon", "--dialect", "fields"], "2026-01-05T09:00:00Z"),
    ])
    func everyKindOfTrigger(words: [String], utc: String) async throws {
        let world = try await CommandsWorld(createTopics: false)
        let result = try await world.run(
            ["schedules", "preview", "--count", "1", "-o", "json"] + words, written: .init([]))
        #expect(result.output.contains("\"utc\" : \"\(utc)\""), "\(result)")
    }

    @Test func anIDSpreadsH() async throws {
        let world = try await CommandsWorld(createTopics: false)
        for id in ["nightly", "weekly"] {
            let result = try await world.run(
                "schedules", "preview", "--count", "1", "-o", "json", "--cron", "H H * * *", "--id", id)
            let trigger = try Trigger.cron("H H * * *", spread: id)
            let next = try #require(trigger.next(after: world.time.now()))
            #expect(result.output.contains(next.rfc3339))
        }
    }

    @Test(arguments: [
        ([], "preview what?"), (["--cron", "0 9 * *"], "--cron: "),
        (["--cron", "0 9 * * *", "--time-zone", "Europe/Berln"], "--time-zone: "),
        (["--cron", "0 9 * * *", "--interval", "1h"], "exclude each other"),
        (["--calendar", "monthly"], "every 2 months from"), (["nightly", "--id", "x", "--interval", "1h"], "--id is"),
    ])
    func whatCannotBePreviewedSaysWhy(words: [String], message: String) async throws {
        let world = try await CommandsWorld()
        let result = try await world.run(["schedules", "preview"] + words, written: .init([]))
        #expect(result.status == UsageError.exitCode)
        #expect(result.errors.contains(message), "\(result.errors)")
    }

    @Test func aScheduleShowsTheDaysOnWhichTheClocksChange() async throws {
        let world = try await CommandsWorld()
        try await world.define(try spec("nightly", "30 2 * * *"))
        let result = try await world.run("schedules", "preview", "nightly", "--count", "2")
        #expect(
            result.output == """
                LOCAL (Europe/Berlin)      UTC                   CLOCKS
                2026-01-01T02:30:00+01:00  2026-01-01T01:30:00Z
                2026-01-02T02:30:00+01:00  2026-01-02T01:30:00Z

                2026-03-29, clocks 1h forward: 02:30 is passed over and runs once at 03:00 (gap: run-after, Debian's rule)
                2026-10-25, clocks 1h back: 02:30 occurs twice and runs the first time (overlap: first, Debian's rule)

                """)
        let json = try await world.json(
            "schedules", "preview", "nightly", "--from", "2026-03-28T12:00:00Z", "--count", "1")
        let fire = (json["fires"] as? [[String: Any]])?.first
        #expect(fire?["clock_change"] as? String == "moved")
        let change = (json["clock_changes"] as? [[String: Any]])?.first
        #expect(change?["first_local"] as? String == "2026-03-29T02:30:00")
        #expect(change?["fires"] as? [String] == ["2026-03-29T01:00:00Z"])
    }

    @Test func anEditShowsWhichFiresChange() async throws {
        var world = try await CommandsWorld()
        try await world.define(try spec("nightly", "0 2,4 * * *"))
        let words = ["schedules", "preview", "nightly", "--time-zone", "Europe/Berlin", "--count", "3"]
        let result = try await world.run(words + ["--cron", "0 2,5 * * *"], written: .init([]))
        #expect(
            result.output.split(separator: "\n").prefix(4).map { $0.prefix(22) } == [
                "   LOCAL (Europe/Berli", "   2026-01-01T02:00:00", "-  2026-01-01T04:00:00", "+  2026-01-01T05:00:00",
            ])
        #expect(result.output.contains("1 added, 1 removed, 2 kept"))
        world.schedules = [try spec("nightly", "0 2 * * *"), try spec("new", "0 3 * * *")]
        let file = try await world.json("schedules", "preview", "nightly", "-f", "jobs.yaml", "--count", "2")
        #expect(
            (file["fires"] as? [[String: Any]])?.compactMap { $0["change"] as? String } == ["kept", "removed"])
        let created = try await world.run("schedules", "preview", "new", "-f", "jobs.yaml", "--count", "2")
        #expect(created.output.contains("2 added, 0 removed, 0 kept"))
        #expect(created.errors.contains("new is new"))
        let which = try await world.run("schedules", "preview", "-f", "jobs.yaml")
        #expect(which.errors.contains("2 schedules; name one"))
    }

    @Test func aPauseWithoutAnEndHasNoFires() async throws {
        let world = try await CommandsWorld()
        var spec = try spec("nightly", "0 2 * * *")
        spec.pause = SchedulePause(note: "", by: "ann", at: .epoch)
        try await world.define(spec)
        let result = try await world.run("schedules", "preview", "nightly")
        #expect(result.status == 0)
        #expect(result.errors.contains("paused until it is resumed"))
    }
}
