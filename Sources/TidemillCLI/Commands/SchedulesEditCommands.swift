import Foundation
import TaskClient
import TaskModel

/// What the commands that change one schedule have in common.
enum ScheduleReplies {
    static func hasFailed(_ reply: CommandReply) -> Bool {
        switch reply {
        case .applied, .queued: false
        case .conflict, .refused: true
        }
    }

    /// Shows the reply, with a conflict who changed the schedule last. A queued command is a success with a note: it is
    /// durable, and applied when a scheduler runs.
    static func show(
        _ reply: CommandReply, id: String, _ arguments: ParsedArguments, _ context: CommandContext
    ) async throws -> Int32 {
        if try OutputFormat(arguments) == .json {
            try context.output.writeJSON(reply)
        } else if hasFailed(reply) {
            context.output.note(Words.reply(reply, id: id))
        } else {
            context.output.write(Words.reply(reply, id: id) + "\n")
        }
        if case .conflict = reply { context.output.note(version(try? await context.client.schedule(id))) }
        return hasFailed(reply) ? ExitStatus.failure : ExitStatus.success
    }

    /// `stored is revision 5, changed 2026-11-21T09:30:00Z by bob: earlier`
    static func version(_ stored: ScheduleView?) -> String {
        guard let definition = stored?.definition else { return "there is none now" }
        let reason = definition.reason.isEmpty ? "" : ": \(definition.reason)"
        return "stored is revision \(definition.revision), changed \(definition.updatedAt.rfc3339) by "
            + definition.updatedBy + reason
    }

    /// A line for each side of each field.
    static func show(_ fields: [ScheduleFieldChange], _ output: CommandOutput) {
        for field in fields {
            for (sign, value) in [("-", field.from), ("+", field.to)] {
                guard let value else { continue }
                output.write("  \(sign) \(field.name): \(DisplayText.visible(readable(value, of: field.name)))\n")
            }
        }
    }

    /// A payload is base64 in JSON; people read what it holds.
    private static func readable(_ value: String, of name: String) -> String {
        guard name == "payload", let data = Data(base64Encoded: String(value.dropFirst().dropLast())) else {
            return value
        }
        return String(validating: data, as: UTF8.self) ?? "\(data.count) bytes"
    }

    static func revision(_ arguments: ParsedArguments) throws -> UInt64? {
        try arguments.integer("revision").map { UInt64($0) }
    }

    static func timeout(_ arguments: ParsedArguments) throws -> Int64 {
        try arguments.milliseconds("timeout") ?? TaskClient.commandTimeout
    }

    static let revisionOption = OptionSpec.value(
        "revision", .integer(0...Int.max), "Only if the schedule is at this revision")
}

/// `tidemill schedules remove`
enum SchedulesRemoveCommand: ClientCommand {
    static let path = ["schedules", "remove"]

    static let spec = CommandSpec(
        "remove", "Remove a schedule", discussion: "Events that it has made already run all the same.",
        options: [ScheduleReplies.revisionOption, .reason, .commandTimeout, OutputFormat.option],
        arguments: [.schedule])

    static func run(_ arguments: ParsedArguments, _ context: CommandContext) async throws -> Int32 {
        let id = try arguments.requiredArgument("id")
        let reply = try await context.client.removeSchedule(
            id, baseRevision: try ScheduleReplies.revision(arguments), author: context.author,
            reason: arguments.text("reason") ?? "", timeout: try ScheduleReplies.timeout(arguments))
        return try await ScheduleReplies.show(reply, id: id, arguments, context)
    }
}

/// `tidemill schedules pause`
enum SchedulesPauseCommand: ClientCommand {
    static let path = ["schedules", "pause"]

    static let spec = CommandSpec(
        "pause", "Stop a schedule from firing",
        discussion: """
            Times that pass meanwhile are not caught up. With --until it goes on by itself; pausing it again changes note and \
            end.
            """,
        examples: [.init("tidemill schedules pause nightly --until +2h --note stocktaking")],
        options: [
            .value("note", .text, "Why, shown with the schedule"),
            .value("until", .time, "Fire again from this instant on", default: "until resumed"),
            ScheduleReplies.revisionOption, .commandTimeout, OutputFormat.option,
        ],
        arguments: [.schedule])

    static func run(_ arguments: ParsedArguments, _ context: CommandContext) async throws -> Int32 {
        let id = try arguments.requiredArgument("id")
        let now = context.time.now()
        let until = try arguments.time("until", now: now)
        if let until, until <= now { throw arguments.usage("--until \(until.rfc3339) has passed") }
        let reply = try await context.client.pauseSchedule(
            id, note: arguments.text("note") ?? "", until: until,
            baseRevision: try ScheduleReplies.revision(arguments), author: context.author,
            timeout: try ScheduleReplies.timeout(arguments))
        return try await ScheduleReplies.show(reply, id: id, arguments, context)
    }
}

/// `tidemill schedules resume`
enum SchedulesResumeCommand: ClientCommand {
    static let path = ["schedules", "resume"]

    static let spec = CommandSpec(
        "resume", "Let a paused schedule fire again",
        options: [ScheduleReplies.revisionOption, .reason, .commandTimeout, OutputFormat.option],
        arguments: [.schedule])

    static func run(_ arguments: ParsedArguments, _ context: CommandContext) async throws -> Int32 {
        let id = try arguments.requiredArgument("id")
        let reply = try await context.client.resumeSchedule(
            id, baseRevision: try ScheduleReplies.revision(arguments), author: context.author,
            reason: arguments.text("reason") ?? "", timeout: try ScheduleReplies.timeout(arguments))
        return try await ScheduleReplies.show(reply, id: id, arguments, context)
    }
}

/// `tidemill schedules trigger`
enum SchedulesTriggerCommand: ClientCommand {
    static let path = ["schedules", "trigger"]

    static let spec = CommandSpec(
        "trigger", "Run a schedule's task once, out of turn",
        discussion: "The schedule's overlap rule holds for this run too.",
        options: [
            .value("at", .time, "Not before this instant"),
            .value("payload", .text, "Instead of the schedule's: text, @FILE, or - for stdin"),
            .reason, .commandTimeout, OutputFormat.option,
        ],
        arguments: [.schedule])

    static func run(_ arguments: ParsedArguments, _ context: CommandContext) async throws -> Int32 {
        let id = try arguments.requiredArgument("id")
        let reply = try await context.client.triggerSchedule(
            id, at: try arguments.time("at", now: context.time.now()), payload: try payload(arguments, context),
            author: context.author, reason: arguments.text("reason") ?? "",
            timeout: try ScheduleReplies.timeout(arguments))
        return try await ScheduleReplies.show(reply, id: id, arguments, context)
    }

    private static func payload(_ arguments: ParsedArguments, _ context: CommandContext) throws -> [UInt8]? {
        guard let text = arguments.text("payload") else { return nil }
        return try context.files.payload(text, limit: ScheduleSpec.maximumPayloadBytes)
    }
}
