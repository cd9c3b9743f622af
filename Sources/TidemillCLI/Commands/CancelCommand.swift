import TaskClient
import TaskModel

/// `tidemill cancel`
enum CancelCommand: ClientCommand {
    static let path = ["cancel"]

    static let spec = CommandSpec(
        "cancel", "End an event without running it (any more)",
        discussion: """
            A waiting or due event never starts; the handler of one that runs is asked to stop. Work that completes all \
            the same stays completed.
            """,
        section: ClientCommands.Section.events,
        options: [
            .value("queue", short: "q", .text, "Look in this queue only"),
            .value("key", short: "k", .text, "The event's lane"),
            .reason, OutputFormat.option,
        ],
        arguments: [.fingerprint])

    static func run(_ arguments: ParsedArguments, _ context: CommandContext) async throws -> Int32 {
        let fingerprint = try arguments.requiredFingerprint()
        let result = try await context.client.cancel(
            fingerprint, queue: arguments.text("queue"), key: arguments.text("key"), author: context.author,
            reason: arguments.text("reason") ?? "")
        let (word, text) =
            switch result {
            case .cancelled(let coordinate): ("cancelled", "cancelled \(coordinate)")
            case .alreadyEnded(let state):
                ("ended", "not cancelled: it is \(Words.state(state, now: context.time.now()))")
            case .unknown: ("unknown", "not cancelled: the log keeps nothing of event \(fingerprint)")
            }
        return try context.finish(
            arguments, about: fingerprint, result: word, detail: text, isDone: word == "cancelled")
    }
}
