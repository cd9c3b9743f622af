internal import TaskLog
internal import TaskModel

/// Where one unsettled record stands.
enum TurnStage: Hashable, Sendable {
    /// An earlier record of this fingerprint is unsettled; it is judged again after that one.
    case waiting
    case ready
    /// Its `started` note is on the way.
    case noting
    case running(AttemptID)
    case settling(SettleMachine)
    /// On its way to the right partition.
    case forwarding
    /// Another worker finishes it, until this uptime unless it renews.
    case leased(until: Int64)
}

/// An unsettled record: a hole.
struct Turn: Hashable, Sendable {
    var event: TaskEvent
    /// Broker time of the record.
    var recordTime: Timestamp
    var place: RecordPlace
    /// Key and headers of a record that could not be read.
    var raw: DeadLetter.RawRecord?
    var stage: TurnStage
    /// Set when its start must be noted first.
    var suspicion: Suspicion?
    var byteCount: Int

    var firstDue: Timestamp { event.firstDueAt ?? recordTime }
}

/// An assigned due partition.
struct PartitionState: Sendable {
    enum Phase: Hashable, Sendable {
        case restoring
        case open
        /// The operator has to say where to start.
        case stopped
    }

    let due: TopicPartition
    let ledger: TopicPartition
    let queue: String
    let epoch: Int64
    var phase = Phase.restoring
    var tracker = OffsetTracker(start: 0)
    var turns: [Int64: Turn] = [:]
    /// Unsettled offsets of each fingerprint, ascending.
    var offsets: [Fingerprint: [Int64]] = [:]
    /// What the last commit says of offsets above the watermark.
    var committedHoles: CommittedHoles?
    /// Offsets below are suspects, while `suspectsLeft` lasts.
    var suspectEnd: Int64 = 0
    var suspectsLeft = 0
    var lastCommit: CommittedOffset?
    var needsCommit = false
    var bufferedBytes = 0
    var isPaused = false
    /// Broker time at the watermark.
    var watermarkTime = Timestamp.epoch

    func place(_ offset: Int64) -> TurnPlace { TurnPlace(partition: due, epoch: epoch, offset: offset) }
}

/// The holes of a commit, ready for look-ups.
struct CommittedHoles: Sendable {
    let highMark: Int64
    private let holes: Set<Int64>

    init(_ metadata: CommitMetadata) {
        highMark = metadata.highMark
        holes = Set(metadata.holes)
    }

    func isSettled(_ offset: Int64) -> Bool { offset < highMark && !holes.contains(offset) }
}

/// The ledger of one partition, owned now or lately.
struct LedgerState: Sendable {
    var fold: LedgerFold
    /// The next offset that was not applied yet.
    var position: Int64
    /// Nil while the partition is owned; else the uptime at which the state is dropped.
    var expiresAt: Int64?
}

/// A running attempt.
struct Attempt: Sendable {
    /// Whose the turn is.
    enum Standing: Hashable, Sendable {
        case owned
        /// The partition went: the attempt lives on its lease.
        case departed(Departure)
    }

    struct Departure: Hashable, Sendable {
        /// Uptime at which the last acknowledged lease note was sent; nil before the first acknowledgement.
        var leaseSentAt: Int64?
        /// Uptime of the hand-off: the bound before any note is acknowledged.
        var since: Int64
        /// Uptime of the next renewal.
        var renewAt: Int64
        /// The lease ran out (or never was): only `completed` may still be appended.
        var isExpired = false
    }

    enum CancelReason: Hashable, Sendable {
        case timeout
        /// The ledger has decided the turn: cancelled by a person, or completed by another worker.
        case decidedElsewhere
        case leaseExpired
        case shutdown
    }

    let id: AttemptID
    var turn: Turn
    let due: TopicPartition
    let ledger: TopicPartition
    let queue: String
    var epoch: Int64
    let offset: Int64
    let startedAt: Timestamp
    /// Uptime.
    let deadline: Int64
    var standing = Standing.owned
    var cancelReason: CancelReason?
}
