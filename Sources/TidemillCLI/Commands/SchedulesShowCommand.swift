import TaskClient
import TaskModel

/// `tidemill schedules show`
enum SchedulesShowCommand: ClientCommand {
    static let path = ["schedules", "show"]
    private static let shownTimes = 5
    private static let shownDecisions = 20

    static let spec = CommandSpec(
        "show", "Show a schedule, its next times, and what was decided about it", options: [OutputFormat.option],
        arguments: [.schedule])

    static func run(_ arguments: ParsedArguments, _ context: CommandContext) async throws -> Int32 {
        let schedule = try await context.client.schedule(try arguments.requiredArgument("id"))
        let journal = try await context.client.journal(ofSchedule: schedule.id)
        let next = nextTimes(of: schedule, after: context.time.now())
        if try OutputFormat(arguments) == .json {
            try context.output.writeJSON(
                Shown(
                    schedule: schedule, next: next.map(\.rfc3339),
                    journal: journal.suffix(shownDecisions).map(Decision.init)))
            return ExitStatus.success
        }
        show(schedule, next: next, journal: Array(journal.suffix(shownDecisions)), context)
        return ExitStatus.success
    }

    private struct Shown: Encodable {
        var schedule: ScheduleView
        var next: [String]
        var journal: [Decision]
    }

    private struct Decision: Encodable {
        var at: String
        var kind: String
        var author: String
        var reason: String
        var fingerprint: String?

        init(_ entry: JournalEntry) {
            at = entry.at.rfc3339
            kind = entry.kind.rawValue
            author = entry.author
            reason = entry.reason
            fingerprint = entry.fingerprint?.hex
        }
    }

    private static func nextTimes(of schedule: ScheduleView, after now: Timestamp) -> [Timestamp] {
        var times: [Timestamp] = []
        while times.count < shownTimes, let next = schedule.next(after: times.last ?? now) { times.append(next) }
        return times
    }

    private static func rules(of spec: ScheduleSpec) -> String {
        var rules = ["overlap \(spec.overlap.rawValue)", "catch-up \(spec.catchUp.rawValue)"]
        switch spec.overlap {
        case .allow: if let most = spec.maxInstances { rules[0] += " up to \(most) at once" }
        case .bufferAll: rules[0] += " up to \(spec.maxBuffered ?? Int(OverlapRule.defaultBuffered))"
        case .skip, .bufferOne, .cancelOther, .terminateOther: break
        }
        if spec.pausesOnFailure { rules.append("paused on failure") }
        return rules.joined(separator: ", ")
    }

    private static func show(
        _ schedule: ScheduleView, next: [Timestamp], journal: [JournalEntry], _ context: CommandContext
    ) {
        let spec = schedule.spec
        let definition = schedule.definition
        var facts: [(String, String)] = [
            ("schedule", "\(schedule.id), revision \(definition.revision)"),
            ("trigger", spec.triggerText), ("task", spec.task), ("queue", "\(spec.queue), lane \(spec.key)"),
            ("payload", "\(spec.payload.count) bytes"),
            ("rules", rules(of: spec)),
            ("from", spec.origin.description),
            ("changed", "\(definition.updatedAt.rfc3339) by \(definition.updatedBy)"),
        ]
        if let pause = spec.pause {
            let until = pause.until.map { " until \($0.rfc3339)" } ?? ""
            let note = pause.note.isEmpty ? "" : ": \(pause.note)"
            facts.append(("paused", "\(pause.at.rfc3339)\(until) by \(pause.by)\(note)"))
        }
        if let state = schedule.state {
            facts.append(("last fire", Words.time(state.lastFired)))
            facts.append(("fires", "\(state.fires), \(state.misfires) misfired"))
        }
        facts.append(("next", next.isEmpty ? "-" : next.map(\.rfc3339).joined(separator: ", ")))
        for (name, value) in facts {
            let label = name + String(repeating: " ", count: 11 - name.count)
            context.output.write(
                "\(context.output.terminal.styled(label, .faint))\(DisplayText.visible(value))\n")
        }
        guard !journal.isEmpty else { return }
        var table = TableFormatter(columns: [
            .init("TIME"), .init("DECISION"), .init("BY"), .init("WHY", isFlexible: true), .init("EVENT"),
        ])
        for entry in journal {
            table.add([
                entry.at.rfc3339, entry.kind.rawValue, entry.author, entry.reason, entry.fingerprint?.hex ?? "",
            ])
        }
        context.output.write("\n")
        context.output.writeTable(table)
    }
}
