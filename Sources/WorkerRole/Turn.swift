internal import TaskLog
internal import TaskModel

/// Where one unsettled record stands.
enum TurnStage: Hashable, Sendable {
    /// An earlier record of this fingerprint is unsettled, or the turn is about to be judged again.
    case waiting
    case ready
    /// Other events of its lane come first, by its overlap rule.
    case buffered
    /// Its `started` note is on the way.
    case noting
    case running(AttemptID)
    /// Boxed, for its decision is large and a turn is copied often.
    indirect case settling(SettleMachine)
    /// On its way to the right partition.
    case forwarding
    /// Another worker finishes it, until this uptime unless it renews.
    case leased(until: Int64)
}

/// What a record says, which never changes. A class, so that a turn is moved for the price of one reference.
package final class TurnFacts: Sendable {
    let event: TaskEvent
    let coordinate: Coordinate
    /// Broker time of the record.
    let recordTime: Timestamp
    let place: RecordPlace
    /// Key and headers of a record that could not be read.
    let raw: DeadLetter.RawRecord?
    let byteCount: Int
    /// Of the key that says which partition it belongs to.
    let keyHash: UInt32
    // What is asked at every step of a turn lies here: the event keeps it with what most events lack.
    let hasLane: Bool
    let expiresAt: Timestamp?
    /// It is the first turn of an event that may have to stand back in its lane; later ones were let in.
    let obeysOverlapRule: Bool

    /// Reads a record. What cannot be read becomes a turn of a stand-in event, identified by its place.
    init(_ record: LogRecord) {
        place = RecordPlace(topic: record.topic, partition: record.partition, offset: record.offset)
        recordTime = record.timestamp
        byteCount = (record.value?.count ?? 0) + 512
        do {
            var event = try TaskEvent(key: record.key, value: record.value, headers: record.headers, place: place)
            // A foreign client that sets only Kafka's key means the lane by it.
            if event.partitionKey == nil, let key = record.key, !key.isEmpty,
                Fingerprint(bytes: key) != event.fingerprint
            {
                event.partitionKey = String(validating: key, as: UTF8.self)
            }
            self.event = event
            raw = nil
        } catch {
            event = TaskEvent(
                id: place.description, source: "kafka", task: "", payload: record.value ?? [],
                fingerprint: Fingerprint(
                    .place(topic: record.topic, partition: record.partition, offset: record.offset)))
            raw = DeadLetter.RawRecord(key: record.key, headers: record.headers, problem: error.description)
        }
        coordinate = event.coordinate
        keyHash = event.recordKeyHash
        hasLane = event.partitionKey != nil
        expiresAt = event.expiresAt
        obeysOverlapRule =
            (event.overlap != .allow || event.overlapLimit != nil) && event.turn == 1 && event.replay == 0
    }

    var firstDue: Timestamp { event.firstDueAt ?? recordTime }
}

/// An unsettled record: a hole.
struct Turn: Sendable {
    let facts: TurnFacts
    var stage = TurnStage.waiting
    /// Set when its start must be noted first.
    var suspicion: Suspicion?
    /// The log refused the effect as too large: it is written with what is needed and no more.
    var isEffectTrimmed = false

    init(_ facts: TurnFacts) { self.facts = facts }

    /// Its attempt is over for good, only the record of that is on the way.
    var isEnding: Bool {
        guard case .settling(let machine) = stage else { return false }
        switch machine.state {
        case .deciding(let decision), .doing(let decision): return decision.detail.outcome.outcomeClass != .again
        case .undecided: return false
        case .settled: return true
        }
    }
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

    /// Why it was told to end, the weakest first: a stronger reason forbids more, so it replaces a weaker one.
    enum CancelReason: Int, Hashable, Sendable {
        case timeout
        /// Another event of its lane takes its place; see ``Attempt/displacedBy``.
        case displaced
        case shutdown
        case leaseExpired
        /// The ledger has decided the turn: cancelled by a person, or completed by another worker.
        case decidedElsewhere
    }

    let id: AttemptID
    let facts: TurnFacts
    var suspicion: Suspicion?
    /// Of the partition that it started in.
    let slot: Int
    /// Where its record is settled while the attempt is owned.
    var place: TurnPlace
    let startedAt: Timestamp
    /// Uptime.
    let deadline: Int64
    var standing = Standing.owned
    var cancelReason: CancelReason?
    /// The event of its lane that it makes room for.
    var displacedBy: Fingerprint?
}

/// A decision that this worker took and may no longer settle: it stays ours to append until it is acknowledged.
struct DepartedDecision: Hashable, Sendable {
    var append: PendingAppend
    /// Uptime from which it would come too late; nil for `completed`, which is never too late.
    var until: Int64?
}
