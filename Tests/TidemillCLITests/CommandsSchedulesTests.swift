import TaskClient
import TaskLog
import TaskModel
import TaskTestKit
import Testing

@testable import TidemillCLI

struct CommandsSchedulesTests {
    private func spec(_ id: String, every: Int64 = 60_000) throws -> ScheduleSpec {
        ScheduleSpec(
            id: id, task: "report", trigger: try .every(milliseconds: every), triggerText: "every \(every) ms",
            origin: .file("jobs.yaml"))
    }

    @Test func schedulesAreListedAndShown() async throws {
        let world = try await CommandsWorld()
        var paused = try spec("b")
        paused.pause = SchedulePause(note: "stocktaking", by: "ann", at: world.time.now())
        paused.overlap = .bufferAll
        paused.pausesOnFailure = true
        try await world.define(paused)
        var past = try spec("c")
        past.pause = SchedulePause(note: "", by: "ann", at: .epoch, until: world.time.now())
        try await world.define(past)
        try await world.define(try spec("a"))
        let list = try await world.run("schedules", "list")
        let lines = list.output.split(separator: "\n")
        #expect(lines.count == 4)
        #expect(lines[1].hasPrefix("a   every 60000 ms  report  default  2026-01-01T00:01:00Z"))
        #expect(lines[2].contains("paused"))
        #expect(lines[3].contains("2026-01-01T00:01:00Z") && lines[3].contains("active"))
        #expect(try await world.run("schedules", "list", "--paused").output.split(separator: "\n").count == 2)
        #expect(
            try await world.run("schedules", "list", "-o", "json").output.contains(#""next" : "2026-01-01T00:01:00Z""#))
        let shown = try await world.run("schedules", "show", "b")
        #expect(shown.output.contains("by ann: stocktaking"))
        #expect(shown.output.contains("overlap buffer-all up to 100, catch-up latest, paused on failure"))
        let json = try await world.json("schedules", "show", "a")
        #expect((json["next"] as? [String])?.first == "2026-01-01T00:01:00Z")
        let missing = try await world.run("schedules", "show", "d")
        #expect(missing.status == 1)
        #expect(missing.errors.contains("there is no schedule \"d\""))
    }

    @Test func aCommandCarriesAuthorReasonAndRevision() async throws {
        let world = try await CommandsWorld()
        let (result, commands) = try await world.runAnswered(
            "schedules", "remove", "a", "--revision", "3", "--reason", "moved"
        ) { _ in .applied(revision: 4) }
        #expect(result.status == 0)
        #expect(result.output == "applied: a is at revision 4\n")
        let command = try #require(commands.first)
        #expect(command.kind == .remove)
        #expect(command.baseRevision == 3)
        #expect(command.author == "ann@host")
        #expect(command.reason == "moved")
    }

    @Test func aConflictAndARefusalEndWithOne() async throws {
        let world = try await CommandsWorld()
        let (conflict, _) = try await world.runAnswered("schedules", "pause", "a", "--note", "n") { _ in
            .conflict(revision: 9, spec: nil)
        }
        #expect(conflict.status == 1)
        #expect(conflict.errors.contains("a is at revision 9 now"))
        #expect(conflict.errors.contains("there is none now"))
        let other = try await CommandsWorld()
        let (refused, commands) = try await other.runAnswered("schedules", "trigger", "a", "--payload", "{}") { _ in
            .refused(reason: "there is no schedule a")
        }
        #expect(refused.status == 1)
        #expect(commands.first?.kind == .trigger(at: nil, payload: Array("{}".utf8)))
    }

    @Test func aPauseMayEndByItself() async throws {
        let world = try await CommandsWorld()
        let (result, commands) = try await world.runAnswered(
            "schedules", "pause", "a", "--note", "stocktaking", "--until", "+2h"
        ) { _ in .applied(revision: 4) }
        #expect(result.status == 0)
        #expect(
            commands.first?.kind == .pause(note: "stocktaking", until: world.time.now() + 7_200_000))
        let late = try await world.run("schedules", "pause", "a", "--until", "-1h")
        #expect(late.status == UsageError.exitCode)
        var paused = try spec("b")
        paused.pause = SchedulePause(note: "n", by: "ann", at: world.time.now(), until: world.time.now() + 90_000)
        try await world.define(paused)
        let list = try await world.run("schedules", "list").output.split(separator: "\n").last ?? ""
        #expect(list.contains("paused until 2026-01-01T00:01:30Z"))
        #expect(list.contains("2026-01-01T00:02:00Z"))
        #expect(try await world.run("schedules", "show", "b").output.contains("until 2026-01-01T00:01:30Z by ann: n"))
        let json = try await world.json("schedules", "show", "b")["schedule"] as? [String: Any]
        #expect(json?["paused_until"] as? String == "2026-01-01T00:01:30Z")
    }

