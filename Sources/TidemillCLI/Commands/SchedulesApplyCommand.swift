import TaskClient
import TaskModel

/// `tidemill schedules apply`
enum SchedulesApplyCommand: ClientCommand {
    static let path = ["schedules", "apply"]

    static let spec = CommandSpec(
        "apply", "Make the schedules what a file says",
        discussion: """
            Creates and updates the schedules of the file; what is equal is left alone, and so is a pause. Schedules that \
            came from a file of the same name and are not in it any more are removed with --prune, and told without it; \
            those of other files, of the command line and of programs are never removed. A schedule that somebody else \
            changes in between is a conflict: both versions are shown, and nothing is overwritten.
            """,
        examples: [
            .init("tidemill schedules apply --dry-run", "see what would change"),
            .init("tidemill schedules apply -f reports.yaml --prune"),
        ],
        options: [
            .value("file", short: "f", .path, "The same as the argument"),
            .flag("prune", "Remove schedules of this file that it does not hold any more"),
            .flag("dry-run", "Say what would change, and change nothing"),
            .reason, .commandTimeout, OutputFormat.option,
        ],
        arguments: [
            ArgumentSpec(
                "file", .path, "A configuration file with schedules; the one in use by default", occurrence: .optional)
        ])

    static func run(_ arguments: ParsedArguments, _ context: CommandContext) async throws -> Int32 {
        if arguments.has("file"), arguments.argument("file") != nil { throw arguments.usage("name one file") }
        let loaded = try context.loadSchedules(arguments.text("file") ?? arguments.argument("file"))
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
        if arguments.flag("prune") {
            let count = changes.count { $0.kind == .remove }
            context.output.note(
                "--prune: \(count) of \(loaded.origin) are not in it any more; no other origin is touched")
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
                case .update(let fields): fields.map(\.name).joined(separator: ", ")
                case .refused(let reason): reason
                case .orphaned: "not in the file any more; --prune removes it"
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
        for change in changes {
            if case .update(let fields) = change.kind {
                context.output.write("\n\(change.id), revision \(change.baseRevision):\n")
                ScheduleReplies.show(fields, context.output)
            }
            if case .conflict = change.reply { showConflict(change, context.output) }
        }
    }

    /// Both versions.
    private static func showConflict(_ change: ScheduleChange, _ output: CommandOutput) {
        let base = change.baseRevision == 0 ? "no schedule" : "revision \(change.baseRevision)"
        output.note("conflict: \(change.id) was compared with \(base); \(ScheduleReplies.version(change.stored))")
        guard let yours = change.spec, let stored = change.stored?.spec else { return }
        output.write("\n\(change.id), stored (-) and yours (+):\n")
        ScheduleReplies.show(ScheduleDiff.differences(from: stored, to: yours), output)
    }
}
