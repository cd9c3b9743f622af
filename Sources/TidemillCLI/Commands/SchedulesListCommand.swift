import TaskClient
import TaskModel

/// `tidemill schedules list`
enum SchedulesListCommand: ClientCommand {
    static let path = ["schedules", "list"]

    static let spec = CommandSpec(
        "list", "List all schedules",
        options: [
            .value("task", .text, "Only those of this task"), .flag("paused", "Only paused ones"), OutputFormat.option,
        ])

    static func run(_ arguments: ParsedArguments, _ context: CommandContext) async throws -> Int32 {
        let now = context.time.now()
        let schedules = try await context.client.schedules().filter { schedule in
            (arguments.text("task").map { $0 == schedule.spec.task } ?? true)
                && (!arguments.flag("paused") || schedule.spec.isPaused(at: now))
        }
        if try OutputFormat(arguments) == .json {
            try context.output.writeJSON(schedules.map { Listed(schedule: $0, next: $0.next(after: now)) })
            return ExitStatus.success
        }
        var table = TableFormatter(columns: [
            .init("ID"), .init("TRIGGER", isFlexible: true), .init("TASK"), .init("QUEUE"), .init("NEXT"),
            .init("LAST"), .init("FIRES", .right), .init("STATE"), .init("FROM"), .init("REV", .right),
        ])
        for schedule in schedules {
            table.add([
                .init(schedule.id), .init(schedule.spec.triggerText), .init(schedule.spec.task),
                .init(schedule.spec.queue), .init(Words.time(schedule.next(after: now))),
                .init(Words.time(schedule.state?.lastFired)), .init("\(schedule.state?.fires ?? 0)"),
                state(schedule, now), .init(schedule.spec.origin.description),
                .init("\(schedule.definition.revision)"),
            ])
        }
        context.output.writeTable(table)
        if schedules.isEmpty { context.output.note("there is no schedule") }
        return ExitStatus.success
    }

    /// The schedule's own JSON with its next time beside it.
    private struct Listed: Encodable {
        var schedule: ScheduleView
        var next: Timestamp?

        private enum CodingKeys: String, CodingKey { case next }

        func encode(to encoder: any Encoder) throws {
            try schedule.encode(to: encoder)
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encodeIfPresent(next?.rfc3339, forKey: .next)
        }
    }

    static func state(_ schedule: ScheduleView, _ now: Timestamp) -> TableFormatter.Cell {
        if schedule.spec.isPaused(at: now) {
            return .init("paused" + (schedule.spec.pause?.until.map { " until \($0.rfc3339)" } ?? ""), .warning)
        }
        return schedule.next(after: now) == nil ? .init("over", .faint) : .init("active", .good)
    }
}