    @Test func withoutASchedulerTheCommandIsQueued() async throws {
        let world = try await CommandsWorld()
        async let result = withTimeout("the command") {
            try await world.run("schedules", "resume", "a", "--timeout", "2s")
        }
        try await world.time.waitForSleepers(count: 1)
        world.time.advance(milliseconds: 2000)
        #expect(try await result.status == 0)
        #expect(try await result.output.hasPrefix("queued as command"))
    }

    @Test func applyShowsTheDifferenceBeforeAndAfter() async throws {
        var world = try await CommandsWorld()
        try await world.define(try spec("old"))
        try await world.define(try spec("same"))
        world.schedules = try [spec("same"), spec("new")]
        let dry = try await world.run("schedules", "apply", "--prune", "--dry-run")
        #expect(dry.status == 0)
        #expect(
            dry.output.split(separator: "\n").map { $0.split(separator: " ").prefix(2).joined(separator: " ") }
                == ["ID CHANGE", "same unchanged", "new create", "old remove"])
        #expect(try await world.records(world.plan.names.commands).isEmpty)
        let (done, commands) = try await world.runAnswered("schedules", "apply", "--prune", commands: 2) { command in
            command.kind == .remove ? .refused(reason: "no") : .applied(revision: 1)
        }
        #expect(done.status == 1)
        #expect(done.output.contains("refused: no"))
        #expect(Set(commands.map(\.scheduleID)) == ["new", "old"])
        #expect(commands.allSatisfy { $0.origin == .file("jobs.yaml") })
    }

    @Test func applyShowsWhatChangesOfASchedule() async throws {
        var world = try await CommandsWorld()
        var old = try spec("a")
        old.payload = Array("{\"n\":1}".utf8)
        try await world.define(old)
        try await world.define(try spec("gone"))
        var new = try spec("a", every: 1000)
        new.payload = Array("{\"n\":2}".utf8)
        world.schedules = [new]
        let dry = try await world.run("schedules", "apply", "--dry-run")
        #expect(
            dry.output.hasSuffix(
                """

                a, revision 3:
                  - payload: {"n":1}
                  + payload: {"n":2}
                  - trigger: {"every_ms":60000,"kind":"interval","version":1}
                  + trigger: {"every_ms":1000,"kind":"interval","version":1}
                  - trigger_text: "every 60000 ms"
                  + trigger_text: "every 1000 ms"

                """), "\(dry.output)")
        #expect(dry.output.contains("gone  orphaned  not in the file any more; --prune removes it"))
        let (conflict, _) = try await world.runAnswered("schedules", "apply") { _ in
            .conflict(revision: 4, spec: nil)
        }
        #expect(conflict.status == 1)
        #expect(
            conflict.errors.contains(
                "a was compared with revision 3; stored is revision 3, changed 2026-01-01T00:00:00Z by ann"))
        #expect(conflict.output.contains("a, stored (-) and yours (+):\n  - payload: {\"n\":1}"))
        let pruned = try await world.run("schedules", "apply", "-f", "jobs.yaml", "--dry-run", "--prune")
        #expect(pruned.errors.contains("1 of file:jobs.yaml are not in it any more; no other origin is touched"))
    }
}
