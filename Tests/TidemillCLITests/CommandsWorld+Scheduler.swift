import TaskClient
import TaskLog
import TaskModel
import TaskTestKit

/// The scheduler's part.
extension CommandsWorld {
    func define(_ spec: ScheduleSpec, revision: UInt64 = 3, state: ScheduleState? = nil) async throws {
        let writer = ScheduleWriter(epoch: 1, name: "s")
        let definition = SchedulesTopicRecord.definition(
            ScheduleDefinition(
                spec: spec, revision: revision, createdAt: time.now(), updatedAt: time.now(), updatedBy: "ann",
                reason: "", applied: AppliedCommand(id: "c", offset: 0)))
        try await append(plan.names.schedules, spec.id, definition.encoded(by: writer))
        if let state {
            try await append(
                plan.names.schedules, spec.id, SchedulesTopicRecord.state(spec.id, state).encoded(by: writer))
        }
    }

    func journal(_ entry: JournalEntry) async throws {
        try await append(plan.names.journal, entry.subject, entry.encoded())
    }

    func append(_ topic: String, _ id: String, _ body: RecordBody) async throws {
        _ = try await log.append(
            LogAppend(
                topic: topic, partition: Murmur2.partition(of: Array(id.utf8), count: 2), key: body.key,
                value: body.value, headers: body.headers))
    }

    /// Runs a command line while a scheduler answers its commands.
    func runAnswered(
        _ words: String..., commands: Int = 1,
        answer: @escaping @Sendable (ScheduleCommand) -> CommandResult.Outcome
    ) async throws -> (result: Result, commands: [ScheduleCommand]) {
        async let answered = withTimeout("the commands") {
            try await self.answer(commands, answer)
        }
        let result = try await withTimeout("the command line") {
            try await run(words, written: Observed<[String]>([]))
        }
        return (result, try await answered)
    }

    private func answer(
        _ count: Int, _ outcome: @Sendable (ScheduleCommand) -> CommandResult.Outcome
    ) async throws -> [ScheduleCommand] {
        let topic = plan.names.commands
        let follower = try await log.follow([TopicPartition(topic, 0): 0, TopicPartition(topic, 1): 0])
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
                    at: time.now())
                try await append(topic, command.scheduleID, CommandsTopicRecord.result(result).encoded())
            }
        }
        await follower.close()
        return commands
    }
}
