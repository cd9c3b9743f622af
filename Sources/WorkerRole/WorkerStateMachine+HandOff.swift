internal import TaskLog
internal import TaskModel

/// Partitions go: what runs goes on under a lease, so that a rebalance or a deploy repeats no work.
extension WorkerStateMachine {
    mutating func handOff(_ revoked: [TopicPartition], _ now: WorkerNow) {
        let slots = revoked.compactMap { slot(of: $0) }
        var words: Set<Coordinate> = []
        for slot in slots { leaseUndecided(slot, now, &words) }
        let commits = takeCommits(slots, isClean: true)
        for slot in slots { drop(slot, now) }
        emit(.handOff(handOffs.begin(words), revoked, commit: commits))
    }

    /// A note for each turn of the partition that is at work and undecided. Adds these turns to `words`.
    private mutating func leaseUndecided(_ slot: Int, _ now: WorkerNow, _ words: inout Set<Coordinate>) {
        for turn in partitions[slot].turnsInOrder {
            let coordinate = turn.facts.coordinate
            switch turn.stage {
            case .running(let id):
                depart(id, isExpired: false, now)
                appendLedger(leaseNote(turn.facts.event), to: slot, .lease(id, sentAt: now.uptime))
            case .noting:
                // Noted, not started: the start was not lost.
                suspects.remove(coordinate)
                appendLedger(ledgerNote(.released, turn.facts.event), to: slot, .lastWord(coordinate))
            case .settling(let machine):
                // The decision may still be refused: it stays ours to append, and the turn ours until then.
                guard case .deciding(let decision) = machine.state else { continue }
                appendLedger(leaseNote(turn.facts.event), to: slot, .lastWord(coordinate))
                decideDeparted(decision, slot, until: now.uptime + configuration.lease * 8 / 10)
            case .waiting, .ready, .buffered, .forwarding, .leased: continue
            }
            words.insert(coordinate)
        }
    }

    /// The next owner can read how it stands with this turn, or will not hear of it from us: all that it will be told is
    /// in the log.
    mutating func endWord(_ coordinate: Coordinate) {
        for id in handOffs.end(coordinate) { emit(.handOffWritten(id)) }
    }

    private mutating func depart(_ id: AttemptID, isExpired: Bool, _ now: WorkerNow) {
        guard let coordinate = attempts[id]?.facts.coordinate else { return }
        let renewAt = now.uptime + configuration.lease / 3
        attempts[id]?.standing = .departed(
            Attempt.Departure(since: now.uptime, renewAt: renewAt, isExpired: isExpired))
        nextAttemptCheck = min(nextAttemptCheck, renewAt)
        departed[coordinate] = id
    }

    private func leaseNote(_ event: TaskEvent) -> LedgerRecord {
        ledgerNote(.leased(Lease(holder: identity, length: configuration.lease)), event)
    }

    /// A decision of a turn that is another's, or about to be. One that is on its way already is sent once more under
    /// this purpose: the same record, so harmless, and its acknowledgement is what a stop waits for.
    private mutating func decideDeparted(_ decision: Decision, _ slot: Int, until: Int64) {
        let append = PendingAppend(
            purpose: .departedDecision(decision.coordinate), record: ledgerAppend(decision.record, to: slot))
        departedDecisions[decision.coordinate] = DepartedDecision(
            append: append, until: decision.detail.outcome == .completed ? nil : until)
        self.append(append.purpose, append.record)
    }

    private mutating func drop(_ slot: Int, _ now: WorkerNow) {
        switch ledgers[slot].stage {
        case .unknown, .restoring: ledgers[slot] = LedgerState()
        case .catchingUp:
            // Attempts that departed from here go on, and must hear who cancels them.
            ledgers[slot].stage = .followed
            emit(.follow(partitions[slot].ledger, from: ledgers[slot].position))
            ledgers[slot].expiresAt = now.uptime + configuration.retention
        case .followed: ledgers[slot].expiresAt = now.uptime + configuration.retention
        }
        partitions[slot].end()
        laneWaits[slot] = nil
        setNextExpiry()
    }

