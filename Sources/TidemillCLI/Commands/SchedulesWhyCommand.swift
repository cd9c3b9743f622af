import TaskClient
import TaskModel

/// `tidemill schedules why`
enum SchedulesWhyCommand: ClientCommand {
    static let path = ["schedules", "why"]

    static let spec = CommandSpec(
        "why", "Tell why a schedule did or did not run",
        discussion: """
            Answers from the journal, which keeps 30 days, and from the records of the event. A time that is no nominal \
            time is answered for the nearest one before it.
            """,
        examples: [.init("tidemill schedules why nightly --at 2026-11-21T02:30:00Z")],
        options: [
            .value("at", .time, "When it should have run", default: "its last nominal time"), OutputFormat.option,
        ],
        arguments: [.schedule])

    static func run(_ arguments: ParsedArguments, _ context: CommandContext) async throws -> Int32 {
        let now = context.time.now()
        let answer = try await context.client.why(
            schedule: try arguments.requiredArgument("id"), at: try arguments.time("at", now: now))
        if try OutputFormat(arguments) == .json {
            try context.output.writeJSON(answer)
        } else {
            show(answer, context, now)
        }
        return ExitStatus.success
    }

    private static func show(_ answer: ScheduleAnswer, _ context: CommandContext, _ now: Timestamp) {
        let output = context.output
        if !answer.isNominal {
            output.write(
                "\(answer.asked.rfc3339) is no nominal time of \(answer.scheduleID); the nearest are "
                    + "\(answer.before?.rfc3339 ?? "none") before and \(answer.after?.rfc3339 ?? "none") after it\n")
        }
        output.write(DisplayText.visible(headline(answer)) + "\n")
        if let fingerprint = answer.fingerprint, let event = answer.event {
            output.write("event      \(fingerprint): \(DisplayText.visible(Words.state(event, now: now)))\n")
        }
        let entries = (answer.evidence + answer.schedulers).sorted { $0.at < $1.at }
        guard !entries.isEmpty else { return }
        var table = TableFormatter(columns: [
            .init("TIME"), .init("DECISION"), .init("ABOUT"), .init("BY"), .init("WHY", isFlexible: true),
        ])
        for entry in entries {
            table.add([
                entry.at.rfc3339, entry.kind.rawValue, entry.nominal?.rfc3339 ?? entry.subject, entry.author,
                entry.reason,
            ])
        }
        output.write("\n")
        output.writeTable(table)
    }

    private static func headline(_ answer: ScheduleAnswer) -> String {
        guard let nominal = answer.nominal else { return sentence(answer) }
        var jitter = ""
        if let due = answer.due, due != nominal { jitter = ", put off by jitter to \(due.rfc3339)" }
        return "\(nominal.rfc3339)\(jitter): \(sentence(answer))"
    }

    private static func sentence(_ answer: ScheduleAnswer) -> String {
        switch answer.verdict {
        case .fired(let at, let by, let lateness):
            let who = by == "scheduler" ? "" : " by \(by)"
            let delay = Words.duration(lateness / 1000 * 1000)
            let late = lateness > Planner.punctuality ? ", \(delay) late\(cause(answer))" : ""
            return "fired at \(at.rfc3339)\(who)\(late)\(skip(answer))"
        case .coalesced(let into, let count):
            return "the fire of \(into.rfc3339) stands for it (one fire for \(count) nominal times)"
        case .dropped(let reason, let at): return "did not fire: \(reason) (decided at \(at.rfc3339))"
        case .paused(let by, let note, let at, let until):
            let end = until.map { " until \($0.rfc3339)" } ?? ""
            return "did not fire: paused at \(at.rfc3339)\(end) by \(by)" + (note.isEmpty ? "" : ": \(note)")
        case .ended(let runs): return "did not fire: the schedule ended after \(runs) runs"
        case .beforeCreation(let time): return "did not fire: the schedule was created at \(time.rfc3339)"
        case .beforeStart(let time): return "no nominal time: the schedule starts at \(time.rfc3339)"
        case .afterEnd(let time): return "no nominal time: the schedule ended at \(time.rfc3339)"
        case .excluded(let number): return "no nominal time: exclusion \(number) of the trigger takes it away"
        case .edited(let at, let by):
            return
                "did not fire: the schedule was changed at \(at.rfc3339) by \(by), and what passed before a change is "
                + "not made up for"
        case .ahead(let due): return "falls due at \(due.rfc3339)"
        case .undecided:
            return "is due, and no scheduler has decided about it: is one running? See `tidemill doctor`"
        case .forgotten:
            return "was decided, and the journal does not tell any more (it keeps 30 days)"
        case .notNominal: return "the trigger names no time up to it"
        }
    }

    /// The event was made, and a worker passed it over.
    private static func skip(_ answer: ScheduleAnswer) -> String {
        let entry = answer.evidence.first { $0.fingerprint != nil && [.skipped, .cancelled].contains($0.kind) }
        return entry.map { ", and \($0.kind.rawValue) by \($0.author): \($0.reason)" } ?? ""
    }

    private static func cause(_ answer: ScheduleAnswer) -> String {
        if let moved = answer.schedulers.last(where: { $0.kind == .restored }) {
            return ": no scheduler had it until \(moved.subject) took over at \(moved.at.rfc3339)"
        }
        if let held = answer.schedulers.last(where: { $0.kind == .held }) { return ": fires were held, \(held.reason)" }
        return ""
    }
}
