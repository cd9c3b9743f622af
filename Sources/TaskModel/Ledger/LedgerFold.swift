/// A decision that is in the ledger: the coordinate, and all that its effect needs.
public struct Decision: Hashable, Sendable {
    public var coordinate: Coordinate
    public var attempt: UInt32
    public var worker: String
    public var laneHash: UInt32?
    public var detail: OutcomeDetail

    public init(coordinate: Coordinate, attempt: UInt32, worker: String, laneHash: UInt32?, detail: OutcomeDetail) {
        self.coordinate = coordinate
        self.attempt = attempt
        self.worker = worker
        self.laneHash = laneHash
        self.detail = detail
    }

    public var record: LedgerRecord {
        LedgerRecord(
            coordinate: coordinate, attempt: attempt, laneHash: laneHash, worker: worker, body: .outcome(detail))
    }
}

/// What the notes say about a turn that is not decided.
public struct TurnNotes: Hashable, Sendable {
    public var coordinate: Coordinate
    /// The last note that counts: a lease is over once the turn was released.
    public var lease: Lease?
    /// Starts of this turn that nobody has ended: after a takeover, lost ones. A process has at most one: a note that was
    /// appended twice is one start, and who starts again has not died of the first. Only its own release takes it back.
    public private(set) var openStarts: [Start] = []
    /// It was asked to end, for this event of its lane: whatever becomes of its attempt, it is not run again.
    public var displacedBy: Fingerprint?

    public struct Start: Hashable, Sendable {
        public var worker: String
        public var isAlone: Bool
    }

    public init(coordinate: Coordinate) { self.coordinate = coordinate }

    public var starts: Int { openStarts.count }
    /// Those that were alone among suspects.
    public var aloneStarts: Int { openStarts.count { $0.isAlone } }

    mutating func start(by worker: String, alone: Bool) {
        guard !openStarts.contains(where: { $0.worker == worker }) else { return }
        openStarts.append(Start(worker: worker, isAlone: alone))
    }

    /// A zombie's word ends neither another worker's lease nor its start.
    mutating func release(by worker: String) {
        if lease?.holder == worker { lease = nil }
        openStarts.removeAll { $0.worker == worker }
    }
}

/// What the ledger says of an event that is about to start.
public enum Verdict: Hashable, Sendable {
    /// Not decided: it may run. Notes of this very turn, if any.
    case run(TurnNotes?)
    /// Its own turn, or its death at an earlier one, is decided and may lack its effect: do that (again), never run it.
    case redo(Decision)
    /// Settled by what the ledger knows; nothing is to be done.
    case stale(Outcome)
}

/// The ledger of one partition, folded: per fingerprint the maximum by (replay, class, turn, outcome).
///
/// A total order, so writers, their order and repetition do not matter: a zombie cannot lower it, completed is never
/// forgotten. Notes concern an undecided turn only. It is a value: the same records give the same fold.
public struct LedgerFold: Sendable {
    /// Entries above which the oldest leave before the window does.
    public var maximumEntries: Int
    /// Dead decisions kept for a redo. Beyond it the oldest loses its text, never its outcome.
    public static let maximumDeadDetails = 4096

    private struct OpenEntry: Sendable {
        var decision: Decision?
        var notes: TurnNotes?
        var laneHash: UInt32?
        var time: Timestamp
    }

    private var decided = DecidedTable()
    private var open: [Fingerprint: OpenEntry] = [:]
    private var lanes: [UInt32: Set<Fingerprint>] = [:]
    private var deadDetails: [Fingerprint: Decision] = [:]
    private var deadOrder: [Fingerprint] = []
    private var lateCompletions: Set<DeadLetterKey> = []
    /// Outcomes before this broker time may have left.
    public private(set) var completeSince: Timestamp?

    public init(maximumEntries: Int = 1_000_000) { self.maximumEntries = maximumEntries }

    public var decidedCount: Int { decided.count }
    public var openCount: Int { open.count }
    public var decidedByteCount: Int { decided.byteCount }

    /// What applying a record changed.
    public enum Change: Hashable, Sendable {
        /// Nothing: it was known, or lower than what is known.
        case none
        /// The entry rose to the record's outcome.
        case raised
        /// A note about an undecided turn.
        case noted
    }

    /// Folds one record in. `time` is the record's broker time.
    public mutating func apply(_ record: LedgerRecord, time: Timestamp) -> Change {
        switch record.body {
        case .outcome(let detail):
            return apply(
                Decision(
                    coordinate: record.coordinate, attempt: record.attempt, worker: record.worker,
                    laneHash: record.laneHash, detail: detail), time: time)
        case .leased(let lease): return note(record, time: time) { $0.lease = lease }
        case .released: return note(record, time: time) { $0.release(by: record.worker) }
        case .started(let alone): return note(record, time: time) { $0.start(by: record.worker, alone: alone) }
        case .displaced(let other): return note(record, time: time) { $0.displacedBy = other }
        }
    }

