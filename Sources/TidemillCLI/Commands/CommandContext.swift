import ServiceRuntime
import TaskClient
import TaskLog
import TaskModel

/// What a command over a ``TaskClient`` is given. Results go to stdout, progress and errors to stderr.
struct CommandContext: Sendable {
    var client: TaskClient
    var output: CommandOutput
    var files: CommandFiles = .system
    /// Who does it, for the journal: `user@host`.
    var author: String
    /// The schedules of a configuration file (nil: the one in use), and their origin.
    var loadSchedules: @Sendable (String?) throws -> (specs: [ScheduleSpec], origin: ScheduleOrigin)

    var plan: TopicPlan { client.plan }
    var time: any TimeSource { client.time }

    /// Prints what became of a request about one event, and returns the exit status.
    func finish(
        _ arguments: ParsedArguments, about fingerprint: Fingerprint, result: String, detail: String, isDone: Bool
    ) throws -> Int32 {
        if try OutputFormat(arguments) == .json {
            try output.writeJSON(["fingerprint": fingerprint.hex, "result": result, "detail": detail])
        } else if isDone {
            output.write(detail + "\n")
        } else {
            output.note(detail)
        }
        return isDone ? ExitStatus.success : ExitStatus.failure
    }
}

/// The two streams of a process, and what they are.
struct CommandOutput: Sendable {
    var terminal: Terminal
    var errorTerminal: Terminal
    var write: @Sendable (String) -> Void
    var writeError: @Sendable (String) -> Void

    /// A line for people on stderr, with the program's name in front.
    func note(_ text: String) { writeError("tidemill: \(DisplayText.visible(text))\n") }

    func writeJSON(_ value: some Encodable) throws { write(try OutputFormat.json(value)) }

    func writeTable(_ table: TableFormatter) { write(table.render(for: terminal)) }
}

/// How a command that did what it could ends the process.
enum ExitStatus {
    static let success: Int32 = 0
    static let failure: Int32 = 1
    static let usage: Int32 = UsageError.exitCode
}
