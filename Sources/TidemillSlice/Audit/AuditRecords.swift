import TaskModel

/// One replay of one piece of work: what must come to exactly one end.
struct WorkKey: Hashable, Sendable, Comparable, CustomStringConvertible {
    var fingerprint: Fingerprint
    var replay: UInt32

    init(_ fingerprint: Fingerprint, replay: UInt32 = 0) {
        self.fingerprint = fingerprint
        self.replay = replay
    }

    init(_ coordinate: Coordinate) { self.init(coordinate.fingerprint, replay: coordinate.replay) }

    static func < (left: WorkKey, right: WorkKey) -> Bool {
        (left.fingerprint, left.replay) < (right.fingerprint, right.replay)
    }

    var description: String { "\(fingerprint.hex)/\(replay)" }
}

/// An outcome as the ledger holds it. Two equal ones are one statement that was sent twice.
struct LedgerStatement: Hashable, Sendable {
    var coordinate: Coordinate
    var outcome: Outcome
    /// Worker id and boot nonce.
    var worker: String
    /// When the attempt ended, by the worker's clock; nil when none ran.
    var endedAt: Timestamp?
}

/// A record of `retry` that is no tombstone: not to be emitted before `dueTime`.
struct WaitingRecord: Hashable, Sendable {
    var coordinate: Coordinate
    var dueTime: Timestamp
}

/// A record of a due topic.
struct Emission: Hashable, Sendable {
    var coordinate: Coordinate
    /// The broker's.
    var time: Timestamp
    /// Of a schedule's event.
    var fire: Fire?

    struct Fire: Hashable, Sendable {
        var schedule: String
        var nominal: Timestamp
    }
}

/// One run of a handler, from the journal of the process that ran it.
struct Execution: Hashable, Sendable {
    var coordinate: Coordinate
    var attempt: UInt32
    /// Worker id and boot nonce.
    var worker: String
    var processID: Int32
    var start: Timestamp
    /// Nil: the process ended (or was stopped) before the handler did.
    var end: Timestamp?
    var result: ExecutionLine.Result?
}

/// What was done to a process.
enum Intervention: String, Hashable, Sendable {
    /// SIGKILL, or it ended itself without notice.
    case killed
    /// SIGTERM.
    case terminated
    /// SIGSTOP, later SIGCONT.
    case suspended
}

/// All that an audit looks at.
struct AuditInput: Sendable {
    /// Fingerprints whose publish was acknowledged.
    var accepted: Set<Fingerprint> = []
    /// Outcomes, in the order of their partitions.
    var statements: [LedgerStatement] = []
    var letters: Set<DeadLetterKey> = []
    var marks: [DeadLetterKey: DeadLetterMark.Kind] = [:]
    /// Everything that ever waited.
    var waiting: [WaitingRecord] = []
    /// What still lies in `retry` without a tombstone.
    var stillWaiting: Set<Coordinate> = []
    var emissions: [Emission] = []
    var executions: [Execution] = []
    var interventions: [Int32: Intervention] = [:]
    /// With their times, where they are known: then these are what may explain a repetition.
    var faults: [FaultWindow]?
    /// When the first end of each piece of work could be read, by the machine's clock.
    var endReadAt: [WorkKey: Timestamp] = [:]
    var schedules: [ScheduleRange] = []
    /// Times before which accepted events were not to start, as their publisher counted them.
    var plannedStarts: [Fingerprint: Timestamp] = [:]
    /// Of all events, where they share one: no retry comes sooner than it allows, whatever the log says.
    var retryPolicy: RetryPolicy?

    /// Open dead letters: nobody has replayed, discarded or resolved them.
    var openLetters: Set<DeadLetterKey> { letters.filter { marks[$0] == nil } }
}
