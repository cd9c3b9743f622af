public import TaskModel

/// All that the log knows of one piece of work: what happened, in order, and where it is now.
///
/// A fold of records, without any I/O. It knows only what the topics still keep: `due` until it is trimmed, `ledger`
/// three dedup windows, `retry` what is not compacted away, `dead` and `journal` for their retention.
public struct EventStory: Hashable, Sendable {
    /// One thing that happened.
    public enum Fact: Hashable, Sendable {
        /// A turn was put into its queue: the first one, a later one, or a replay.
        case due(EventSummary)
        /// A turn waits for its time (a retry, `--delay`, `--at`).
        case waiting(EventSummary, until: Timestamp)
        /// The scheduler emitted the waiting turn, or dropped it after a cancel.
        case waitEnded
        case cancelRequested
        case outcome(OutcomeDetail, attempt: UInt32, worker: String)
        /// A worker that lost the partition goes on with the turn.
        case leased(Lease)
        /// A worker that stopped gave the turn back.
        case released(worker: String)
        case started(worker: String)
        /// Its runner was asked to end it for another event of its lane.
        case displaced(by: Fingerprint, worker: String)
        case deadLetter(DeathReason, lastFailure: AttemptFailure?)
        case marked(DeadLetterMark)
        /// A note of the journal: a decision with its author and reason.
        case journal(JournalEntry)
    }

    public struct Entry: Hashable, Sendable {
        /// The broker's time.
        public var at: Timestamp
        public var place: RecordPlace
        /// Nil where the record speaks of the event as such, as the journal does.
        public var replay: UInt32?
        /// Nil where the record speaks of a whole replay.
        public var turn: UInt32?
        public var fact: Fact
    }

    /// Where the work is now.
    public enum State: Hashable, Sendable {
        /// The log keeps nothing of it.
        case unknown
        /// In its queue, not settled yet: it waits for a worker or runs.
        case due(since: Timestamp)
        /// A note says that this worker runs it.
        case running(worker: String, since: Timestamp)
        case waiting(until: Timestamp)
        /// Decided to be tried again after `delay`; the record of its wait is not seen (being written, or compacted away).
        case again(delay: Int64?, since: Timestamp)
        case completed(at: Timestamp)
        case dead(DeathReason?, LetterState)
        case cancelled(at: Timestamp)
        case expired(at: Timestamp)
        case skipped(at: Timestamp)
    }

    public let fingerprint: Fingerprint
    /// Oldest first, by broker time.
    public let entries: [Entry]
    public let state: State
    /// What is known of the event itself, from its newest record that carries it.
    public let event: EventSummary?
    /// More records of this fingerprint exist than were read.
    public let isTruncated: Bool

    /// The highest turn that any record speaks of; what a cancel must outdo.
    public let latest: Coordinate?

    /// Whether no worker will do anything more about it by itself.
    public var hasEnded: Bool {
        switch state {
        case .completed, .dead, .cancelled, .expired, .skipped: true
        case .unknown, .due, .running, .waiting, .again: false
        }
    }
}

/// An event without its payload and headers.
public struct EventSummary: Hashable, Sendable {
    public var coordinate: Coordinate
    public var attempt: UInt32
    public var task: String
    public var queue: String
    public var key: String?
    public var source: String
    public var id: String
    public var payloadBytes: Int
    public var contentType: String?
    public var publishedAt: Timestamp?
    public var expiresAt: Timestamp?
    public var scheduleID: String?
    public var nominalTime: Timestamp?
    public var isForwarded: Bool

    public init(_ event: TaskEvent, queue: String) {
        coordinate = event.coordinate
        attempt = event.attempt
        task = event.task
        self.queue = queue
        key = event.partitionKey
        source = event.source
        id = event.id
        payloadBytes = event.payload.count
        contentType = event.contentType
        publishedAt = event.publishedAt
        expiresAt = event.expiresAt
        scheduleID = event.scheduleID
        nominalTime = event.nominalTime
        isForwarded = event.isForwarded
    }
}
