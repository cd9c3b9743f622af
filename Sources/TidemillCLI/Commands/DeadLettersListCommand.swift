import TaskClient
import TaskModel

/// `tidemill dead-letters list`
enum DeadLettersListCommand: ClientCommand {
    static let path = ["dead-letters", "list"]

    static let spec = CommandSpec(
        "list", "List dead letters, newest first",
        examples: [
            .init("tidemill dead-letters list --group", "what died of what"),
            .init("tidemill dead-letters list --task report --since -1h"),
        ],
        options: DeadLetterOptions.filters + [
            .value("fingerprint", .text, "Of this event", section: "Filters"),
            .flag("all", "Also those that somebody has dealt with", section: "Filters"),
            .value("limit", short: "n", .integer(1...10_000), "List at most so many", default: "100"),
            .flag("group", "Count them by task, reason and error"),
            OutputFormat.option,
        ])

    static func run(_ arguments: ParsedArguments, _ context: CommandContext) async throws -> Int32 {
        var filter = try DeadLetterOptions.filter(arguments, now: context.time.now())
        filter.states = arguments.flag("all") ? .all : .open
        filter.fingerprint = try arguments.text("fingerprint").map(arguments.fingerprint)
        let report = try await context.client.deadLetters(filter, limit: try arguments.integer("limit") ?? 100)
        if try OutputFormat(arguments) == .json {
            try context.output.writeJSON(report)
        } else {
            context.output.writeTable(arguments.flag("group") ? groups(report) : letters(report))
            note(report, isGrouped: arguments.flag("group"), context)
        }
        return ExitStatus.success
    }

    private static func letters(_ report: DeadLetterReport) -> TableFormatter {
        var table = TableFormatter(columns: [
            .init("TIME"), .init("FINGERPRINT"), .init("TASK"), .init("QUEUE"), .init("REASON"),
            .init("ATTEMPTS", .right), .init("ERROR", isFlexible: true), .init("STATE"),
        ])
        for letter in report.letters {
            let replay = letter.key.replay > 0 ? "/\(letter.key.replay)" : ""
            table.add([
                .init(letter.at.rfc3339), .init(letter.key.fingerprint.hex + replay),
                .init(letter.isUnreadable ? "(unreadable)" : letter.task), .init(letter.queue),
                .init(letter.reason.rawValue), .init("\(letter.attempts)"),
                .init(Words.failure(code: letter.lastFailure?.code, message: letter.lastFailure?.message)),
                .init(letter.state.word, letter.state.isOpen ? .bad : .faint),
            ])
        }
        return table
    }

    private static func groups(_ report: DeadLetterReport) -> TableFormatter {
        var table = TableFormatter(columns: [
            .init("COUNT", .right), .init("TASK"), .init("REASON"), .init("ERROR"), .init("OLDEST"), .init("NEWEST"),
            .init("EXAMPLE"),
        ])
        for group in report.groups {
            table.add([
                "\(group.count)", group.task.isEmpty ? "(unreadable)" : group.task, group.reason.rawValue, group.code,
                group.oldest.rfc3339, group.newest.rfc3339, group.example.fingerprint.hex,
            ])
        }
        return table
    }

    private static func note(_ report: DeadLetterReport, isGrouped: Bool, _ context: CommandContext) {
        if report.matching == 0 { context.output.note("no dead letter matches") }
        if !isGrouped, report.letters.count < report.matching {
            context.output.note("\(report.letters.count) of \(report.matching) are shown; see --limit and --group")
        }
        if report.isTruncated {
            context.output.note("there are more than one search counts; narrow it with --since and --until")
        }
    }
}
