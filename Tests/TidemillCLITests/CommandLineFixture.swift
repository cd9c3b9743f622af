@testable import TidemillCLI

/// A small program with every feature of the command line.
enum CommandLineFixture {
    static let schedule = CommandSpec(
        "schedule", "Work with schedules", section: "Plan",
        subcommands: [
            CommandSpec(
                "add", "Add a schedule",
                options: [.value("cron", .text, "When, as a cron expression", occurrence: .required)],
                arguments: [ArgumentSpec("id", .text, "Its name")]),
            CommandSpec("list", "List schedules", options: [OutputFormat.option]),
        ])

    static let enqueue = CommandSpec(
        "enqueue", "Publish an event", discussion: "The event runs as soon as a worker is free.", section: "Run",
        examples: [.init("mill enqueue report", "now")],
        options: [
            .value("delay", .duration, "Not before this long", section: "Time"),
            .value("at", .time, "Not before this instant", section: "Time"),
            .value("header", short: "H", .pair, "A header", occurrence: .repeated),
            .optionalValue("unique", .duration, "Once for one payload", placeholder: "WINDOW"),
            .value("attempts", short: "n", .integer(1...100), "Attempts", default: "5"),
            .flag("wait", short: "w", "Wait for the end"),
            .flag("quiet", short: "q", "Say nothing"),
            .value("max-size", .size, "Largest payload"),
            OutputFormat.option,
        ],
        arguments: [
            ArgumentSpec("task", .text, "The task"),
            ArgumentSpec("payload", .text, "JSON", occurrence: .optional),
        ])

    static let run = CommandSpec(
        "run", "Run a command", section: "Run",
        arguments: [ArgumentSpec("words", .text, "The command", occurrence: .rest)])

    static let root = CommandSpec(
        "mill", "schedule and run tasks",
        options: [.value("config", short: "c", .path, "The configuration", inherited: true)],
        subcommands: [enqueue, run, schedule, CompletionShell.command])

    static let parser = CommandLineParser(root: root)

    /// The arguments of a line that must parse to a command.
    static func arguments(_ words: String...) throws -> ParsedArguments {
        guard case .run(let arguments) = try parser.parse(words) else {
            throw UsageError(message: "asked for a page, not for a command", hint: "")
        }
        return arguments
    }

    /// The error of a line that must not parse.
    static func error(_ words: String...) -> UsageError? {
        do {
            _ = try parser.parse(words)
            return nil
        } catch {
            return error
        }
    }

    static func helpPath(_ words: String...) throws -> [String]? {
        guard case .help(let path) = try parser.parse(words) else { return nil }
        return path
    }
}
