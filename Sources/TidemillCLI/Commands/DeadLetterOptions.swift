import TaskClient
import TaskModel

/// The filters that all dead-letter commands take.
enum DeadLetterOptions {
    static let filters: [OptionSpec] = [
        .value("task", .text, "Of this task", section: "Filters"),
        .value("queue", short: "q", .text, "Of this queue", section: "Filters"),
        .value("error", .text, "Whose last error has this code, or contains this text", section: "Filters"),
        .value(
            "reason-code", .choice(of: DeathReason.self), "That died for this reason", placeholder: "REASON",
            section: "Filters"),
        .value("since", .time, "Dead at or after this instant", section: "Filters"),
        .value("until", .time, "Dead before this instant", section: "Filters"),
    ]

    static func filter(_ arguments: ParsedArguments, now: Timestamp) throws -> DeadLetterFilter {
        var filter = DeadLetterFilter()
        filter.task = arguments.text("task")
        filter.queue = arguments.text("queue")
        filter.error = arguments.text("error")
        filter.reason = try arguments.choice("reason-code", as: DeathReason.self)
        filter.since = try arguments.time("since", now: now)
        filter.until = try arguments.time("until", now: now)
        if let since = filter.since, let until = filter.until, since >= until {
            throw arguments.usage("--since is not before --until: nothing can match")
        }
        return filter
    }

    static func hasFilter(_ arguments: ParsedArguments) -> Bool { filters.contains { arguments.has($0.name) } }
}
