import Synchronization
import TaskClient
import TaskModel

/// What replay and discard have in common: which letters, how fast, and how it goes.
enum DeadLetterActions {
    static let options: [OptionSpec] =
        DeadLetterOptions.filters + [
            .flag("all", "Every open letter, when no filter is given", section: "Filters"),
            .value("limit", short: "n", .integer(1...Int.max), "At most so many, the oldest first"),
            .flag("dry-run", "Say what would happen, and do nothing"),
            .value("rate", .number, "Letters a second", default: "as fast as it goes"),
            .reason, OutputFormat.option,
        ]

    static let fingerprints = ArgumentSpec(
        "fingerprint", .text, "Letters by their event; FINGERPRINT/REPLAY for one of an earlier replay",
        occurrence: .rest)

    typealias Action =
        @Sendable (
            TaskClient, DeadLetterSelection, DeadLetterOrder, @escaping @Sendable (DeadLetterStep) async throws -> Void
        ) async throws -> DeadLetterActionReport

    static func run(
        _ arguments: ParsedArguments, _ context: CommandContext, verb: String, done: String, _ action: Action
    ) async throws -> Int32 {
        let selection = try await selection(arguments, context)
        var order = DeadLetterOrder(author: context.author, reason: arguments.text("reason") ?? "")
        order.isDryRun = arguments.flag("dry-run")
        order.rate = try arguments.number("rate")
        if let rate = order.rate, rate <= 0 { throw arguments.usage("--rate must be more than 0") }
        let watch = ActionWatch(label: verb, context: context)
        let report = try await action(context.client, selection, order) { watch.show($0) }
        watch.finish()
        if try OutputFormat(arguments) == .json {
            try context.output.writeJSON(report)
        } else {
            context.output.write(summary(report, verb: order.isDryRun ? "would be \(done)" : done) + "\n")
        }
        if report.isTruncated { context.output.note("there are more letters; run it again for the rest") }
        return report.refused == 0 ? ExitStatus.success : ExitStatus.failure
    }

    private static func summary(_ report: DeadLetterActionReport, verb: String) -> String {
        var parts = ["\(report.done) of \(report.total) \(verb)"]
        if report.alreadyHandled > 0 { parts.append("\(report.alreadyHandled) were dealt with before") }
        if report.refused > 0 { parts.append("\(report.refused) refused") }
        return parts.joined(separator: ", ")
    }

    private static func selection(
        _ arguments: ParsedArguments, _ context: CommandContext
    ) async throws -> DeadLetterSelection {
        let words = arguments.rest("fingerprint")
        if !words.isEmpty {
            guard !DeadLetterOptions.hasFilter(arguments), !arguments.flag("all"), !arguments.has("limit") else {
                throw arguments.usage("fingerprints and filters exclude each other")
            }
            var keys: [DeadLetterKey] = []
            for word in words { keys.append(try await key(word, arguments, context)) }
            return .letters(keys)
        }
        guard DeadLetterOptions.hasFilter(arguments) || arguments.flag("all") else {
            throw arguments.usage("which letters? Give fingerprints or filters, or --all for every open one")
        }
        return .matching(
            try DeadLetterOptions.filter(arguments, now: context.time.now()), limit: try arguments.integer("limit"))
    }

    /// A bare fingerprint is its newest letter.
    private static func key(
        _ word: String, _ arguments: ParsedArguments, _ context: CommandContext
    ) async throws -> DeadLetterKey {
        if let key = DeadLetterKey(Array(word.utf8)) { return key }
        return try await context.client.deadLetter(try arguments.fingerprint(word)).summary.key
    }
}

/// Shows how an action goes: a bar on a terminal, and a line for every letter that is refused.
private final class ActionWatch: Sendable {
    private struct State {
        var bar: ProgressBar?
        var done = 0
    }

    private let label: String
    private let context: CommandContext
    private let state = Mutex(State())

    init(label: String, context: CommandContext) {
        self.label = label
        self.context = context
    }

    func show(_ step: DeadLetterStep) {
        let output = context.output
        let uptime = context.time.uptime()
        let text = state.withLock { state in
            if state.bar == nil {
                state.bar = ProgressBar(
                    label: label, total: step.total, terminal: output.errorTerminal, uptime: uptime)
            }
            state.done = step.done
            return state.bar?.update(done: step.done, uptime: uptime)
        }
        if case .refused(let error) = step.result {
            output.writeError(output.errorTerminal.isInteractive ? "\r\u{1B}[K" : "")
            output.note("\(step.key): \(error.message)")
        }
        if let text { output.writeError(text) }
    }

    func finish() {
        guard context.output.errorTerminal.isInteractive else { return }
        let text = state.withLock { $0.bar?.finish(done: $0.done, uptime: context.time.uptime()) }
        if let text { context.output.writeError(text) }
    }
}

/// `tidemill dead-letters replay`
enum DeadLettersReplayCommand: ClientCommand {
    static let path = ["dead-letters", "replay"]

    static let spec = CommandSpec(
        "replay", "Send dead letters back to their queues",
        discussion: """
            The same event runs again as if new: first attempt, no history. Two people who replay one letter make one run, \
            and running the command twice does not run the work twice.
            """,
        examples: [
            .init("tidemill dead-letters replay --task report --error timeout --dry-run"),
            .init("tidemill dead-letters replay --all --rate 50 --reason \"printer fixed\""),
        ],
        options: DeadLetterActions.options, arguments: [DeadLetterActions.fingerprints])

    static func run(_ arguments: ParsedArguments, _ context: CommandContext) async throws -> Int32 {
        try await DeadLetterActions.run(arguments, context, verb: "replaying", done: "replayed") {
            try await $0.replay($1, order: $2, progress: $3)
        }
    }
}

/// `tidemill dead-letters discard`
enum DeadLettersDiscardCommand: ClientCommand {
    static let path = ["dead-letters", "discard"]

    static let spec = CommandSpec(
        "discard", "Mark dead letters as dealt with, without running them",
        discussion: "They stay readable with `dead-letters list --all` until their retention ends.",
        options: DeadLetterActions.options, arguments: [DeadLetterActions.fingerprints])

    static func run(_ arguments: ParsedArguments, _ context: CommandContext) async throws -> Int32 {
        try await DeadLetterActions.run(arguments, context, verb: "discarding", done: "discarded") {
            try await $0.discard($1, order: $2, progress: $3)
        }
    }
}
