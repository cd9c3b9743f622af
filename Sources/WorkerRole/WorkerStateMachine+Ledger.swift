internal import TaskLog
internal import TaskModel

/// The ledger is read for as long as a partition is owned: what others append (a zombie, a lease holder, a person who
/// cancels) is obeyed.
extension WorkerStateMachine {
    /// Folds a record in without acting on it (a restore).
    mutating func fold(_ record: LogRecord, into ledger: TopicPartition) {
        _ = apply(record, to: ledger)
    }

    private mutating func apply(_ record: LogRecord, to ledger: TopicPartition) -> (LedgerRecord, LedgerFold.Change)? {
        guard ledgers[ledger] != nil else { return nil }
        if let position = ledgers[ledger]?.position, record.offset >= position {
            ledgers[ledger]?.position = record.offset + 1
        }
        guard let key = record.key, let fingerprint = Fingerprint(bytes: key), let value = record.value,
            let entry = try? LedgerRecord(fingerprint: fingerprint, value: value),
            let change = ledgers[ledger]?.fold.apply(entry, time: record.timestamp)
        else { return nil }
        return (entry, change)
    }

    mutating func tail(_ records: [LogRecord], _ now: WorkerNow) {
        for record in records {
            let ledger = record.topicPartition
            guard let (entry, change) = apply(record, to: ledger) else { continue }
            obeyInAttempts(entry, change)
            guard let due = dueOwned(ledger), let partition = partitions[due], partition.phase == .open else {
                continue
            }
            if case .raised(let decision, from: .dead) = change, decision.detail.outcome == .completed {
                resolve(decision.coordinate, now)
            }
            for offset in partition.offsets[entry.coordinate.fingerprint] ?? [] {
                obey(entry, change, partition.place(offset), now)
            }
        }
    }

    private func dueOwned(_ ledger: TopicPartition) -> TopicPartition? {
        partitions.values.first { $0.ledger == ledger }?.due
    }

    /// A running attempt whose turn somebody else has decided has lost its object.
    private mutating func obeyInAttempts(_ entry: LedgerRecord, _ change: LedgerFold.Change) {
        guard case .raised(let decision, _) = change, decision.worker != configuration.identity else { return }
        let concerned = attempts.values.filter {
            let coordinate = $0.turn.event.coordinate
            return coordinate.fingerprint == decision.coordinate.fingerprint
                && coordinate.replay <= decision.coordinate.replay
        }
        for attempt in concerned { cancel(attempt.id, .decidedElsewhere) }
    }

    private mutating func obey(_ entry: LedgerRecord, _ change: LedgerFold.Change, _ place: TurnPlace, _ now: WorkerNow)
    {
        guard let turn = turn(at: place) else { return }
        switch (turn.stage, entry.body) {
        case (.leased, .leased(let lease)) where turn.event.coordinate == entry.coordinate:
            // A renewal, counted from reading it.
            partitions[place.partition]?.turns[place.offset]?.stage = .leased(until: now.uptime + lease.length)
            leaseEnds.insert(LeaseEnd(uptime: now.uptime + lease.length, place: place))
        case (.leased, .released) where turn.event.coordinate == entry.coordinate:
            partitions[place.partition]?.turns[place.offset]?.stage = .waiting
            judge(place, now)
        case (.leased, .outcome), (.ready, .outcome), (.noting, .outcome):
            guard case .raised = change else { return }
            if turn.suspicion != nil { suspects.remove(turn.event.coordinate) }
            partitions[place.partition]?.turns[place.offset]?.stage = .waiting
            judge(place, now)
        default: break
        }
    }

    /// Leases that were not renewed: the turn is ours to run.
    mutating func endLeases(_ now: WorkerNow) {
        while let end = leaseEnds.first, end.uptime <= now.uptime {
            _ = leaseEnds.popFirst()
            guard case .leased(let until) = turn(at: end.place)?.stage, until <= now.uptime else { continue }
            runAfterLease(end.place, now)
        }
    }

    private mutating func runAfterLease(_ place: TurnPlace, _ now: WorkerNow) {
        guard let partition = partitions[place.partition], let turn = turn(at: place) else { return }
        let lease = LedgerRecord(
            coordinate: turn.event.coordinate, attempt: turn.event.attempt, laneHash: turn.event.laneHash,
            worker: configuration.identity, body: .leased(Lease(holder: configuration.identity, length: 0)))
        // In our own fold the lease is over: what is judged from here on does not wait for it again.
        _ = ledgers[partition.ledger]?.fold.apply(lease, time: turn.recordTime)
        partitions[place.partition]?.turns[place.offset]?.stage = .waiting
        judge(place, now)
    }

    /// How often outcomes that left the window are dropped: often enough, and never a busy loop.
    var evictionInterval: Int64 { min(60_000, max(1000, configuration.dedupWindow / 32)) }

    mutating func evict(_ now: WorkerNow) {
        nextEviction = partitions.isEmpty ? nil : now.uptime + evictionInterval
        for partition in partitions.values where partition.phase == .open {
            let cutoff = partition.watermarkTime - configuration.dedupWindow
            let refresh = partition.watermarkTime - configuration.dedupWindow / 2
            let open = ledgers[partition.ledger]?.fold.evict(before: cutoff, refreshBefore: refresh) ?? []
            for decision in open { appendLedger(decision.record, to: partition.ledger, .note) }
        }
    }

    mutating func dropExpiredLedgers(_ now: WorkerNow) {
        for (ledger, state) in ledgers {
            guard let expiry = state.expiresAt, expiry <= now.uptime else { continue }
            guard !attempts.values.contains(where: { $0.ledger == ledger }) else {
                ledgers[ledger]?.expiresAt = now.uptime + configuration.lease
                continue
            }
            ledgers[ledger] = nil
            actions.append(.unfollow([ledger]))
        }
    }
}
