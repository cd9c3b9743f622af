import TaskClient
import TaskLog
import TaskModel
import TaskTestKit
import Testing

struct ScheduleTests {
    private func spec(_ id: String, every: Int64 = 60_000, origin: ScheduleOrigin = .cli) throws -> ScheduleSpec {
        ScheduleSpec(
            id: id, task: "report", trigger: try .every(milliseconds: every), triggerText: "every \(every)",
            origin: origin)
    }

    private func define(
        _ world: World, _ spec: ScheduleSpec, revision: UInt64 = 1, state: ScheduleState? = nil, epoch: Int64 = 1
    ) async throws {
        let writer = ScheduleWriter(epoch: epoch, name: "s-\(epoch)/aa")
        let definition = ScheduleDefinition(
            spec: spec, revision: revision, createdAt: world.time.now(), updatedAt: world.time.now(),
            updatedBy: "ann", reason: "", applied: AppliedCommand(id: "c", offset: Int64(revision)))
        let key = Array(spec.id.utf8)
        try await world.append(
            world.plan.names.schedules, by: key, SchedulesTopicRecord.definition(definition).encoded(by: writer))
        if let state {
            try await world.append(
                world.plan.names.schedules, by: key,
                SchedulesTopicRecord.state(spec.id, state).encoded(by: writer))
        }
    }

