import TaskClient
import TaskModel

/// `tidemill dead-letters show`
enum DeadLettersShowCommand: ClientCommand {
    static let path = ["dead-letters", "show"]

    static let spec = CommandSpec(
        "show", "Show a dead letter with its payload and every error",
        options: [
            .value("replay", .integer(0...Int(UInt32.max)), "The letter of this replay", default: "the newest"),
            OutputFormat.option,
        ],
        arguments: [.fingerprint])

    static func run(_ arguments: ParsedArguments, _ context: CommandContext) async throws -> Int32 {
        let detail = try await context.client.deadLetter(
            try arguments.requiredFingerprint(), replay: try arguments.integer("replay").map { UInt32($0) })
        if try OutputFormat(arguments) == .json {
            try context.output.writeJSON(detail)
        } else {
            show(detail, context.output)
        }
        return ExitStatus.success
    }

    private static func show(_ detail: DeadLetterDetail, _ output: CommandOutput) {
        let (summary, letter) = (detail.summary, detail.letter)
        var facts: [(String, String)] = [
            ("event", "\(summary.key.fingerprint), replay \(summary.key.replay)"),
            ("task", summary.isUnreadable ? "(a record that could not be read)" : summary.task),
            ("queue", summary.queue + (summary.partitionKey.map { ", lane \($0)" } ?? "")),
            ("reason", summary.reason.rawValue),
            ("state", Words.letter(summary.state)),
            ("dead at", summary.at.rfc3339),
            ("last place", letter.place.description),
            ("source", "\(letter.event.source), id \(letter.event.id)"),
        ]
        if let raw = letter.raw { facts.append(("problem", raw.problem)) }
        let headers = letter.raw?.recordHeaders ?? letter.event.extraHeaders
        for header in headers { facts.append(("header", "\(header.name)=\(header.text ?? "(not text)")")) }
        facts.append(("payload", "\(summary.payloadBytes) bytes\(letter.event.contentType.map { ", \($0)" } ?? "")"))
        for (name, value) in facts {
            let label = name + String(repeating: " ", count: 12 - name.count)
            output.write("\(output.terminal.styled(label, .faint))\(DisplayText.visible(value))\n")
        }
        writePayload(letter.event.payload, output)
        var table = TableFormatter(columns: [
            .init("ATTEMPT", .right), .init("TIME"), .init("WORKER"), .init("ERROR", isFlexible: true),
        ])
        let history = letter.event.history
        for (index, failure) in history.failures.enumerated() {
            if history.omitted > 0, index == FailureHistory.keptAtEachEnd {
                table.add(["", "", "", "(\(history.omitted) more)"])
            }
            table.add([
                "\(failure.attempt)", failure.at.rfc3339, failure.worker,
                Words.failure(code: failure.code, message: failure.message),
            ])
        }
        output.write("\n")
        output.writeTable(table)
    }

    /// Text as it is, except for control characters on a terminal; bytes only in JSON.
    private static func writePayload(_ payload: [UInt8], _ output: CommandOutput) {
        guard !payload.isEmpty else { return }
        guard let text = String(validating: payload, as: UTF8.self) else {
            return output.note("the payload is no text; see it with --output json")
        }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        output.write("\n" + lines.map { DisplayText.visible(String($0)) }.joined(separator: "\n") + "\n")
    }
}
