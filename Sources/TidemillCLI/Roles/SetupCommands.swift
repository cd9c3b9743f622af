import Settings
import TaskModel
import Tidemill

/// `tidemill config validate`
enum ConfigValidateCommand {
    static let path = ["config", "validate"]

    static let spec = CommandSpec(
        "validate", "Check the configuration, and show it with all defaults",
        discussion: """
            Environment overrides are applied as for every command. Secrets are not shown. Exits with 2 when anything is wrong, \
            with every problem on a line of its own.
            """,
        options: [.flag("quiet", "Say nothing when it is fine")])

    static func run(
        _ arguments: ParsedArguments, _ configuration: Configuration, file: String?, _ output: CommandOutput
    ) -> Int32 {
        let schedules = configuration.scheduleSpecs(origin: .cli)
        guard !arguments.flag("quiet") else { return ExitStatus.success }
        output.write(configuration.redactedDescription())
        output.note(
            "\(file ?? "the built-in configuration") is valid: \(configuration.tasks.count) tasks, "
                + "\(schedules.count) schedules, \(configuration.queues.count) queues")
        return ExitStatus.success
    }
}

/// `tidemill completion SHELL`
enum CompletionCommand {
    static let spec = CompletionShell.command

    static func run(_ arguments: ParsedArguments, _ output: CommandOutput) throws -> Int32 {
        let name = try arguments.requiredArgument("shell")
        guard let shell = CompletionShell(rawValue: name) else {
            throw UsageError(message: "no completion for \(name)", hint: "One of bash, zsh and fish.")
        }
        output.write(shell.script(for: ProgramSpec.root))
        return ExitStatus.success
    }
}
