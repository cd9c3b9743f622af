internal import TaskLog
internal import TaskModel

/// What becomes of a turn, by the ledger and by what the event says.
extension WorkerStateMachine {
    /// Decides about a turn that nothing of its fingerprint precedes; does nothing when it is not one (any more).
    mutating func judge(_ place: TurnPlace, _ now: WorkerNow) {
        guard let turn = turn(at: place), turn.stage == .waiting || turn.stage == .buffered else { return }
        switch ledgers[place.slot].fold.judge(turn.facts.coordinate) {
        case .stale:
            count(\.stale)
            settled(place)
        case .redo(let decision):
            count(\.redone)
            var machine = SettleMachine()
            perform(machine.decided(decision), machine, place)
        case .run(let notes): prepare(place, turn, notes, now)
        }
    }

    /// The ledger has nothing against it. A misplaced event is moved before anything is decided: only the right
    /// partition's ledger may know of it.
    private mutating func prepare(_ place: TurnPlace, _ turn: Turn, _ notes: TurnNotes?, _ now: WorkerNow) {
        if let raw = turn.facts.raw {
            let detail = OutcomeDetail(
                .dead, deathReason: .undecodable, endedAt: now.wall, code: "undecodable", message: raw.problem)
            return decide(place, turn, detail)
        }
        if forwardIfMisplaced(place, turn, now) || waitForLease(place, turn, notes, now) { return }
        if let newcomer = notes?.displacedBy { return decide(place, turn, displaced(by: newcomer, now)) }
        if let detail = verdictWithoutRunning(turn, now) { return decide(place, turn, detail) }
        if turn.facts.obeysOverlapRule, !enterLane(place, turn, now) { return }
        makeReady(place, turn, notes, now)
    }

    /// The outcomes that need no attempt.
    private func verdictWithoutRunning(_ turn: Turn, _ now: WorkerNow) -> OutcomeDetail? {
        let event = turn.facts.event
        if let detail = expiry(of: turn, now) { return detail }
        guard tasks[event.task] == nil else { return nil }
        return OutcomePolicy(unknownTaskMaxAge: configuration.unknownTaskMaxAge)
            .unknownTask(event: event, firstDue: turn.facts.firstDue, now: now.wall)
    }

    func expiry(of turn: Turn, _ now: WorkerNow) -> OutcomeDetail? {
        guard let expiry = turn.facts.expiresAt, now.wall >= expiry else { return nil }
        return OutcomeDetail(.expired, endedAt: now.wall, code: "expired", message: "expired at \(expiry.rfc3339)")
    }

    private mutating func forwardIfMisplaced(_ place: TurnPlace, _ turn: Turn, _ now: WorkerNow) -> Bool {
        let right = Murmur2.partition(ofHash: turn.facts.keyHash, count: partitions[place.slot].count)
        guard right != turn.facts.place.partition else { return false }
        var event = turn.facts.event
        guard !event.isForwarded else {
            decide(
                place, turn,
                misrouted(turn, "after it was moved; the partition count or the key does not fit", now))
            return true
        }
        event.isForwarded = true
        let body = event.encoded()
        setStage(.forwarding, at: place)
        append(
            .forward(place),
            LogAppend(body, to: TopicPartition(turn.facts.place.topic, right)))
        return true
    }

    func misrouted(_ turn: Turn, _ why: String, _ now: WorkerNow) -> OutcomeDetail {
        OutcomeDetail(
            .dead, deathReason: .misrouted, endedAt: now.wall, code: "misrouted",
            message: "on \(turn.facts.place) \(why)")
    }

    /// Another worker holds a lease on this very turn: wait for its decision. Our own lease coming back re-attaches.
    private mutating func waitForLease(_ place: TurnPlace, _ turn: Turn, _ notes: TurnNotes?, _ now: WorkerNow) -> Bool
    {
        let coordinate = turn.facts.coordinate
        if let id = departed.removeValue(forKey: coordinate) {
            reattach(id, to: place)
            endWord(coordinate)
            return true
        }
        let isDecidedHere = departedDecisions[coordinate] != nil
        guard isDecidedHere || notes?.lease.map({ $0.holder != identity }) == true else { return false }
        waitUnderLease(place, length: notes?.lease?.length ?? configuration.lease, now)
        count(\.leased)
        return true
    }

    /// The turn is another's for so long, counted from now.
    mutating func waitUnderLease(_ place: TurnPlace, length: Int64, _ now: WorkerNow) {
        setStage(.leased(until: now.uptime + length), at: place)
        leaseEnds.insert(LeaseEnd(uptime: now.uptime + length, place: place))
    }

    private mutating func reattach(_ id: AttemptID, to place: TurnPlace) {
        attempts[id]?.standing = .owned
        attempts[id]?.place = place
        setStage(.running(id), at: place)
        count(\.reattached)
    }

    private mutating func makeReady(_ place: TurnPlace, _ turn: Turn, _ notes: TurnNotes?, _ now: WorkerNow) {
        let isSuspect = partitions[place.slot].takeSuspect(place.offset) || (notes?.starts ?? 0) > 0
        guard isSuspect else {
            setStage(.ready, at: place)
            partitions[place.slot].setSuspicion(nil, of: place)
            return ready.append(place, queue: partitions[place.slot].queue)
        }
        let suspicion = Suspicion(notes)
        guard !suspicion.isProven else {
            let detail = OutcomeDetail(
                .dead, deathReason: .workerLost, endedAt: now.wall, code: "worker-lost",
                message: "the process died twice while this event ran alone among suspects "
                    + "(\(suspicion.lostStarts) lost starts)")
            return decide(place, turn, detail)
        }
        setStage(.ready, at: place)
        partitions[place.slot].setSuspicion(suspicion, of: place)
        suspectsReady.append(place)
    }
}
