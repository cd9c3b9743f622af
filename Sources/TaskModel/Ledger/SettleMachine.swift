/// The settling of one turn: decide, then do, then settled. Each step waits until the one before is durable.
///
/// 1. decide: append the outcome to the ledger. 2. do: append the `retry` record or the dead letter (nothing on plain
/// success). 3. settled: the watermark may pass. The reverse order (effect before decision) ends in "completed and
/// dead-lettered" after one plain crash. A turn that the ledger knows as decided begins at step 2: re-done, not re-run.
public struct SettleMachine: Hashable, Sendable {
    public enum State: Hashable, Sendable {
        case undecided
        case deciding(Decision)
        case doing(Decision)
        case settled
    }

    /// What the owner of the offset does next.
    public enum Step: Hashable, Sendable {
        case appendDecision(Decision)
        case appendEffect(Decision)
        case settle
    }

    public private(set) var state: State = .undecided

    public init() {}

    /// The attempt ended: nothing is true before this is durable.
    public mutating func decide(_ decision: Decision) -> Step {
        state = .deciding(decision)
        return .appendDecision(decision)
    }

    /// The decision is durable, by our own append or read from the ledger.
    public mutating func decided(_ decision: Decision) -> Step {
        guard Self.hasEffect(decision.detail.outcome) else { return settle() }
        state = .doing(decision)
        return .appendEffect(decision)
    }

    /// The effect is durable, or the turn needs none.
    public mutating func settle() -> Step {
        state = .settled
        return .settle
    }

    public static func hasEffect(_ outcome: Outcome) -> Bool {
        switch outcome {
        case .retrying, .snoozed, .dead: true
        case .completed, .cancelled, .expired, .skipped: false
        }
    }
}

extension Decision {
    /// The event of the next turn, for an `again` decision. `event` is that of the decided turn, first seen at `recordTime`.
    public func nextTurn(of event: TaskEvent, recordTime: Timestamp) -> TaskEvent {
        var next = event
        next.turn = coordinate.turn + 1
        next.attempt = detail.nextAttempt ?? event.attempt
        next.firstDueAt = event.firstDueAt ?? recordTime
        next.isForwarded = false
        if detail.outcome == .retrying { next.history.append(failure) }
        return next
    }

    /// The event as its dead letter keeps it: with this turn's failure as the last of its history.
    public func lastTurn(of event: TaskEvent) -> TaskEvent {
        var last = event
        last.history.append(failure)
        return last
    }

    private var failure: AttemptFailure {
        AttemptFailure(
            attempt: attempt, turn: coordinate.turn, replay: coordinate.replay, at: detail.endedAt ?? .epoch,
            worker: worker, code: detail.code ?? "error", message: detail.message ?? "")
    }
}
