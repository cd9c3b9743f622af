import TaskClient
import TaskModel

/// `tidemill events wait`
enum EventsWaitCommand: ClientCommand {
    static let path = ["events", "wait"]

    static let spec = CommandSpec(
        "wait", "Follow an event to its end, and exit by its outcome",
        discussion: """
            Exit status 0 when it completed, 1 for any other end. An end that the log knows already is told at once. An event \
            with a lane needs its --key.
            """,
        examples: [.init("tidemill events wait 8f434346648f6b96df89dda901c5176b --replay 1")],
        options: [
            .value("queue", short: "q", .text, "The event's queue", default: "default"),
            .value("key", short: "k", .text, "The event's lane"),
            .value("replay", .integer(0...Int(UInt32.max)), "Which replay of it", default: "0, the original"),
            .value("timeout", .duration, "Give up after this long"),
            OutputFormat.option,
        ],
        arguments: [.fingerprint])

    static func run(_ arguments: ParsedArguments, _ context: CommandContext) async throws -> Int32 {
        let timeout = try arguments.milliseconds("timeout")
        let output = context.output
        let result = try await context.client.wait(
            for: try arguments.requiredFingerprint(), queue: arguments.text("queue") ?? TopicNames.defaultQueue,
            key: arguments.text("key"), replay: UInt32(try arguments.integer("replay") ?? 0), timeout: timeout,
            progress: { output.note(WaitReport.describe($0)) })
        return try WaitReport.show(result, timeout: timeout, try OutputFormat(arguments), context)
    }
}