    /// Partitions that went without a hand-over: another worker may run these turns already.
    mutating func lose(_ lost: [TopicPartition], _ now: WorkerNow) {
        for slot in lost.compactMap({ slot(of: $0) }) {
            for turn in partitions[slot].turnsInOrder {
                switch turn.stage {
                case .running(let id):
                    depart(id, isExpired: true, now)
                    cancel(id, .leaseExpired)
                    emit(.report(.leaseLost(turn.facts.coordinate)))
                case .noting:
                    suspects.remove(turn.facts.coordinate)
                    appendLedger(ledgerNote(.released, turn.facts.event), to: slot, .note)
                case .settling(let machine):
                    guard case .deciding(let decision) = machine.state, decision.detail.outcome == .completed else {
                        continue
                    }
                    decideDeparted(decision, slot, until: .max)
                case .waiting, .ready, .buffered, .forwarding, .leased: break
                }
            }
            drop(slot, now)
        }
        if !lost.isEmpty { emit(.forget(lost)) }
    }

    /// Uptime at which a departed attempt must stop: 20 % before the owner may start it.
    func leaseStop(_ departure: Attempt.Departure) -> Int64 {
        (departure.leaseSentAt ?? departure.since) + configuration.lease * 8 / 10
    }

    mutating func leaseAcknowledged(_ id: AttemptID, sentAt: Int64) {
        guard let attempt = attempts[id], case .departed(var departure) = attempt.standing else { return }
        endWord(attempt.facts.coordinate)
        departure.leaseSentAt = max(departure.leaseSentAt ?? 0, sentAt)
        attempts[id]?.standing = .departed(departure)
    }

    mutating func checkLease(_ id: AttemptID, _ now: WorkerNow) {
        guard let attempt = attempts[id], case .departed(var departure) = attempt.standing, !departure.isExpired else {
            return
        }
        if leaseStop(departure) <= now.uptime {
            departure.isExpired = true
            attempts[id]?.standing = .departed(departure)
            cancel(id, .leaseExpired)
            emit(.report(.leaseLost(attempt.facts.coordinate)))
        } else if departure.renewAt <= now.uptime {
            departure.renewAt = now.uptime + configuration.lease / 3
            attempts[id]?.standing = .departed(departure)
            appendLedger(leaseNote(attempt.facts.event), to: attempt.slot, .lease(id, sentAt: now.uptime))
        }
    }

    /// The process lives, so this start of a suspect was not lost: counted as one, it would help to bury an innocent. It
    /// says nothing of the turn, which is another's.
    private mutating func takeBackStart(_ attempt: Attempt) {
        guard attempt.suspicion != nil else { return endWord(attempt.facts.coordinate) }
        release(attempt)
    }

    private mutating func release(_ attempt: Attempt) {
        appendLedger(
            ledgerNote(.released, attempt.facts.event), to: attempt.slot, .lastWord(attempt.facts.coordinate))
    }

    /// The holder's only right: one decision, into the ledger of a partition that is another's. `completed` is true
    /// whenever it comes; anything else only under a lease, of a turn that nobody has decided.
    mutating func finishDeparted(
        _ attempt: Attempt, _ departure: Attempt.Departure, _ detail: OutcomeDetail, _ now: WorkerNow
    ) {
        let ledger = ledgers[attempt.slot]
        let verdict = ledger.isKept ? ledger.fold.judge(attempt.facts.coordinate) : nil
        if detail.outcome != .completed {
            // A process that was stopped may hear of its attempt's end before its timer says that the lease is over.
            if let verdict, case .run = verdict {} else if verdict != nil { return endWord(attempt.facts.coordinate) }
            guard !departure.isExpired, now.uptime < leaseStop(departure), attempt.cancelReason != .decidedElsewhere
            else { return takeBackStart(attempt) }
            // Stopped by us, not by a fault of its own: the next owner runs the same turn, nothing is spent.
            if attempt.cancelReason == .shutdown || attempt.cancelReason == .leaseExpired {
                return release(attempt)
            }
        } else if case .stale(.completed) = verdict {
            return endWord(attempt.facts.coordinate)
        }
        decideDeparted(
            decision(attempt.facts.event, detail), attempt.slot, until: leaseStop(departure))
        count(detail.outcome)
    }
}
