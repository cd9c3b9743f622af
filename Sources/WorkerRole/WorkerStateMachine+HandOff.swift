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
        for (_, turn) in partition.turns.sorted(by: { $0.key < $1.key }) {
            switch turn.stage {
            case .running(let id):
                depart(id, isExpired: false, now)
                appendLedger(leaseNote(turn.event), to: partition.ledger, .lease(id, sentAt: now.uptime))
            case .noting:
                // Noted, not started: the start was not lost.
                suspects.remove(turn.event.coordinate)
                appendLedger(ledgerNote(.released, turn.event), to: partition.ledger, .note)
            case .settling(let machine):
                // The decision may still be refused: it stays ours to append.
                guard case .deciding(let decision) = machine.state else { continue }
                rememberDeparted(decision, ledger: partition.ledger)
            case .waiting, .ready, .forwarding, .leased: break
            }
        }
    }

    private mutating func depart(_ id: AttemptID, isExpired: Bool, _ now: WorkerNow) {
        guard let coordinate = attempts[id]?.turn.event.coordinate else { return }
        attempts[id]?.standing = .departed(
            Attempt.Departure(since: now.uptime, renewAt: now.uptime + configuration.lease / 3, isExpired: isExpired))
        departed[coordinate] = id
    }

    private func leaseNote(_ event: TaskEvent) -> LedgerRecord {
        ledgerNote(.leased(Lease(holder: configuration.identity, length: configuration.lease)), event)
    }

    /// A decision on its way is sent once more under the name of a departed one: the same record, so harmless, and its
    /// acknowledgement is what the stop waits for.
    private mutating func rememberDeparted(_ decision: Decision, ledger: TopicPartition) {
        let before = actions.count
        appendLedger(decision.record, to: ledger, .departedDecision(decision.coordinate))
        if case .append(let append) = actions[before] { departedDecisions[decision.coordinate] = append }
    }

    private mutating func drop(_ due: TopicPartition, _ now: WorkerNow) {
        guard let partition = partitions.removeValue(forKey: due) else { return }
        if partition.phase == .restoring {
            // Half a fold would be taken for a whole one.
            ledgers[partition.ledger] = nil
            actions.append(.unfollow([partition.ledger]))
        } else {
            ledgers[partition.ledger]?.expiresAt = now.uptime + configuration.retention
        }
    }

    /// Partitions that went without a hand-over: another worker may run these turns already.
    mutating func lose(_ lost: [TopicPartition], _ now: WorkerNow) {
        for due in lost {
            guard let partition = partitions[due] else { continue }
            for turn in partition.turns.values {
                switch turn.stage {
                case .running(let id):
                    depart(id, isExpired: true, now)
                    cancel(id, .leaseExpired)
                    actions.append(.report(.leaseLost(turn.event.coordinate)))
                case .noting: suspects.remove(turn.event.coordinate)
                default: break
                }
            }
            drop(due, now)
        }
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
            actions.append(.report(.leaseLost(attempt.turn.event.coordinate)))
        } else if departure.renewAt <= now.uptime {
            departure.renewAt = now.uptime + configuration.lease / 3
            attempts[id]?.standing = .departed(departure)
            appendLedger(leaseNote(attempt.turn.event), to: attempt.ledger, .lease(id, sentAt: now.uptime))
        }
    }

    /// The holder's only right: one decision, into the ledger of a partition that is another's.
    mutating func finishDeparted(_ attempt: Attempt, _ departure: Attempt.Departure, _ detail: OutcomeDetail) {
        let coordinate = attempt.turn.event.coordinate
        if attempt.cancelReason == .shutdown, detail.outcome != .completed {
            appendLedger(ledgerNote(.released, attempt.turn.event), to: attempt.ledger, .note)
            return
        }
        let mayOnlyComplete = departure.isExpired || attempt.cancelReason == .decidedElsewhere
        guard !mayOnlyComplete || detail.outcome == .completed else { return }
        if let known = ledgers[attempt.ledger]?.fold.judge(coordinate), case .stale(.completed) = known { return }
        rememberDeparted(decision(attempt.turn.event, detail), ledger: attempt.ledger)
        count(detail.outcome)
    }

    /// Stop in good order: everything is handed off at once, what runs may finish within the grace period.
    mutating func stop(_ now: WorkerNow) {
        guard case .running = life else { return }
        life = .draining(until: now.uptime + configuration.grace)
        suspectsReady = []
        handOff(partitions.keys.sorted(), now)
        actions.append(.leave)
    }

    /// The grace period is over: the rest goes back, nothing of it spent.
    mutating func releaseRest(_ now: WorkerNow) {
        for id in attempts.keys.sorted() where attempts[id]?.cancelReason != .shutdown { cancel(id, .shutdown) }
        life = .draining(until: .max)
    }
}
