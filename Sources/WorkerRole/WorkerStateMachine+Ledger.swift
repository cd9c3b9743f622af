internal import TaskLog
internal import TaskModel

/// The ledger is read for as long as a partition is owned: what others append (a zombie, a lease holder, a person who
/// cancels) is obeyed.
extension WorkerStateMachine {
    func ledger(of due: TopicPartition) -> TopicPartition? { slot(of: due).map { partitions[$0].ledger } }

    /// Folds a record in. Nil when it is no ledger record, or was applied before: a scan and the follower may both
    /// bring it, and notes are counted.
    mutating func fold(_ entry: LedgerEntry, into slot: Int) -> (LedgerRecord, LedgerFold.Change)? {
        guard ledgers[slot].isKept, entry.offset >= ledgers[slot].position else { return nil }
        if ledgers[slot].isUntouched {
            ledgers[slot].isUntouched = entry.offset == ledgers[slot].position && entry.record?.isCancel == true
        }
        ledgers[slot].position = entry.offset + 1
        guard let record = entry.record else { return nil }
        return (record, ledgers[slot].fold.apply(record, time: entry.time))
    }

    mutating func tail(_ batches: [LedgerBatch], _ now: WorkerNow) {
        for batch in batches { tail(batch, now) }
    }

    private mutating func tail(_ batch: LedgerBatch, _ now: WorkerNow) {
        guard let slot = slots[batch.partition], ledgers[slot].isWhole else { return }
        for record in batch.records where record.offset >= ledgers[slot].position {
            guard !ledgers[slot].own.takes(record.offset) else {
                ledgers[slot].isUntouched = false
                ledgers[slot].position = record.offset + 1
                continue
            }
            guard let (record, change) = fold(LedgerEntry(record), into: slot) else { continue }
            if case .none = change { continue }
            obeyInAttempts(record, change, slot)
            obeyInTurns(record, slot, now)
            wakeLane(record.laneHash, of: slot)
        }
        if partitions[slot].phase == .open { resolveLateCompletions(of: slot, now) }
    }

    /// Where nobody else has written between this worker's decisions, the follower has nothing to bring: their offsets
    /// leave no gap. With each partition busy, reading them costs a worker a tenth of its time.
    mutating func skipOwnDecisions(_ now: WorkerNow) {
        guard now.uptime >= nextSkip else { return }
        nextSkip = now.uptime + configuration.skipInterval
        var positions: [TopicPartition: Int64] = [:]
        for slot in ledgers.indices where ledgers[slot].isFollowed {
            guard let end = ledgers[slot].own.end(from: ledgers[slot].position),
                end - ledgers[slot].position >= configuration.minimumSkip
            else { continue }
            ledgers[slot].isUntouched = false
            ledgers[slot].position = end
            positions[partitions[slot].ledger] = end
        }
        if !positions.isEmpty { emit(.skip(positions)) }
    }

    /// A departed attempt's decision is durable. If its partition has come back meanwhile, the fold must know before the
    /// follower brings the record: the turn may be judged in between, and would run again.
    mutating func learn(_ record: LogAppend, _ time: Timestamp, _ now: WorkerNow) {
        guard let slot = slots[TopicPartition(record.topic, record.partition)], ledgers[slot].isKept,
            let entry = LedgerRecord(key: record.key, value: record.value)
        else { return }
        _ = ledgers[slot].fold.apply(entry, time: time)
        obeyInTurns(entry, slot, now)
    }

    private mutating func obeyInTurns(_ entry: LedgerRecord, _ slot: Int, _ now: WorkerNow) {
        guard partitions[slot].phase == .open else { return }
        for place in partitions[slot].places(of: entry.coordinate.fingerprint) { obey(entry, place, now) }
    }

    /// A running attempt whose turn somebody else has decided has lost its object.
    mutating func obeyInAttempts(_ entry: LedgerRecord, _ change: LedgerFold.Change, _ slot: Int) {
        if case .displaced(let newcomer) = entry.body {
            return obeyDisplacement(of: entry.coordinate, by: newcomer, slot)
        }
        guard case .raised = change, entry.worker != identity else { return }
        for attempt in attempts.all where attempt.facts.coordinate.fingerprint == entry.coordinate.fingerprint {
            guard attempt.slot == slot else { continue }
            if case .run = ledgers[slot].fold.judge(attempt.facts.coordinate) { continue }
            cancel(attempt.id, .decidedElsewhere)
        }
    }

