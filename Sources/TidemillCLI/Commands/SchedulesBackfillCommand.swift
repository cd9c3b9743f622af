import Synchronization
import TaskClient
import TaskModel

/// `tidemill schedules backfill`
enum SchedulesBackfillCommand: ClientCommand {
    static let path = ["schedules", "backfill"]

    static let spec = CommandSpec(
        "backfill", "Make up for the nominal times of a range",
        discussion: """
            The events are those that the schedule makes by itself, so what ran is not repeated, and running the command again \
            goes on where it stopped; what was passed over (skipped or expired) runs. With --as-new they are new work: the \
            same LABEL goes on, another one runs all of them again. They run beside each other whatever the schedule's overlap \
            rule: --concurrency bounds that, and waits for workers.
            """,
        examples: [
            .init("tidemill schedules backfill nightly --from 2026-11-01T00:00:00Z --to now --dry-run"),
            .init("tidemill schedules backfill nightly --from -30d --to now --concurrency 2 --reverse --yes"),
        ],
        options: [
            .value("from", .time, "The first nominal time", occurrence: .required),
            .value("to", .time, "Nominal times before this instant", occurrence: .required),
            .optionalValue(
                "as-new", .text, "As new work, under this name (default: from and to)", placeholder: "LABEL"),
            .flag("reverse", "Latest first"),
            .flag("dry-run", "Say what would be published, and publish nothing"),
            .value("rate", .number, "Events a second", default: "as fast as it goes"),
            .value("concurrency", .integer(1...100_000), "At most so many of them open at once", default: "no limit"),
            .flag("yes", short: "y", "Do not ask"),
            .reason, OutputFormat.option,
        ],
        arguments: [.schedule])

    static func run(_ arguments: ParsedArguments, _ context: CommandContext) async throws -> Int32 {
        let order = try order(arguments, context)
        let plan = try await context.client.planBackfill(order)
        let format = try OutputFormat(arguments)
        if arguments.flag("dry-run") {
            try show(plan, format, context)
            return ExitStatus.success
        }
        let count = plan.count(.publish)
        context.output.note(summary(plan))
        if count > 0, !arguments.flag("yes"), try !isConfirmed(count, arguments, context) {
            context.output.note("nothing is published")
            return ExitStatus.failure
        }
        let watch = BackfillWatch(total: count, context: context)
        let published = try await context.client.backfill(plan, order) { watch.show($0.published) }
        watch.finish(published)
        if format == .json {
            try context.output.writeJSON(plan)
        } else {
            context.output.write("published \(published) events of \(order.scheduleID)\n")
        }
        return ExitStatus.success
    }

    private static func order(_ arguments: ParsedArguments, _ context: CommandContext) throws -> BackfillOrder {
        let now = context.time.now()
        let from = try arguments.time("from", now: now) ?? now
        let to = try arguments.time("to", now: now) ?? now
        guard from < to else { throw arguments.usage("--from must be before --to") }
        var order = BackfillOrder(
            scheduleID: try arguments.requiredArgument("id"), from: from, to: to, author: context.author,
            reason: arguments.text("reason") ?? "")
        if arguments.has("as-new") { order.label = arguments.text("as-new") ?? "\(from.rfc3339)/\(to.rfc3339)" }
        order.isReversed = arguments.flag("reverse")
        order.rate = try arguments.number("rate")
        if let rate = order.rate, rate <= 0 { throw arguments.usage("--rate must be more than 0") }
        order.concurrency = try arguments.integer("concurrency")
        return order
    }

    private static func isConfirmed(
        _ count: Int, _ arguments: ParsedArguments, _ context: CommandContext
    ) throws -> Bool {
        guard context.output.errorTerminal.isInteractive else {
            throw arguments.usage("nobody is there to ask: give --yes, or --dry-run to look first")
        }
        context.output.writeError("publish \(count) events? [y/N] ")
        var lines = LineReader(try context.files.open("-"), limit: 64)
        guard case .text(let answer)? = try lines.next() else { return false }
        return ["y", "yes"].contains(String(decoding: answer, as: UTF8.self).lowercased())
    }

    private static func summary(_ plan: BackfillPlan) -> String {
        var parts = ["\(plan.items.count) nominal times, \(plan.count(.publish)) to publish"]
        for (action, words) in [
            (BackfillPlan.Action.ran, "ran"), (.open, "are open"), (.dead, "are dead letters: replay those"),
            (.cancelled, "were cancelled"),
        ] where plan.count(action) > 0 {
            parts.append("\(plan.count(action)) \(words)")
        }
        return parts.joined(separator: ", ")
    }

    private static func show(_ plan: BackfillPlan, _ format: OutputFormat, _ context: CommandContext) throws {
        if format == .json { return try context.output.writeJSON(plan) }
        var table = TableFormatter(columns: [.init("NOMINAL TIME"), .init("WHAT"), .init("EVENT")])
        for item in plan.items {
            table.add([
                item.nominal.rfc3339, item.action.rawValue,
                item.fingerprint.hex + (item.replay > 0 ? "/\(item.replay)" : ""),
            ])
        }
        context.output.writeTable(table)
        context.output.note(summary(plan))
    }
}

/// Shows how far it has come.
private final class BackfillWatch: Sendable {
    private let context: CommandContext
    private let bar: Mutex<ProgressBar>

    init(total: Int, context: CommandContext) {
        self.context = context
        bar = Mutex(
            ProgressBar(
                label: "publishing", total: total, terminal: context.output.errorTerminal,
                uptime: context.time.uptime()))
    }

    func show(_ published: Int) {
        let uptime = context.time.uptime()
        if let text = bar.withLock({ $0.update(done: published, uptime: uptime) }) { context.output.writeError(text) }
    }

    func finish(_ published: Int) {
        guard context.output.errorTerminal.isInteractive else { return }
        let uptime = context.time.uptime()
        context.output.writeError(bar.withLock { $0.finish(done: published, uptime: uptime) })
    }
}
