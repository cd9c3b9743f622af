public import TaskModel

/// Which nominal times of a schedule to make up for, and how.
public struct BackfillOrder: Hashable, Sendable {
    public var scheduleID: String
    /// Nominal times in `from ..< to`, as far as they have passed.
    public var from: Timestamp
    public var to: Timestamp
    /// Nil: the events are those that the schedule makes by itself, so what ran is not repeated. A label: they are new
    /// work under a name of its own, and the same label goes on where a backfill stopped.
    public var label: String?
    /// Latest first.
    public var isReversed = false
    /// Events a second; nil is as fast as the log takes them.
    public var rate: Double?
    /// Most events of this backfill that are open (published, and not ended) at once; nil is no limit.
    public var concurrency: Int?
    public var author: String
    public var reason: String

    public init(scheduleID: String, from: Timestamp, to: Timestamp, author: String, reason: String = "") {
        self.scheduleID = scheduleID
        self.from = from
        self.to = to
        self.author = author
        self.reason = reason
    }

    /// The identity of the event of a nominal time.
    func fingerprint(of nominal: Timestamp) -> Fingerprint {
        guard let label else { return Fingerprint(.scheduled(scheduleID: scheduleID, nominalTime: nominal)) }
        return Fingerprint(.event(source: BackfillPlan.source, id: "\(scheduleID)@\(nominal.rfc3339)#\(label)"))
    }
}

/// What a backfill does, nominal time by nominal time.
public struct BackfillPlan: Hashable, Sendable {
    public enum Action: String, Hashable, Sendable, CaseIterable {
        /// Its event is published: it never was, or it was passed over (skipped, expired).
        case publish
        /// Its event ran.
        case ran
        /// Its event is on its way: due, running, or waiting for a retry.
        case open
        /// It failed for good; replay its dead letter.
        case dead
        /// Somebody cancelled it.
        case cancelled
    }

    public struct Item: Hashable, Sendable {
        public var nominal: Timestamp
        public var fingerprint: Fingerprint
        /// Above 0 where its event was passed over before.
        public var replay: UInt32
        public var action: Action
    }

    public var spec: ScheduleSpec
    /// In the order in which they are dealt with.
    public var items: [Item]
    /// The ledger's end when this was planned: decisions from there on are still to be read.
    var ledgerEnd: Int64 = 0

    static let source = "tidemill/backfill"
    /// More nominal times are refused.
    public static let maximumItems = 100_000

    public func count(_ action: Action) -> Int { items.count { $0.action == action } }
}

/// How far a backfill has come.
public struct BackfillProgress: Hashable, Sendable {
    /// Events published, of those to publish.
    public var published: Int
    public var total: Int
    /// Events of this backfill that have not ended, as far as they are followed.
    public var open: Int
}

/// What is known of the event of a nominal time before a backfill. Pure.
struct BackfillKnowledge: Sendable {
    private struct Decided {
        var coordinate: Coordinate
        var outcome: Outcome

        var rank: OutcomeRank { OutcomeRank(outcome, replay: coordinate.replay, turn: coordinate.turn) }
    }

    private var decided: [Fingerprint: Decided] = [:]
    /// When the journal says that it was made, and that a worker passed it over.
    private var made: [Fingerprint: Timestamp] = [:]
    private var passedOver: Set<Fingerprint> = []

    mutating func add(_ record: LedgerRecord) {
        guard case .outcome(let detail) = record.body else { return }
        let new = Decided(coordinate: record.coordinate, outcome: detail.outcome)
        let fingerprint = record.coordinate.fingerprint
        if let known = decided[fingerprint], new.rank <= known.rank { return }
        decided[fingerprint] = new
    }

    mutating func add(_ entry: JournalEntry) {
        guard let fingerprint = entry.fingerprint else { return }
        switch entry.kind {
        case .fired: made[fingerprint] = entry.at
        case .skipped: passedOver.insert(fingerprint)
        default: break
        }
    }

    /// `ledgerStart`: decisions since then are all known.
    func action(for fingerprint: Fingerprint, ledgerStart: Timestamp) -> (BackfillPlan.Action, replay: UInt32) {
        if let known = decided[fingerprint] {
            let replay = known.coordinate.replay
            switch known.outcome {
            case .completed: return (.ran, replay)
            case .retrying, .snoozed: return (.open, replay)
            case .dead: return (.dead, replay)
            case .cancelled: return (.cancelled, replay)
            case .skipped, .expired: return (.publish, replay + 1)
            }
        }
        guard let made = made[fingerprint], !passedOver.contains(fingerprint) else { return (.publish, 0) }
        return (made >= ledgerStart ? .open : .ran, 0)
    }
}
