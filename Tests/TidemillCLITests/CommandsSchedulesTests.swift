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

    private func define(_ world: CommandsWorld, _ spec: ScheduleSpec) async throws {
        let body = SchedulesTopicRecord.definition(
            ScheduleDefinition(
                spec: spec, revision: 3, createdAt: world.time.now(), updatedAt: world.time.now(),
                updatedBy: "ann", reason: "", applied: AppliedCommand(id: "c", offset: 0))
        ).encoded(by: ScheduleWriter(epoch: 1, name: "s"))
        try await append(world, world.plan.names.schedules, spec.id, body)
    }

    private func append(_ world: CommandsWorld, _ topic: String, _ id: String, _ body: RecordBody) async throws {
        _ = try await world.log.append(
            LogAppend(
                topic: topic, partition: Murmur2.partition(of: Array(id.utf8), count: 2), key: body.key,
                value: body.value, headers: body.headers))
    }

    /// Runs a command line while a scheduler answers its commands.
    private func run(
        _ world: CommandsWorld, _ words: String..., commands: Int = 1,
        answer: @escaping @Sendable (ScheduleCommand) -> CommandResult.Outcome
    ) async throws -> (result: CommandsWorld.Result, commands: [ScheduleCommand]) {
        async let answered = withTimeout("the commands") {
            try await self.answer(world, commands, answer)
        }
        let result = try await withTimeout("the command line") {
            try await world.run(words, written: Observed<[String]>([]))
        }
        return (result, try await answered)
    }

    private func answer(
        _ world: CommandsWorld, _ count: Int, _ outcome: @Sendable (ScheduleCommand) -> CommandResult.Outcome
    ) async throws -> [ScheduleCommand] {
        let topic = world.plan.names.commands
        let follower = try await world.log.follow([TopicPartition(topic, 0): 0, TopicPartition(topic, 1): 0])
        var commands: [ScheduleCommand] = []
        while commands.count < count, let records = try await follower.next() {
            for record in records {
                guard
                    case .command(let command) = try CommandsTopicRecord(
                        key: record.key, value: record.value, headers: record.headers)
                else { continue }
                commands.append(command)
                let result = CommandResult(
                    commandID: command.id, scheduleID: command.scheduleID, outcome: outcome(command),
                    at: world.time.now())
                try await append(
                    world, topic, command.scheduleID, CommandsTopicRecord.result(result).encoded())
            }
        }
        await follower.close()
        return commands
    }

    @Test func schedulesAreListedAndShown() async throws {
        let world = try await CommandsWorld()
        var paused = try spec("b")
        paused.pause = SchedulePause(note: "stocktaking", by: "ann", at: world.time.now())
        paused.overlap = .bufferAll
        paused.pausesOnFailure = true
        try await define(world, paused)
        try await define(world, try spec("a"))
        let list = try await world.run("schedules", "list")
        let lines = list.output.split(separator: "\n")
        #expect(lines.count == 3)
        #expect(lines[1].hasPrefix("a   every 60000 ms  report  default  2026-01-01T00:01:00Z"))
        #expect(lines[2].contains("paused"))
        #expect(try await world.run("schedules", "list", "--paused").output.split(separator: "\n").count == 2)
        #expect(
            try await world.run("schedules", "list", "-o", "json").output.contains(#""next" : "2026-01-01T00:01:00Z""#))
        let shown = try await world.run("schedules", "show", "b")
        #expect(shown.output.contains("by ann: stocktaking"))
        #expect(shown.output.contains("overlap buffer-all up to 100, catch-up latest, paused on failure"))
        let json = try await world.json("schedules", "show", "a")
        #expect((json["next"] as? [String])?.first == "2026-01-01T00:01:00Z")
        let missing = try await world.run("schedules", "show", "c")
        #expect(missing.status == 1)
        #expect(missing.errors.contains("there is no schedule \"c\""))
    }

    @Test func aCommandCarriesAuthorReasonAndRevision() async throws {
        let world = try await CommandsWorld()
        let (result, commands) = try await run(
            world, "schedules", "remove", "a", "--revision", "3", "--reason", "moved"
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
        let (conflict, _) = try await run(world, "schedules", "pause", "a", "--note", "n") { _ in
            .conflict(revision: 9, spec: nil)
        }
        #expect(conflict.status == 1)
        #expect(conflict.errors.contains("a is at revision 9 now"))
        let other = try await CommandsWorld()
        let (refused, commands) = try await run(other, "schedules", "trigger", "a", "--payload", "{}") { _ in
            .refused(reason: "there is no schedule a")
        }
        #expect(refused.status == 1)
        #expect(commands.first?.kind == .trigger(at: nil, payload: Array("{}".utf8)))
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
        try await define(world, try spec("old"))
        try await define(world, try spec("same"))
        world.schedules = try [spec("same"), spec("new")]
        let dry = try await world.run("schedules", "apply", "--prune", "--dry-run")
        #expect(dry.status == 0)
        #expect(
            dry.output.split(separator: "\n").map { $0.split(separator: " ").prefix(2).joined(separator: " ") }
                == ["ID CHANGE", "same unchanged", "new create", "old remove"])
        #expect(try await world.records(world.plan.names.commands).isEmpty)
        let (done, commands) = try await run(world, "schedules", "apply", "--prune", commands: 2) { command in
            command.kind == .remove ? .refused(reason: "no") : .applied(revision: 1)
        }
        #expect(done.status == 1)
        #expect(done.output.contains("refused: no"))
        #expect(Set(commands.map(\.scheduleID)) == ["new", "old"])
        #expect(commands.allSatisfy { $0.origin == .file("jobs.yaml") })
    }
}
