internal import TaskLog
internal import TaskModel

/// Partitions go: what runs goes on under a lease, so that a rebalance or a deploy repeats no work.
extension WorkerStateMachine {
    mutating func handOff(_ revoked: [TopicPartition], _ now: WorkerNow) {
        for due in revoked { leaseUndecided(due, now) }
        let commits = takeCommits(revoked, isClean: true)
        for due in revoked { drop(due, now) }
        actions.append(.handOff(revoked, commit: commits))
    }

    /// A note for each turn of the partition that is at work and undecided.
    private mutating func leaseUndecided(_ due: TopicPartition, _ now: WorkerNow) {
        guard let partition = partitions[due] else { return }
        for offset in partition.offsetsInOrder {
            guard let turn = partition[offset] else { continue }
            switch turn.stage {
            case .running(let id):
                depart(id, isExpired: false, now)
                appendLedger(leaseNote(turn.facts.event), to: partition.ledger, .lease(id, sentAt: now.uptime))
            case .noting:
                // Noted, not started: the start was not lost.
                suspects.remove(turn.facts.coordinate)
                appendLedger(ledgerNote(.released, turn.facts.event), to: partition.ledger, .note)
            case .settling(let machine):
                // The decision may still be refused: it stays ours to append, and the turn ours until then.
                guard case .deciding(let decision) = machine.state else { continue }
                appendLedger(leaseNote(turn.facts.event), to: partition.ledger, .note)
                decideDeparted(decision, ledger: partition.ledger, until: now.uptime + configuration.lease * 8 / 10)
            case .waiting, .ready, .forwarding, .leased: break
            }
        }
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
    private mutating func decideDeparted(_ decision: Decision, ledger: TopicPartition, until: Int64) {
        let append = PendingAppend(
            purpose: .departedDecision(decision.coordinate), record: ledgerAppend(decision.record, to: ledger))
        departedDecisions[decision.coordinate] = DepartedDecision(
            append: append, until: decision.detail.outcome == .completed ? nil : until)
        actions.append(.append(append))
    }

    private mutating func drop(_ due: TopicPartition, _ now: WorkerNow) {
        guard let partition = partitions.removeValue(forKey: due) else { return }
        if partition.phase == .restoring {
            // Half a fold would be taken for a whole one.
            ledgers[partition.ledger] = nil
            actions.append(.unfollow([partition.ledger]))
        } else {
            ledgers[partition.ledger]?.owner = nil
            ledgers[partition.ledger]?.expiresAt = now.uptime + configuration.retention
        }
    }

    /// Partitions that went without a hand-over: another worker may run these turns already.
    mutating func lose(_ lost: [TopicPartition], _ now: WorkerNow) {
        for due in lost {
            guard let partition = partitions[due] else { continue }
            for offset in partition.offsetsInOrder {
                guard let turn = partition[offset] else { continue }
                switch turn.stage {
                case .running(let id):
                    depart(id, isExpired: true, now)
                    cancel(id, .leaseExpired)
                    actions.append(.report(.leaseLost(turn.facts.coordinate)))
                case .noting: suspects.remove(turn.facts.coordinate)
                case .settling(let machine):
                    guard case .deciding(let decision) = machine.state, decision.detail.outcome == .completed else {
                        continue
                    }
                    decideDeparted(decision, ledger: partition.ledger, until: .max)
                case .waiting, .ready, .forwarding, .leased: break
                }
            }
            drop(due, now)
        }
        if !lost.isEmpty { actions.append(.forget(lost)) }
    }

    /// Uptime at which a departed attempt must stop: 20 % before the owner may start it.
    func leaseStop(_ departure: Attempt.Departure) -> Int64 {
        (departure.leaseSentAt ?? departure.since) + configuration.lease * 8 / 10
    }

    mutating func leaseAcknowledged(_ id: AttemptID, sentAt: Int64) {
        guard let attempt = attempts[id], case .departed(var departure) = attempt.standing else { return }
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
            actions.append(.report(.leaseLost(attempt.facts.coordinate)))
        } else if departure.renewAt <= now.uptime {
            departure.renewAt = now.uptime + configuration.lease / 3
            attempts[id]?.standing = .departed(departure)
            appendLedger(leaseNote(attempt.facts.event), to: attempt.ledger, .lease(id, sentAt: now.uptime))
        }
    }

    /// The holder's only right: one decision, into the ledger of a partition that is another's. `completed` is true
    /// whenever it comes; anything else only under a lease, of a turn that nobody has decided.
    mutating func finishDeparted(
        _ attempt: Attempt, _ departure: Attempt.Departure, _ detail: OutcomeDetail, _ now: WorkerNow
    ) {
        let verdict = ledgers[attempt.ledger]?.fold.judge(attempt.facts.coordinate)
        if detail.outcome != .completed {
            // A process that was stopped may hear of its attempt's end before its timer says that the lease is over.
            guard !departure.isExpired, now.uptime < leaseStop(departure), attempt.cancelReason != .decidedElsewhere
            else { return }
            if let verdict, case .run = verdict {} else if verdict != nil { return }
            // Stopped by us, not by a fault of its own: the next owner runs the same turn, nothing is spent.
            if attempt.cancelReason == .shutdown || attempt.cancelReason == .leaseExpired {
                return appendLedger(ledgerNote(.released, attempt.facts.event), to: attempt.ledger, .note)
            }
        } else if case .stale(.completed) = verdict {
            return
        }
        decideDeparted(
            decision(attempt.facts.event, detail), ledger: attempt.ledger, until: leaseStop(departure))
        count(detail.outcome)
    }
}
