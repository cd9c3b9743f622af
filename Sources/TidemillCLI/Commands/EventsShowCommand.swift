import TaskClient
import TaskModel

/// `tidemill events show`
enum EventsShowCommand: ClientCommand {
    static let path = ["events", "show"]

    static let spec = CommandSpec(
        "show", "Tell an event's whole story",
        discussion: """
            Reads every topic that may speak of it: when it was published, each attempt with its error, waits, dead \
            letters and replays, and where it is now. --queue and --key make it faster.
            """,
        examples: [.init("tidemill events show 8f434346648f6b96df89dda901c5176b")],
        options: [
            .value("queue", short: "q", .text, "Look in this queue only"),
            .value("key", short: "k", .text, "The event's lane"),
            OutputFormat.option,
        ],
        arguments: [.fingerprint])

    static func run(_ arguments: ParsedArguments, _ context: CommandContext) async throws -> Int32 {
        let story = try await context.client.story(
            of: try arguments.requiredFingerprint(), queue: arguments.text("queue"), key: arguments.text("key"))
        if try OutputFormat(arguments) == .json {
            try context.output.writeJSON(story)
        } else if story.entries.isEmpty {
            context.output.note("the log keeps nothing of event \(story.fingerprint)")
        } else {
            show(story, context)
        }
        return story.entries.isEmpty ? ExitStatus.failure : ExitStatus.success
    }

    private static func show(_ story: EventStory, _ context: CommandContext) {
        let terminal = context.output.terminal
        var facts: [(String, String)] = [("event", story.fingerprint.hex)]
        if let event = story.event {
            facts.append(("task", event.task))
            facts.append(("queue", event.queue + (event.key.map { ", lane \($0)" } ?? "")))
            facts.append(("payload", "\(event.payloadBytes) bytes" + (event.contentType.map { ", \($0)" } ?? "")))
            facts.append(("source", "\(event.source), id \(event.id)"))
            if let id = event.scheduleID {
                facts.append(("schedule", "\(id), nominal time \(Words.time(event.nominalTime))"))
            }
        }
        facts.append(("state", Words.state(story.state, now: context.time.now())))
        for (name, value) in facts {
            let label = name + String(repeating: " ", count: 10 - name.count)
            context.output.write("\(terminal.styled(label, .faint))\(DisplayText.visible(value))\n")
        }
        context.output.write("\n")
        var table = TableFormatter(columns: [
            .init("TIME"), .init("WHAT"), .init("TURN"), .init("DETAIL", isFlexible: true), .init("PLACE"),
        ])
        for entry in story.entries {
            table.add([
                .init(entry.at.rfc3339), .init(entry.fact.word, style(of: entry.fact)), .init(turn(of: entry)),
                .init(detail(of: entry.fact)), .init(entry.place.description, .faint),
            ])
        }
        context.output.writeTable(table)
        if story.isTruncated { context.output.note("there are more records of this event than are shown") }
    }

    /// `2` for the second turn, `1.1` for the first turn of the first replay.
    private static func turn(of entry: EventStory.Entry) -> String {
        let turn = entry.turn.map { "\($0)" } ?? "-"
        guard let replay = entry.replay, replay > 0 else { return turn }
        return "\(replay).\(turn)"
    }

    private static func style(of fact: EventStory.Fact) -> Terminal.Style? {
        switch fact {
        case .outcome(let detail, _, _):
            switch detail.outcome {
            case .completed: .good
            case .dead: .bad
            case .retrying: .warning
            case .snoozed, .cancelled, .expired, .skipped: nil
            }
        case .deadLetter: .bad
        case .due, .waiting, .waitEnded, .cancelRequested, .leased, .released, .started, .displaced, .marked, .journal:
            nil
        }
    }

    private static func detail(of fact: EventStory.Fact) -> String {
        switch fact {
        case .due(let event): "attempt \(event.attempt)\(event.isForwarded ? ", moved to its partition" : "")"
        case .waiting(let event, let until): "attempt \(event.attempt) due at \(until.rfc3339)"
        case .waitEnded: "emitted or dropped"
        case .cancelRequested: "waiting turns are dropped"
        case .outcome(let detail, let attempt, let worker): outcome(detail, attempt, worker)
        case .leased(let lease): "\(lease.holder) goes on for \(Words.duration(lease.length)) after a rebalance"
        case .released(let worker): "given back unfinished by \(worker)"
        case .started(let worker): "on \(worker)"
        case .displaced(let other, _): "asked to end for event \(other) of its lane"
        case .deadLetter(let reason, let failure):
            "\(reason.rawValue)\(failure.map { ": " + Words.failure(code: $0.code, message: $0.message) } ?? "")"
        case .marked(let mark): "by \(mark.by)\(mark.reason.isEmpty ? "" : ": \(mark.reason)")"
        case .journal(let entry): "\(entry.kind.rawValue) by \(entry.author): \(entry.reason)"
        }
    }

    private static func outcome(_ detail: OutcomeDetail, _ attempt: UInt32, _ worker: String) -> String {
        var parts = ["attempt \(attempt) on \(worker)"]
        if let start = detail.startedAt, let end = detail.endedAt {
            parts.append("took \(Words.duration(end - start))")
        }
        if let delay = detail.delay { parts.append("again after \(Words.duration(delay))") }
        if let reason = detail.deathReason { parts.append(reason.rawValue) }
        let failure = Words.failure(code: detail.code, message: detail.message)
        return parts.joined(separator: ", ") + (failure.isEmpty ? "" : ": \(failure)")
    }
}