    private mutating func obey(_ entry: LedgerRecord, _ place: TurnPlace, _ now: WorkerNow) {
        guard let turn = turn(at: place) else { return }
        let isThisTurn = turn.facts.coordinate == entry.coordinate
        switch (turn.stage, entry.body) {
        case (.leased, .leased(let lease)) where isThisTurn && entry.worker != identity:
            // A renewal, counted from reading it.
            waitUnderLease(place, length: lease.length, now)
        case (.ready, .leased(let lease)) where isThisTurn && entry.worker != identity,
            (.buffered, .leased(let lease)) where isThisTurn && entry.worker != identity:
            // The hand-off could not wait for the log: better late than run beside it.
            waitUnderLease(place, length: lease.length, now)
            count(\.leased)
        case (.noting, .leased(let lease)) where isThisTurn && entry.worker != identity:
            // As above; when the note of our start is acknowledged, it finds nothing to start.
            suspects.remove(turn.facts.coordinate)
            waitUnderLease(place, length: lease.length, now)
            count(\.leased)
        case (.leased, .released) where isThisTurn: judgeAgain(place)
        case (.leased, .outcome), (.ready, .outcome): judgeAgain(place)
        case (.buffered, .outcome): toJudge.append(place)
        case (.noting, .outcome):
            suspects.remove(turn.facts.coordinate)
            judgeAgain(place)
        default: break
        }
    }

    /// Leases that were not renewed: the turn is ours to run.
    mutating func endLeases(_ now: WorkerNow) {
        while let end = leaseEnds.first, end.uptime <= now.uptime {
            _ = leaseEnds.popFirst()
            guard let turn = turn(at: end.place), case .leased(let until) = turn.stage, until <= now.uptime else {
                continue
            }
            let over = ledgerNote(.leased(Lease(holder: identity, length: 0)), turn.facts.event)
            // In our own fold the lease is over: what is judged from here on does not wait for it again.
            _ = ledgers[end.place.slot].fold.apply(over, time: turn.facts.recordTime)
            judgeAgain(end.place)
        }
    }

    /// How often outcomes that left the window are dropped: often enough, and never a busy loop.
    var evictionInterval: Int64 { min(60_000, max(1000, configuration.dedupWindow / 32)) }

    mutating func evict(_ now: WorkerNow) {
        let held = heldSlots
        nextEviction = held.isEmpty ? nil : now.uptime + evictionInterval
        for slot in held where partitions[slot].phase == .open {
            let time = partitions[slot].watermarkTime
            let cutoff = time - configuration.dedupWindow
            let refresh = time - configuration.dedupWindow / 2
            let open = ledgers[slot].fold.evict(before: cutoff, refreshBefore: refresh)
            for decision in open { appendLedger(decision.record, to: slot, .note) }
            wakeLane(nil, of: slot)
        }
    }

    mutating func dropExpiredLedgers(_ now: WorkerNow) {
        guard let next = nextExpiry, next <= now.uptime else { return }
        for slot in ledgers.indices.sorted(by: { partitions[$0].ledger < partitions[$1].ledger }) {
            guard let expiry = ledgers[slot].expiresAt, expiry <= now.uptime else { continue }
            if attempts.all.contains(where: { $0.slot == slot }) {
                ledgers[slot].expiresAt = now.uptime + configuration.lease
            } else {
                ledgers[slot] = LedgerState()
                emit(.unfollow([partitions[slot].ledger]))
            }
        }
        setNextExpiry()
    }

    mutating func setNextExpiry() { nextExpiry = ledgers.compactMap(\.expiresAt).min() }
}

extension LedgerRecord {
    fileprivate var isCancel: Bool {
        if case .outcome(let detail) = body { detail.outcome == .cancelled } else { false }
    }
}
