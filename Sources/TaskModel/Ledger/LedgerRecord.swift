/// A record of a `ledger.<queue>` topic: an outcome of a turn, or a note about a turn that is not decided yet.
///
/// The key is the fingerprint; the value is the binary form of ``LedgerRecord/encoded()`` (see `schemas/ledger-v1.md`).
/// An outcome holds all that its effect needs, so that whoever owns the offset can do it (again) from the log alone.
public struct LedgerRecord: Hashable, Sendable {
    public enum Body: Hashable, Sendable {
        case outcome(OutcomeDetail)
        /// A worker that lost the partition goes on with this turn; see ``Lease``.
        case leased(Lease)
        /// A worker that stops gave the turn back unfinished: the next owner starts the same turn at once.
        case released
        /// A suspect is about to start; `alone` when no other suspect runs in that process.
        case started(alone: Bool)
        /// Whoever runs it is asked to end it, for this event of its lane (``OverlapRule/cancelOther``).
        case displaced(by: Fingerprint)
    }

    public var coordinate: Coordinate
    public var attempt: UInt32
    /// 32 bits of the lane key, when the event has one.
    public var laneHash: UInt32?
    /// Worker id, with its boot nonce: `host-1/4f2a91c3`.
    public var worker: String
    public var body: Body

    public init(coordinate: Coordinate, attempt: UInt32, laneHash: UInt32?, worker: String, body: Body) {
        self.coordinate = coordinate
        self.attempt = attempt
        self.laneHash = laneHash
        self.worker = worker
        self.body = body
    }
}

/// An outcome with what its effect needs.
public struct OutcomeDetail: Hashable, Sendable {
    public var outcome: Outcome
    /// Milliseconds to the next turn, counted from the broker time of the retry record; for `again` outcomes.
    public var delay: Int64?
    /// The attempt number of the next turn (a snooze keeps it); for `again` outcomes.
    public var nextAttempt: UInt32?
    /// Why it died; for `dead`.
    public var deathReason: DeathReason?
    /// When the attempt started and ended, by the worker's clock.
    public var startedAt: Timestamp?
    public var endedAt: Timestamp?
    /// The failure, or the reason of a cancel or skip.
    public var code: String?
    public var message: String?

    public init(
        _ outcome: Outcome, delay: Int64? = nil, nextAttempt: UInt32? = nil, deathReason: DeathReason? = nil,
        startedAt: Timestamp? = nil, endedAt: Timestamp? = nil, code: String? = nil, message: String? = nil
    ) {
        self.outcome = outcome
        self.delay = delay
        self.nextAttempt = nextAttempt
        self.deathReason = deathReason
        self.startedAt = startedAt
        self.endedAt = endedAt
        self.code = code
        self.message = message?.truncated(toUTF8Bytes: FailureHistory.maximumMessageBytes)
    }
}

/// The right of a worker to finish an attempt after its partition went to another.
public struct Lease: Hashable, Sendable {
    /// Worker id and boot nonce of the holder.
    public var holder: String
    /// Milliseconds. The owner counts them from the moment it reads the note, the holder from the sending: no clocks are compared.
    public var length: Int64

    public init(holder: String, length: Int64) {
        self.holder = holder
        self.length = length
    }
}