    /// Folds the record of a decision in.
    public mutating func apply(_ decision: Decision, time: Timestamp) -> Change {
        let fingerprint = decision.coordinate.fingerprint
        let place = decided.place(of: fingerprint)
        let known = outcome(at: place)
        if let known {
            let (was, came) = (known.outcome, decision.detail.outcome)
            let isLate = (was == .dead && came == .completed) || (was == .completed && came == .dead)
            if isLate, known.replay == decision.coordinate.replay {
                lateCompletions.insert(DeadLetterKey(fingerprint: fingerprint, replay: known.replay))
            }
            let old = OutcomeRank(was, replay: known.replay, turn: known.turn)
            let new = OutcomeRank(came, replay: decision.coordinate.replay, turn: decision.coordinate.turn)
            if new == old, var entry = open[fingerprint] {
                entry.time = max(entry.time, time)
                open[fingerprint] = entry
            }
            guard old < new else { return .none }
        }
        if decision.detail.outcome.outcomeClass == .again {
            decided[place] = nil
            let notes = open[fingerprint]?.notes.flatMap { $0.coordinate > decision.coordinate ? $0 : nil }
            drop(fingerprint)
            insert(
                fingerprint,
                OpenEntry(decision: decision, notes: notes, laneHash: decision.laneHash, time: time))
        } else {
            // A later replay may be noted already: a zombie's outcome of this one must not end its lease.
            let later = open[fingerprint].flatMap { entry in
                entry.notes.map { $0.coordinate.replay > decision.coordinate.replay } == true ? entry : nil
            }
            drop(fingerprint)
            if var later {
                later.decision = nil
                insert(fingerprint, later)
            }
            decided[place] = DecidedTable.Entry(
                outcome: decision.detail.outcome, replay: decision.coordinate.replay, turn: decision.coordinate.turn,
                time: time)
            if decision.detail.outcome == .dead { keepDeadDetail(decision) }
        }
        return .raised
    }

    /// Whether ``takeLateCompletions()`` has something to give.
    public var hasLateCompletions: Bool { !lateCompletions.isEmpty }

    /// The replays that the ledger knows both as dead and as completed, in whichever order, since the last call: a letter
    /// may stand open against a completion. The owner asks after a restore and after each record, its own ones too, and
    /// appends `resolved`. A crash before that is harmless: the next owner finds them again.
    public mutating func takeLateCompletions() -> [DeadLetterKey] {
        guard !lateCompletions.isEmpty else { return [] }
        defer { lateCompletions = [] }
        return lateCompletions.sorted { ($0.fingerprint, $0.replay) < ($1.fingerprint, $1.replay) }
    }

    /// What is to be done with an event of this coordinate.
    public func judge(_ coordinate: Coordinate) -> Verdict {
        if let entry = decided[coordinate.fingerprint], coordinate.replay <= entry.replay {
            // A later turn exists because somebody else decided the dead one as `again`, and passed its offset. If the one
            // who decided its death then stopped short of the letter, this turn is the last that can write it.
            let mayLackLetter =
                entry.outcome == .dead && entry.replay == coordinate.replay && entry.turn <= coordinate.turn
            guard mayLackLetter else { return .stale(entry.outcome) }
            return .redo(
                deadDecision(
                    Coordinate(fingerprint: coordinate.fingerprint, replay: entry.replay, turn: entry.turn)))
        }
        // Most of the time nothing is open, and not even the look-up's hash is due.
        guard !open.isEmpty, let entry = open[coordinate.fingerprint] else { return .run(nil) }
        if let decision = entry.decision {
            let known = (decision.coordinate.replay, decision.coordinate.turn)
            if (coordinate.replay, coordinate.turn) == known { return .redo(decision) }
            if (coordinate.replay, coordinate.turn) < known { return .stale(decision.detail.outcome) }
        }
        return .run(entry.notes?.coordinate == coordinate ? entry.notes : nil)
    }

    /// The known outcome of a fingerprint with its replay and turn, whatever its class.
    public func outcome(of fingerprint: Fingerprint) -> (outcome: Outcome, replay: UInt32, turn: UInt32)? {
        outcome(at: decided.place(of: fingerprint))
    }

