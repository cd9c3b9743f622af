import TaskClient
import TaskModel

/// `tidemill schedules apply`
enum SchedulesApplyCommand: ClientCommand {
    static let path = ["schedules", "apply"]

    static let spec = CommandSpec(
        "apply", "Make the schedules what a file says",
        discussion: """
            Creates and updates the schedules of the file; what is equal is left alone, and so is a pause. --prune also \
            removes schedules that came from the same file and are not in it any more. A schedule that somebody else \
            changes in between is a conflict, not overwritten.
            """,
        examples: [.init("tidemill schedules apply --dry-run", "see what would change")],
        options: [
            .flag("prune", "Remove schedules of this file that it does not hold any more"),
            .flag("dry-run", "Say what would change, and change nothing"),
            .reason, .commandTimeout, OutputFormat.option,
        ],
        arguments: [
            ArgumentSpec(
                "file", .path, "A configuration file with schedules; the one in use by default", occurrence: .optional)
        ])

    static func run(_ arguments: ParsedArguments, _ context: CommandContext) async throws -> Int32 {
        let loaded = try context.loadSchedules(arguments.argument("file"))
        let isDryRun = arguments.flag("dry-run")
        let changes = try await context.client.apply(
            loaded.specs, origin: loaded.origin, prune: arguments.flag("prune"), isDryRun: isDryRun,
            author: context.author, reason: arguments.text("reason") ?? "",
            timeout: try arguments.milliseconds("timeout") ?? TaskClient.commandTimeout)
        if try OutputFormat(arguments) == .json {
            try context.output.writeJSON(changes)
        } else {
            show(changes, context)
        }
        if changes.contains(where: { if case .queued = $0.reply { true } else { false } }) {
            context.output.note("no scheduler has answered yet; what is queued is applied when one runs")
        }
        return changes.contains(where: hasFailed) ? ExitStatus.failure : ExitStatus.success
    }

    private static func hasFailed(_ change: ScheduleChange) -> Bool {
        if case .refused = change.kind { return true }
        return change.reply.map(ScheduleReplies.hasFailed) ?? false
    }

    private static func show(_ changes: [ScheduleChange], _ context: CommandContext) {
        var table = TableFormatter(columns: [
            .init("ID"), .init("CHANGE"), .init("DETAIL", isFlexible: true), .init("RESULT"),
        ])
        for change in changes {
            let detail =
                switch change.kind {
                case .update(let members): members.joined(separator: ", ")
                case .refused(let reason): reason
                case .create, .remove, .unchanged: ""
                }
            let result: TableFormatter.Cell =
                switch change.reply {
                case nil: ""
                case .applied?: .init("applied", .good)
                case .queued?: .init("queued", .warning)
                case .conflict(let revision, _)?: .init("conflict with revision \(revision)", .bad)
                case .refused(let reason)?: .init("refused: \(reason)", .bad)
                }
            table.add([.init(change.id), .init(change.kind.word), .init(detail), result])
        }
        context.output.writeTable(table)
    }
}
