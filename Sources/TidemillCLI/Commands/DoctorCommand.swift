import TaskClient

/// `tidemill doctor`
enum DoctorCommand: ClientCommand {
    static let path = ["doctor"]

    static let spec = CommandSpec(
        "doctor", "Look for what is commonly wrong",
        discussion: """
            Asks the log, compares the topics and the clocks, and looks for live workers and schedulers, events that \
            nobody takes, and open dead letters. Ends with 1 when a check fails; warnings do not count.
            """,
        section: ClientCommands.Section.operations, options: [OutputFormat.option])

    static func run(_ arguments: ParsedArguments, _ context: CommandContext) async throws -> Int32 {
        let checks = await context.client.doctor()
        if try OutputFormat(arguments) == .json {
            try context.output.writeJSON(checks)
        } else {
            show(checks, context.output)
        }
        return checks.contains { $0.status == .fail } ? ExitStatus.failure : ExitStatus.success
    }

    private static func show(_ checks: [DoctorCheck], _ output: CommandOutput) {
        for check in checks {
            let style: Terminal.Style =
                switch check.status {
                case .ok: .good
                case .warn: .warning
                case .fail: .bad
                }
            let word = check.status.rawValue + String(repeating: " ", count: 4 - check.status.rawValue.count)
            output.write(
                "\(output.terminal.styled(word, style))  \(check.name): \(DisplayText.visible(check.detail))\n")
            if check.status != .ok, let advice = check.advice {
                output.write("      \(DisplayText.visible(advice))\n")
            }
        }
    }
}