    private func outcome(at place: DecidedTable.Place) -> (outcome: Outcome, replay: UInt32, turn: UInt32)? {
        if let entry = decided[place] { return (entry.outcome, entry.replay, entry.turn) }
        guard !open.isEmpty, let decision = open[place.fingerprint]?.decision else { return nil }
        return (decision.detail.outcome, decision.coordinate.replay, decision.coordinate.turn)
    }

    /// What the ledger knows of an event that is open.
    public struct OpenWork: Hashable, Sendable {
        public var fingerprint: Fingerprint
        /// Its last turn was decided so, and the next one waits in `retry` or has been emitted; nil before that.
        public var decision: Decision?
        public var notes: TurnNotes?
    }

    /// The open events of a lane, but for one, in the order of their fingerprints.
    public func open(inLane laneHash: UInt32, besides fingerprint: Fingerprint) -> [OpenWork] {
        guard let members = lanes[laneHash] else { return [] }
        return members.filter { $0 != fingerprint }.sorted().map {
            OpenWork(fingerprint: $0, decision: open[$0]?.decision, notes: open[$0]?.notes)
        }
    }

    /// The effect of this fingerprint's death is done: its text need not be kept.
    public mutating func forgetDeadDetail(_ fingerprint: Fingerprint) { deadDetails[fingerprint] = nil }

    /// Drops outcomes older than `cutoff`, and the oldest beyond the maximum. Returns the open decisions older than
    /// `refreshBefore`: the owner appends them anew, so that the log's retention does not lose them.
    public mutating func evict(before cutoff: Timestamp, refreshBefore: Timestamp) -> [Decision] {
        var limit = cutoff
        if decided.count > maximumEntries {
            // Aim an eighth below the maximum, so that this pass is rare.
            let excess = Double(decided.count - maximumEntries * 7 / 8) / Double(decided.count)
            if let byCount = decided.age(ofOldest: excess) { limit = max(limit, byCount + DecidedTable.timeStep) }
        }
        if decided.evict(before: limit) > 0 || completeSince != nil {
            completeSince = max(completeSince ?? limit, limit)
        }
        var refresh: [Decision] = []
        for (fingerprint, entry) in open where entry.time < refreshBefore {
            if let decision = entry.decision {
                refresh.append(decision)
            } else if entry.time < cutoff {
                drop(fingerprint)
            }
        }
        return refresh.sorted { $0.coordinate < $1.coordinate }
    }

    private mutating func note(_ record: LedgerRecord, time: Timestamp, _ change: (inout TurnNotes) -> Void) -> Change {
        guard case .run(let known) = judge(record.coordinate) else { return .none }
        let fingerprint = record.coordinate.fingerprint
        var entry = open[fingerprint] ?? OpenEntry(laneHash: record.laneHash, time: time)
        // A note of an older turn than one already noted says nothing.
        if let noted = entry.notes, noted.coordinate > record.coordinate { return .none }
        var notes = known ?? TurnNotes(coordinate: record.coordinate)
        change(&notes)
        entry.notes = notes
        entry.time = max(entry.time, time)
        insert(fingerprint, entry)
        return .noted
    }

    private mutating func insert(_ fingerprint: Fingerprint, _ entry: OpenEntry) {
        open[fingerprint] = entry
        if let lane = entry.laneHash { lanes[lane, default: []].insert(fingerprint) }
    }

    private mutating func drop(_ fingerprint: Fingerprint) {
        guard !open.isEmpty, let lane = open.removeValue(forKey: fingerprint)?.laneHash else { return }
        lanes[lane]?.remove(fingerprint)
        if lanes[lane]?.isEmpty == true { lanes[lane] = nil }
    }

    private mutating func keepDeadDetail(_ decision: Decision) {
        let fingerprint = decision.coordinate.fingerprint
        if deadDetails.updateValue(decision, forKey: fingerprint) == nil { deadOrder.append(fingerprint) }
        guard deadOrder.count > Self.maximumDeadDetails else { return }
        // Down to three quarters, so that a ledger full of dead ones is not swept at each of them.
        deadOrder = deadOrder.filter { deadDetails[$0] != nil }
        let excess = deadOrder.count - Self.maximumDeadDetails * 3 / 4
        guard excess > 0 else { return }
        for fingerprint in deadOrder.prefix(excess) { deadDetails[fingerprint] = nil }
        deadOrder.removeFirst(excess)
    }

    private func deadDecision(_ coordinate: Coordinate) -> Decision {
        if let known = deadDetails[coordinate.fingerprint], known.coordinate == coordinate { return known }
        return Decision(
            coordinate: coordinate, attempt: 0, worker: "", laneHash: nil,
            detail: OutcomeDetail(
                .dead, deathReason: .attemptsExhausted, code: "unknown",
                message: "the error is in the ledger record of this turn"))
    }
}
