import Settings
import TaskModel

/// `tidemill schedules preview`
enum SchedulesPreviewCommand: ClientCommand {
    static let path = ["schedules", "preview"]

    static let spec = CommandSpec(
        "preview", "Show when a trigger or a schedule fires, or what an edit changes",
        discussion: """
            A bare trigger needs no log. With a schedule's id, its next fires and the changes of the clocks that it meets \
            within a year; with the id and a trigger or a file, the fires that the edit adds and removes.
            """,
        examples: [
            .init("tidemill schedules preview --cron '0 0 9 ? * MON-FRI' --dialect quartz --time-zone Europe/Berlin"),
            .init("tidemill schedules preview nightly --cron '30 2 * * *'", "what this edit would change"),
        ],
        options: PreviewTrigger.options + [
            .value("file", short: "f", .path, "The schedule as this file has it, against the stored one"),
            .value("id", .text, "Spread `H` as the schedule of this id does"),
            .value("from", .time, "Fires after this instant", default: "now"),
            .value("count", short: "n", .integer(1...100_000), "How many", default: "10"),
            OutputFormat.option,
        ],
        arguments: [ArgumentSpec("id", .text, "A schedule", occurrence: .optional)])

    /// Whether it can be answered without a log and without a configuration.
    static func isBare(_ arguments: ParsedArguments) -> Bool {
        arguments.argument("id") == nil && !arguments.has("file")
    }

    static func run(_ arguments: ParsedArguments, _ context: CommandContext) async throws -> Int32 {
        let now = context.time.now()
        if isBare(arguments) { return try runBare(arguments, context.output, now: now) }
        guard !arguments.has("id") else { throw arguments.usage("--id is for a trigger without a schedule") }
        guard let wanted = try wanted(arguments, context, now) else {
            return try await show(arguments, context, now)
        }
        return try await showEdit(to: wanted, arguments, context, now)
    }

    /// A trigger of the command line alone.
    static func runBare(
        _ arguments: ParsedArguments, _ output: CommandOutput, now: Timestamp
    ) throws -> Int32 {
        let id = arguments.text("id")
        guard let trigger = try PreviewTrigger.read(arguments, spread: id, now: now) else {
            throw arguments.usage("preview what? Give a schedule's id, or --cron, --interval, --at or --calendar")
        }
        let spec = ScheduleSpec(id: id ?? "preview", task: "preview", trigger: trigger)
        let zone = try PreviewTrigger.zone(arguments, of: trigger)
        let (from, count) = try range(arguments, now)
        let fires = SchedulePreview.fires(of: spec, nil, from: from, count: count)
        if try OutputFormat(arguments) == .json {
            try output.writeJSON(PreviewReport.Fires(fires, zone))
            return ExitStatus.success
        }
        PreviewReport.show(fires, zone, output)
        if fires.isEmpty { output.note("it names no time after \(from.rfc3339)") }
        PreviewReport.show(SchedulePreview.clockChanges(of: spec, from: from, fires: fires), output)
        return ExitStatus.success
    }

    private static func range(_ arguments: ParsedArguments, _ now: Timestamp) throws -> (Timestamp, Int) {
        (try arguments.time("from", now: now) ?? now, try arguments.integer("count") ?? 10)
    }

    // MARK: a schedule

    private static func show(
        _ arguments: ParsedArguments, _ context: CommandContext, _ now: Timestamp
    ) async throws -> Int32 {
        let schedule = try await context.client.schedule(try arguments.requiredArgument("id"))
        let zone = try PreviewTrigger.zone(arguments, of: schedule.spec.trigger)
        let (from, count) = try range(arguments, now)
        let fires = SchedulePreview.fires(of: schedule.spec, schedule.state, from: from, count: count)
        let effects = SchedulePreview.clockChanges(of: schedule.spec, from: from, fires: fires)
        if try OutputFormat(arguments) == .json {
            try context.output.writeJSON(
                PreviewReport.Schedule(
                    schedule: schedule.id, timeZone: zone.identifier, fires: fires.map { .init($0, zone) },
                    clockChanges: effects.map { .init($0) }))
            return ExitStatus.success
        }
        PreviewReport.show(fires, zone, context.output)
        if fires.count < count { context.output.note(ending(schedule.spec, schedule.state, from)) }
        PreviewReport.show(effects, context.output)
        return ExitStatus.success
    }

    /// Why there are no more fires.
    private static func ending(_ spec: ScheduleSpec, _ state: ScheduleState?, _ from: Timestamp) -> String {
        if spec.isPaused(at: from), spec.pause?.until == nil {
            return "\(spec.id) is paused until it is resumed"
        }
        return spec.maxRuns.map { "\(spec.id) ends after \($0) runs; it had \(state?.fires ?? 0)" }
            ?? "\(spec.id) names no later time"
    }

    // MARK: an edit

    /// The schedule as the command line or the file has it; nil when neither says.
    private static func wanted(
        _ arguments: ParsedArguments, _ context: CommandContext, _ now: Timestamp
    ) throws -> ScheduleSpec? {
        let id = arguments.argument("id")
        if let file = arguments.text("file") {
            guard !PreviewTrigger.isGiven(arguments) else {
                throw arguments.usage("--file and a trigger exclude each other")
            }
            let specs = try context.loadSchedules(file).specs
            let found = id.map { id in specs.filter { $0.id == id } } ?? specs
            guard found.count == 1, let spec = found.first else {
                throw arguments.usage(
                    found.isEmpty
                        ? "\(file) has no schedule\(id.map { " \"\($0)\"" } ?? "")"
                        : "\(file) has \(found.count) schedules; name one")
            }
            return spec
        }
        guard let id, let trigger = try PreviewTrigger.read(arguments, spread: id, now: now) else { return nil }
        return ScheduleSpec(id: id, task: "preview", trigger: trigger)
    }

    private static func showEdit(
        to wanted: ScheduleSpec, _ arguments: ParsedArguments, _ context: CommandContext, _ now: Timestamp
    ) async throws -> Int32 {
        let stored = try await context.client.schedules().first { $0.id == wanted.id }
        var spec = wanted
        if !arguments.has("file") {
            // Only the trigger changes.
            guard let stored else {
                throw arguments.usage("there is no schedule \"\(wanted.id)\"; leave the id out for a bare trigger")
            }
            spec = stored.spec
            spec.trigger = wanted.trigger
        }
        spec.pause = stored?.spec.pause ?? spec.pause
        let zone = try PreviewTrigger.zone(arguments, of: spec.trigger)
        let (from, count) = try range(arguments, now)
        let edits = PreviewedEdit.changes(
            from: stored?.spec, to: spec, stored?.state, after: from, count: count)
        let effects = SchedulePreview.clockChanges(
            of: spec, from: from, fires: edits.filter { $0.change != .removed }.map(\.fire))
        if try OutputFormat(arguments) == .json {
            try context.output.writeJSON(
                PreviewReport.Schedule(
                    schedule: spec.id, timeZone: zone.identifier,
                    fires: edits.map { .init($0.fire, zone, change: $0.change) },
                    clockChanges: effects.map { .init($0) }))
            return ExitStatus.success
        }
        if stored == nil { context.output.note("\(spec.id) is new") }
        PreviewReport.show(edits, zone, context.output)
        PreviewReport.show(effects, context.output)
        return ExitStatus.success
    }
}
