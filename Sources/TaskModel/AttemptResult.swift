/// How one attempt ended, as the worker saw it.
public enum AttemptResult: Hashable, Sendable {
    case completed
    /// Try again by the policy.
    case failed(code: String, message: String)
    /// Try again after this many milliseconds; the attempt is spent.
    case retryAfter(milliseconds: Int64, code: String, message: String)
    /// Come back later; the attempt is not spent.
    case snoozed(milliseconds: Int64, message: String)
    case cancelled(message: String)
    /// Dead now.
    case fatal(reason: DeathReason, code: String, message: String)
}

/// Turns the end of an attempt into the outcome of its turn. Pure: the same facts give the same outcome.
public struct OutcomePolicy: Hashable, Sendable {
    public var retry: RetryPolicy
    /// How long an event may wait for a worker that knows its task. Default 1 h.
    public var unknownTaskMaxAge: Int64

    public init(retry: RetryPolicy = RetryPolicy(), unknownTaskMaxAge: Int64 = 3_600_000) {
        self.retry = retry
        self.unknownTaskMaxAge = unknownTaskMaxAge
    }

    /// The longest that an event may be put off at once: ten years.
    public static let maximumDelay: Int64 = 10 * 366 * 86_400_000

    /// `firstDue` is the broker time at which the first turn fell due; `now` is when the attempt ended.
    public func outcome(
        of result: AttemptResult, event: TaskEvent, firstDue: Timestamp, startedAt: Timestamp?, now: Timestamp
    ) -> OutcomeDetail {
        let policy = event.retryPolicy ?? retry
        switch result {
        case .completed: return OutcomeDetail(.completed, startedAt: startedAt, endedAt: now)
        case .cancelled(let message):
            return OutcomeDetail(.cancelled, startedAt: startedAt, endedAt: now, code: "cancelled", message: message)
        case .fatal(let reason, let code, let message):
            return OutcomeDetail(
                .dead, deathReason: reason, startedAt: startedAt, endedAt: now, code: code, message: message)
        case .snoozed(let milliseconds, let message):
            return OutcomeDetail(
                .snoozed, delay: clamp(milliseconds), nextAttempt: event.attempt, startedAt: startedAt, endedAt: now,
                code: "snoozed", message: message)
        case .failed(let code, let message):
            let delay = policy.delay(afterAttempt: event.attempt, of: event.coordinate)
            return again(policy, delay, code, message, event, firstDue, startedAt, now)
        case .retryAfter(let milliseconds, let code, let message):
            return again(policy, clamp(milliseconds), code, message, event, firstDue, startedAt, now)
        }
    }

    /// An event whose task this worker does not know: a newer worker may be rolling out, so it comes back for a while.
    public func unknownTask(event: TaskEvent, firstDue: Timestamp, now: Timestamp) -> OutcomeDetail {
        let message = "no handler for task \"\(event.task)\""
        guard now - firstDue < unknownTaskMaxAge else {
            return OutcomeDetail(.dead, deathReason: .unknownTask, endedAt: now, code: "unknown-task", message: message)
        }
        let backoff = RetryPolicy(initial: 1000, factor: 2, maximum: 300_000, jitter: 0.2)
        return OutcomeDetail(
            .snoozed, delay: backoff.delay(afterAttempt: event.turn, of: event.coordinate), nextAttempt: event.attempt,
            endedAt: now, code: "unknown-task", message: message)
    }

    private func again(
        _ policy: RetryPolicy, _ delay: Int64, _ code: String, _ message: String, _ event: TaskEvent,
        _ firstDue: Timestamp,
        _ startedAt: Timestamp?, _ now: Timestamp
    ) -> OutcomeDetail {
        var reason: DeathReason?
        if event.attempt >= policy.maxAttempts { reason = .attemptsExhausted }
        if let maxAge = policy.maxAge, (now + delay) - firstDue > maxAge { reason = reason ?? .tooOld }
        if let reason {
            return OutcomeDetail(
                .dead, deathReason: reason, startedAt: startedAt, endedAt: now, code: code, message: message)
        }
        return OutcomeDetail(
            .retrying, delay: delay, nextAttempt: event.attempt + 1, startedAt: startedAt, endedAt: now, code: code,
            message: message)
    }

    private func clamp(_ milliseconds: Int64) -> Int64 { min(max(0, milliseconds), Self.maximumDelay) }
}
