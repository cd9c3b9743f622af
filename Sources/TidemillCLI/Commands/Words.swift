import Settings
import TaskClient
import TaskModel

/// How results read to people.
enum Words {
    static func duration(_ milliseconds: Int64) -> String { DurationText.format(.milliseconds(milliseconds)) }

    static func time(_ time: Timestamp?) -> String { time?.rfc3339 ?? "-" }

    /// `in 5m` or `3s ago`, to the second when it is more than one.
    static func distance(from now: Timestamp, to time: Timestamp) -> String {
        let difference = time - now
        let rounded = abs(difference) >= 1000 ? abs(difference) / 1000 * 1000 : abs(difference)
        return difference >= 0 ? "in \(duration(rounded))" : "\(duration(rounded)) ago"
    }

    static func state(_ state: EventStory.State, now: Timestamp) -> String {
        switch state {
        case .unknown: "unknown: the log keeps nothing of it"
        case .due(let since): "due since \(since.rfc3339): it waits for a worker or runs"
        case .running(let worker, let since): "running on \(worker) since \(since.rfc3339)"
        case .waiting(let until): "waiting until \(until.rfc3339) (\(distance(from: now, to: until)))"
        case .again(let delay, let since):
            "to be tried again\(delay.map { " after \(duration($0))" } ?? ""), decided at \(since.rfc3339)"
        case .completed(let time): "completed at \(time.rfc3339)"
        case .dead(let reason, let letter):
            "dead\(reason.map { " (\($0.rawValue))" } ?? ""), dead letter \(self.letter(letter))"
        case .cancelled(let time): "cancelled at \(time.rfc3339)"
        case .expired(let time): "expired at \(time.rfc3339)"
        case .skipped(let time): "skipped at \(time.rfc3339)"
        }
    }

    static func letter(_ state: LetterState) -> String {
        switch state {
        case .open: "open"
        case .superseded(let replay): "superseded by replay \(replay)"
        case .replayed(let mark), .discarded(let mark), .resolved(let mark):
            "\(state.word) by \(mark.by)\(mark.reason.isEmpty ? "" : " (\(mark.reason))")"
        }
    }

    static func failure(code: String?, message: String?) -> String {
        switch (code, message) {
        case (nil, nil): ""
        case (let code?, nil): code
        case (nil, let message?): message
        case (let code?, let message?): "\(code): \(message)"
        }
    }

    /// What a person sees of a reply to a schedule command.
    static func reply(_ reply: CommandReply, id: String) -> String {
        switch reply {
        case .applied(let revision, let fingerprint):
            "applied: \(id) is at revision \(revision)" + (fingerprint.map { ", run \($0)" } ?? "")
        case .conflict(let revision, _):
            revision == 0
                ? "conflict: there is no schedule \(id)"
                : "conflict: \(id) is at revision \(revision) now; look at it and try again"
        case .refused(let reason): "refused: \(reason)"
        case .queued(let command):
            "queued as command \(command): no scheduler has answered yet; it is applied when one runs"
        }
    }
}
