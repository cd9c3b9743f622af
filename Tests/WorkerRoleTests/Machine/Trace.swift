import TaskLog
import TaskModel

@testable import WorkerRole

/// An action as short lines; none for reports, which a story keeps apart.
extension Story {
    func trace(_ action: WorkerAction) -> [String] {
        switch action {
        case .restore(_, _, let from): ["restore from \(from.map(String.init) ?? "the start")"]
        case .open(_, _, _, let commit): ["open \(Self.line(commit))"]
        case .append(let batch): batch.records.map { Self.line($0) }
        case .start(let starts): starts.map { "start \($0.event.id)" }
        case .cancel(let id): ["cancel \(names[id] ?? "?")"]
        case .commit(let commits): ["commit \(Self.line(commits))"]
        case .handOff(_, _, let commits): ["hand off \(Self.line(commits))"]
        case .handOffWritten: ["written"]
        case .forget: ["forget"]
        case .pause: ["pause"]
        case .resume: ["resume"]
        case .follow(_, let offset): ["follow from \(offset)"]
        case .unfollow: ["unfollow"]
        case .skip(let positions): positions.values.sorted().map { "skip to \($0)" }
        case .trim(_, let below, let time): ["trim below \(below) before \(time.rfc3339)"]
        case .leave: ["leave"]
        case .finish: ["finish"]
        case .report: []
        }
    }

    private static func line(_ commits: [TopicPartition: CommittedOffset]) -> String {
        commits.isEmpty
            ? "without news" : commits.sorted { $0.key < $1.key }.map { line($0.value) }.joined(separator: ", ")
    }

    static func line(_ commit: CommittedOffset) -> String {
        guard let metadata = CommitMetadata(offset: commit.offset, metadata: commit.metadata) else {
            return "\(commit.offset) unreadable"
        }
        let holes = metadata.holes.isEmpty ? "" : " holes \(metadata.holes.map(String.init).joined(separator: ","))"
        let mark = metadata.highMark == commit.offset ? "" : " to \(metadata.highMark)"
        return "\(commit.offset)\(mark)\(holes)\(metadata.isClean ? " clean" : "")"
    }

    static func line(_ record: LogAppend) -> String {
        let place = RecordPlace(topic: record.topic, partition: record.partition, offset: 0)
        switch record.topic {
        case ledger.topic:
            guard
                let entry = try? LedgerRecord(
                    fingerprint: Fingerprint(bytes: record.key ?? []) ?? Fingerprint(high: 0, low: 0),
                    value: record.value ?? [])
            else { return "ledger unreadable" }
            return "ledger " + line(entry)
        case names.retry where RetryKey(record.key).map({ if case .cancel = $0 { true } else { false } }) == true:
            return "cancel marker"
        case names.commands:
            guard
                case .command(let command)? = try? CommandsTopicRecord(
                    key: record.key, value: record.value, headers: record.headers)
            else { return "command unreadable" }
            return "command \(command.kind.word) \(command.scheduleID)"
        case names.retry:
            guard
                let waiting = try? WaitingEvent(
                    key: record.key, value: record.value, headers: record.headers, place: place),
                case .after(let delay) = waiting.due
            else { return "retry unreadable" }
            return
                "retry \(waiting.event.id) turn \(waiting.event.turn) attempt \(waiting.event.attempt) after \(delay)"
        case names.dead:
            switch try? DeadTopicRecord(key: record.key, value: record.value, headers: record.headers, place: place) {
            case .letter(let letter): return "letter \(letter.event.id) \(letter.reason.rawValue)"
            case .mark(_, let mark): return mark.kind.rawValue
            case nil: return "dead unreadable"
            }
        case names.journal:
            guard let entry = try? JournalEntry(key: record.key, value: record.value) else {
                return "journal unreadable"
            }
            return "journal \(entry.kind.rawValue) \(entry.subject)"
        default:
            return "\(record.topic)[\(record.partition)]"
        }
    }

    private static func line(_ entry: LedgerRecord) -> String {
        switch entry.body {
        case .outcome(let detail): detail.outcome.word
        case .leased: "leased"
        case .released: "released"
        case .started(let alone): alone ? "started alone" : "started"
        case .displaced: "displaced"
        }
    }
}
