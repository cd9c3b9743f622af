/// What the end of a process means for the event that it ran for. Pure.
///
/// | end | answer |
/// |---|---|
/// | exit 0 | done |
/// | exit 75 (`EX_TEMPFAIL`) | retry |
/// | exit 64 (`EX_USAGE`), 65 (`EX_DATAERR`), 78 (`EX_CONFIG`) | fail: no later attempt would go better |
/// | any other exit status | retry |
/// | killed by a signal | retry, with the code `signal-N` |
///
/// The middle rows are the default; ``answers`` may say otherwise for any status. Failures carry the code `exit-N`.
public struct ExitMapping: Hashable, Sendable {
    /// What becomes of the event.
    public enum Answer: Hashable, Sendable {
        case done
        /// Try again by the retry policy.
        case retry
        /// Try again after this many milliseconds; the attempt is spent.
        case retryAfter(milliseconds: Int64)
        /// Come back after this many milliseconds; the attempt is not spent.
        case snooze(milliseconds: Int64)
        case cancel
        /// A dead letter now.
        case fail
    }

    /// By exit status, 0 to 255. A status that is not listed is ``Answer/done`` if it is 0 and ``Answer/retry`` otherwise.
    public var answers: [Int32: Answer]

    /// The answers given, on top of the default ones.
    public init(_ answers: [Int32: Answer] = [:]) {
        self.answers = Self.standard.merging(answers) { _, given in given }
    }

    static let standard: [Int32: Answer] = [0: .done, 75: .retry, 64: .fail, 65: .fail, 78: .fail]

    public subscript(status: Int32) -> Answer { answers[status] ?? (status == 0 ? .done : .retry) }

    var problems: [String] {
        answers.sorted { $0.key < $1.key }.compactMap { status, answer in
            guard (0...255).contains(status) else { return "exit status \(status) is not between 0 and 255" }
            switch answer {
            case .retryAfter(let delay) where delay < 0, .snooze(let delay) where delay < 0:
                return "the delay of exit status \(status) must not be negative"
            default:
                return nil
            }
        }
    }

    /// The failure to throw for this end, or nil when the work is done. `message` is what the process said; empty is replaced.
    func failure(for end: CommandEnd, message: String) -> TaskFailure? {
        switch end {
        case .exited(let status):
            return failure(status: status, message: message.isEmpty ? "exit status \(status)" : message)
        case .signalled(let number):
            return .retry(
                code: "signal-\(number)", message.isEmpty ? "the process was killed by signal \(number)" : message)
        case .unknown:
            let reason = "another part of this program collected the process' exit status"
            return .retry(code: "exec-lost", message.isEmpty ? reason : message)
        }
    }

    private func failure(status: Int32, message: String) -> TaskFailure? {
        let code = "exit-\(status)"
        return switch self[status] {
        case .done: nil
        case .retry: .retry(code: code, message)
        case .retryAfter(let delay): .retryAfter(milliseconds: delay, code: code, message)
        case .snooze(let delay): .snooze(milliseconds: delay, message)
        case .cancel: .cancel(message)
        case .fail: .fail(code: code, message)
        }
    }
}
