internal import TaskLog
internal import TaskModel

/// The ledger is read for as long as a partition is owned: what others append (a zombie, a lease holder, a person who
/// cancels) is obeyed.
extension WorkerStateMachine {
    func ledger(of due: TopicPartition) -> TopicPartition? {
        guard let index = partitions.index(forKey: due) else { return nil }
        return partitions.values[index].ledger
    }

    /// Folds a record in. Nil when it is no ledger record, or was applied before: a scan and the follower may both
    /// bring it, and notes are counted.
    mutating func fold(_ entry: LedgerEntry, into ledger: TopicPartition) -> (LedgerRecord, LedgerFold.Change)? {
        guard let index = ledgers.index(forKey: ledger), entry.offset >= ledgers.values[index].position else {
            return nil
        }
        ledgers.values[index].position = entry.offset + 1
        guard let record = entry.record else { return nil }
        return (record, ledgers.values[index].fold.apply(record, time: entry.time))
    }

    mutating func tail(_ batches: [LedgerBatch], _ now: WorkerNow) {
        for batch in batches { tail(batch, now) }
    }

    private mutating func tail(_ batch: LedgerBatch, _ now: WorkerNow) {
        let ledger = batch.partition
        guard ledgers[ledger]?.isScanning == false else { return }
        let owner = ledgers[ledger]?.owner
        for entry in batch.entries {
            guard let (record, change) = fold(entry, into: ledger), change != .none else { continue }
            obeyInAttempts(record, change, ledger)
            guard let owner, let index = partitions.index(forKey: owner), partitions.values[index].phase == .open
            else { continue }
            for offset in partitions.values[index].offsets(of: record.coordinate.fingerprint) {
                guard let place = partitions[owner]?.place(offset) else { continue }
                obey(record, place, now)
            }
        }
        if owner.map({ partitions[$0]?.phase == .open }) == true { resolveLateCompletions(of: ledger, now) }
    }

    /// A departed attempt's decision is durable. If its partition has come back meanwhile, the fold must know before the
    /// follower brings the record: the turn may be judged in between, and would run again.
    mutating func learn(_ record: LogAppend, _ time: Timestamp, _ now: WorkerNow) {
        let ledger = TopicPartition(record.topic, record.partition)
        guard let index = ledgers.index(forKey: ledger), let entry = LedgerRecord(key: record.key, value: record.value)
        else { return }
        _ = ledgers.values[index].fold.apply(entry, time: time)
        guard let owner = ledgers.values[index].owner, let held = partitions.index(forKey: owner),
            partitions.values[held].phase == .open
        else { return }
        for offset in partitions.values[held].offsets(of: entry.coordinate.fingerprint) {
            obey(entry, partitions.values[held].place(offset), now)
        }
    }

    /// A running attempt whose turn somebody else has decided has lost its object.
    mutating func obeyInAttempts(_ entry: LedgerRecord, _ change: LedgerFold.Change, _ ledger: TopicPartition) {
        guard case .raised = change, entry.worker != identity else { return }
        for (id, attempt) in attempts where attempt.facts.coordinate.fingerprint == entry.coordinate.fingerprint {
            guard attempt.ledger == ledger, let verdict = ledgers[ledger]?.fold.judge(attempt.facts.coordinate) else {
                continue
            }
            if case .run = verdict { continue }
            cancel(id, .decidedElsewhere)
        }
    }

    private mutating func obey(_ entry: LedgerRecord, _ place: TurnPlace, _ now: WorkerNow) {
        guard let turn = turn(at: place) else { return }
        let isThisTurn = turn.facts.coordinate == entry.coordinate
        switch (turn.stage, entry.body) {
        case (.leased, .leased(let lease)) where isThisTurn && entry.worker != identity:
            // A renewal, counted from reading it.
            waitUnderLease(place, length: lease.length, now)
        case (.ready, .leased(let lease)) where isThisTurn && entry.worker != identity:
            // The hand-off could not wait for the log: better late than run beside it.
            waitUnderLease(place, length: lease.length, now)
            count(\.leased)
        case (.leased, .released) where isThisTurn: judgeAgain(place)
        case (.leased, .outcome), (.ready, .outcome): judgeAgain(place)
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
            guard let turn = turn(at: end.place), case .leased(let until) = turn.stage, until <= now.uptime,
                let ledger = ledger(of: end.place.partition)
            else { continue }
            let over = ledgerNote(.leased(Lease(holder: identity, length: 0)), turn.facts.event)
            // In our own fold the lease is over: what is judged from here on does not wait for it again.
            _ = ledgers[ledger]?.fold.apply(over, time: turn.facts.recordTime)
            judgeAgain(end.place)
        }
    }

    /// How often outcomes that left the window are dropped: often enough, and never a busy loop.
    var evictionInterval: Int64 { min(60_000, max(1000, configuration.dedupWindow / 32)) }

    mutating func evict(_ now: WorkerNow) {
        nextEviction = partitions.isEmpty ? nil : now.uptime + evictionInterval
        for due in partitions.keys.sorted() {
            guard let index = partitions.index(forKey: due), partitions.values[index].phase == .open else { continue }
            let ledger = partitions.values[index].ledger
            let time = partitions.values[index].watermarkTime
            let cutoff = time - configuration.dedupWindow
            let refresh = time - configuration.dedupWindow / 2
            let open = ledgers[ledger]?.fold.evict(before: cutoff, refreshBefore: refresh) ?? []
            for decision in open { appendLedger(decision.record, to: ledger, .note) }
        }
    }

    mutating func dropExpiredLedgers(_ now: WorkerNow) {
        for ledger in ledgers.keys.sorted() {
            guard let expiry = ledgers[ledger]?.expiresAt, expiry <= now.uptime else { continue }
            if attempts.values.contains(where: { $0.ledger == ledger }) {
                ledgers[ledger]?.expiresAt = now.uptime + configuration.lease
            } else {
                ledgers[ledger] = nil
                actions.append(.unfollow([ledger]))
            }
        }
    }
}
