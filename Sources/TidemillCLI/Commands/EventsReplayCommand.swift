import TaskClient
import TaskModel

/// `tidemill events replay`
enum EventsReplayCommand: ClientCommand {
    static let path = ["events", "replay"]

    static let spec = CommandSpec(
        "replay", "Run an event that has ended once more",
        discussion: """
            Whatever its end was: the same event goes back to its queue as its next replay, with no history. An open dead \
            letter of it is marked as replayed.
            """,
        options: [
            .value("queue", short: "q", .text, "Look in this queue only"),
            .value("key", short: "k", .text, "The event's lane"),
            .reason, OutputFormat.option,
        ],
        arguments: [.fingerprint])

    static func run(_ arguments: ParsedArguments, _ context: CommandContext) async throws -> Int32 {
        let fingerprint = try arguments.requiredFingerprint()
        let result = try await context.client.replay(
            event: fingerprint, queue: arguments.text("queue"), key: arguments.text("key"), author: context.author,
            reason: arguments.text("reason") ?? "")
        let (word, text) =
            switch result {
            case .replayed(let coordinate, let place): ("replayed", "replayed as \(coordinate) at \(place)")
            case .notEnded(let state):
                ("not-ended", "not replayed: it is \(Words.state(state, now: context.time.now()))")
            case .unknown: ("unknown", "not replayed: the log keeps nothing of event \(fingerprint)")
            }
        return try context.finish(arguments, about: fingerprint, result: word, detail: text, isDone: word == "replayed")
    }
}