    /// Reads commands as a scheduler does and answers each with `outcome`.
    private func answer(
        _ world: World, count: Int, _ outcome: @escaping @Sendable (ScheduleCommand) -> CommandResult.Outcome
    ) async throws -> [ScheduleCommand] {
        let topic = world.plan.names.commands
        let follower = try await world.log.follow(
            Dictionary(uniqueKeysWithValues: (0..<3).map { (TopicPartition(topic, $0), Int64(0)) }))
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
                try await world.append(
                    topic, by: Array(command.scheduleID.utf8), CommandsTopicRecord.result(result).encoded())
            }
        }
        await follower.close()
        return commands
    }

    @Test func theTopicIsFoldedByKey() async throws {
        let world = try await World()
        try await define(world, try spec("b"), state: ScheduleState(cursor: world.time.now(), fires: 3))
        try await define(world, try spec("a"))
        try await define(world, try spec("a", every: 1000), revision: 2)
        try await define(world, try spec("gone"))
        try await world.append(
            world.plan.names.schedules, by: Array("gone".utf8),
            SchedulesTopicRecord.tombstone(.spec("gone")).encoded(by: ScheduleWriter(epoch: 1, name: "s")))
        let schedules = try await world.client.schedules()
        #expect(schedules.map(\.id) == ["a", "b"])
        #expect(schedules.map(\.definition.revision) == [2, 1])
        #expect(schedules.map { $0.state?.fires } == [nil, 3])
        #expect(schedules[0].next(after: Timestamp(milliseconds: 1500)) == Timestamp(milliseconds: 2000))
        let error = await clientError { try await world.client.schedule("gone") }
        #expect(error?.code == .notFound)
    }

    /// Until its owner has written over it; whoever looks sees what the owner goes by.
    @Test func aZombiesWordIsNotShown() async throws {
        let world = try await World()
        try await define(world, try spec("a"), revision: 2, epoch: 7)
        try await define(world, try spec("a", every: 1000), revision: 1, epoch: 6)
        #expect(try await world.client.schedules().map(\.definition.revision) == [2])
        #expect(try await world.client.schedule("a").definition.revision == 2)
    }

    @Test func aCommandReturnsWhatTheSchedulerAnswers() async throws {
        let world = try await World()
        let wanted = try spec("nightly")
        async let commands = withTimeout("the command") {
            try await answer(world, count: 1) { _ in .applied(revision: 7) }
        }
        let reply = try await withTimeout("the reply") {
            try await world.client.put(wanted, baseRevision: 6, author: "ann", reason: "earlier")
        }
        #expect(reply == .applied(revision: 7, fingerprint: nil))
        let command = try #require(try await commands.first)
        #expect(command.kind == .put(wanted))
        #expect(command.baseRevision == 6)
        #expect(command.author == "ann")
    }

    @Test func conflictsAndRefusalsAreReplies() async throws {
        let world = try await World()
        let mine = try spec("a")
        let current = try spec("a", every: 5000)
        async let commands = withTimeout("the commands") {
            try await answer(world, count: 2) { command in
                command.kind == .remove ? .refused(reason: "it runs") : .conflict(revision: 9, spec: current)
            }
        }
        let replies = try await withTimeout("the replies") {
            let put = try await world.client.put(mine, baseRevision: 8, author: "ann")
            return [put, try await world.client.removeSchedule("a", author: "ann")]
        }
        #expect(replies == [.conflict(revision: 9, spec: current), .refused(reason: "it runs")])
        _ = try await commands
    }

    @Test func withoutASchedulerItIsQueued() async throws {
        let world = try await World()
        async let reply = withTimeout("the timeout") {
            try await world.client.pauseSchedule("a", note: "stocktaking", author: "ann", timeout: 3000)
        }
        try await world.time.waitForSleepers(count: 1)
        world.time.advance(milliseconds: 3000)
        guard case .queued(let id) = try await reply else {
            Issue.record("it should be queued")
            return
        }
        let record = try #require(try await world.records(world.plan.names.commands).first)
        #expect(CommandsTopicRecord.commandID(in: record.headers) == id)
    }

    @Test func anInvalidCommandIsNotSent() async throws {
        let world = try await World()
        let error = await clientError { try await world.client.removeSchedule("no id", author: "ann") }
        #expect(error?.code == .invalidRequest)
        #expect(try await world.records(world.plan.names.commands).isEmpty)
    }

    @Test func applyingAFileChangesWhatDiffers() async throws {
        let world = try await World()
        let file = ScheduleOrigin.file("jobs.yaml")
        try await define(world, try spec("same", origin: file))
        try await define(world, try spec("other", origin: file), revision: 4)
        try await define(world, try spec("old", origin: file), revision: 2)
        try await define(world, try spec("byhand"))
        let wanted = try [spec("same"), spec("other", every: 1000), spec("new"), spec("new")]
        let dry = try await world.client.apply(
            wanted, origin: file, prune: true, isDryRun: true, author: "ann")
        #expect(dry.map(\.id) == ["same", "other", "new", "new", "old"])
        #expect(dry.map(\.kind.word) == ["unchanged", "update", "create", "refused", "remove"])
        guard case .update(let fields) = dry[1].kind else {
            Issue.record("it should be updated")
            return
        }
        #expect(fields.map(\.name) == ["trigger", "trigger_text"])
        #expect(fields.last?.from == "\"every 60000\"")
        #expect(fields.last?.to == "\"every 1000\"")
        #expect(try await world.records(world.plan.names.commands).isEmpty)
        async let commands = withTimeout("the commands") {
            try await answer(world, count: 3) { .applied(revision: ($0.baseRevision ?? 0) + 1) }
        }
        let done = try await withTimeout("the replies") {
            try await world.client.apply(wanted, origin: file, prune: true, isDryRun: false, author: "ann")
        }
        #expect(
            done.map(\.reply) == [
                nil, .applied(revision: 5, fingerprint: nil), .applied(revision: 1, fingerprint: nil), nil,
                .applied(revision: 3, fingerprint: nil),
            ])
        #expect(Set(try await commands.map(\.origin)) == [file])
        let unpruned = try await world.client.apply(
            wanted, origin: file, prune: false, isDryRun: true, author: "ann")
        #expect(unpruned.last?.id == "old")
        #expect(unpruned.last?.kind == .orphaned)
        #expect(!unpruned.contains { $0.id == "byhand" })
    }

    @Test func aConflictTellsBothVersions() async throws {
        let world = try await World()
        let file = ScheduleOrigin.file("jobs.yaml")
        try await define(world, try spec("a", origin: file), revision: 4)
        let stored = try spec("a", every: 5000, origin: file)
        async let commands = withTimeout("the command") {
            try await answer(world, count: 1) { _ in .conflict(revision: 5, spec: stored) }
        }
        let done = try await withTimeout("the reply") {
            try await world.client.apply(
                [try spec("a", every: 1000)], origin: file, prune: false, isDryRun: false, author: "ann")
        }
        _ = try await commands
        #expect(done.first?.reply == .conflict(revision: 5, spec: stored))
        #expect(done.first?.baseRevision == 4)
        #expect(done.first?.stored?.definition.revision == 4)
        #expect(done.first?.stored?.definition.updatedBy == "ann")
        let mine = try spec("a", every: 1000)
        #expect(done.first?.spec?.trigger == mine.trigger)
    }

    @Test func aPauseSurvivesAnUpdateAndAFixedFieldDoesNotChange() throws {
        var paused = try spec("a")
        paused.pause = SchedulePause(note: "n", by: "ann", at: .epoch)
        let view = ScheduleView(
            definition: ScheduleDefinition(
                spec: paused, revision: 1, createdAt: .epoch, updatedAt: .epoch, updatedBy: "ann", reason: "",
                applied: AppliedCommand(id: "c", offset: 0)),
            state: nil)
        let unchanged = ScheduleDiff.changes(current: [view], wanted: [try spec("a")], origin: .cli, prune: false)
        #expect(unchanged.map(\.kind) == [.unchanged])
        let updated = ScheduleDiff.changes(
            current: [view], wanted: [try spec("a", every: 1000)], origin: .cli, prune: false)
        #expect(updated.first?.spec?.pause == paused.pause)
        var moved = try spec("a")
        moved.queue = "mail"
        let refused = ScheduleDiff.changes(current: [view], wanted: [moved], origin: .cli, prune: false)
        #expect(refused.first?.kind.word == "refused")
    }
}
