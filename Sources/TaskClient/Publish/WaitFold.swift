public import TaskModel

/// How an event ended: its last word in the ledger.
public struct EventEnd: Hashable, Sendable {
    public var coordinate: Coordinate
    /// Never one of the `again` outcomes.
    public var outcome: Outcome
    public var attempt: UInt32
    /// Worker id and boot nonce; of a cancel by a client, its author.
    public var worker: String
    public var detail: OutcomeDetail
    /// The broker's time of the decision.
    public var decidedAt: Timestamp
    /// It was decided before this wait's event was published: an equal event had ended already.
    public var wasDecidedBefore: Bool

    public var isCompleted: Bool { outcome == .completed }
}

/// A step on the way to the end.
public struct WaitProgress: Hashable, Sendable {
    public var coordinate: Coordinate
    public var attempt: UInt32
    public var worker: String
    /// `retrying` or `snoozed`, with the delay to the next turn and the error.
    public var detail: OutcomeDetail
}

/// What became of a wait.
public enum WaitResult: Hashable, Sendable {
    case ended(EventEnd)
    case timedOut
}

/// Follows one event through the ledger, as a value. A replay that is newer than the one asked for counts as well.
struct WaitFold: Sendable {
    enum Step: Hashable, Sendable {
        case progress(WaitProgress)
        case end(EventEnd)
    }

    let fingerprint: Fingerprint
    let replay: UInt32
    /// The ledger partition's end before the event was published.
    let publishedBefore: Int64?
    private var lastSeen: (replay: UInt32, turn: UInt32)?

    init(fingerprint: Fingerprint, replay: UInt32, publishedBefore: Int64?) {
        self.fingerprint = fingerprint
        self.replay = replay
        self.publishedBefore = publishedBefore
    }

    /// What this record means to the one who waits; nil for notes, repetitions and other events.
    mutating func handle(_ record: LedgerRecord, offset: Int64, at time: Timestamp) -> Step? {
        let coordinate = record.coordinate
        guard coordinate.fingerprint == fingerprint, coordinate.replay >= replay,
            case .outcome(let detail) = record.body
        else { return nil }
        if detail.outcome.outcomeClass != .again {
            return .end(
                EventEnd(
                    coordinate: coordinate, outcome: detail.outcome, attempt: record.attempt, worker: record.worker,
                    detail: detail, decidedAt: time, wasDecidedBefore: publishedBefore.map { offset < $0 } ?? false))
        }
        if let lastSeen, (coordinate.replay, coordinate.turn) <= lastSeen { return nil }
        lastSeen = (coordinate.replay, coordinate.turn)
        return .progress(
            WaitProgress(coordinate: coordinate, attempt: record.attempt, worker: record.worker, detail: detail))
    }
}
