internal import TaskLog
internal import TaskModel

/// What goes into the log, and what is done when the log does not take it.
extension WorkerStateMachine {
    mutating func append(_ purpose: AppendPurpose, _ record: LogAppend) {
        if !starting.isEmpty { flush() }
        outgoing.append(purpose, record)
    }

    mutating func appendLedger(_ record: LedgerRecord, to slot: Int, _ purpose: AppendPurpose) {
        append(purpose, ledgerAppend(record, to: slot))
    }

    func ledgerAppend(_ record: LedgerRecord, to slot: Int) -> LogAppend {
        LogAppend(
            topic: partitions[slot].ledger.topic, partition: partitions[slot].ledger.partition,
            key: record.coordinate.fingerprint.bytes,
            value: record.encoded())
    }

    /// The partition of a shared topic (`retry`, `dead`) that keeps this fingerprint.
    func controlPartition(of fingerprint: Fingerprint) -> Int32 {
        Murmur2.partition(of: fingerprint, count: configuration.controlPartitions)
    }

    /// The record that a decision causes: the next turn in `retry`, or the dead letter.
    func effect(of decision: Decision, at place: TurnPlace) -> LogAppend? {
        guard let turn = turn(at: place) else { return nil }
        let queue = partitions[place.slot].queue
        let isDead = decision.detail.outcome == .dead
        var event =
            isDead
            ? decision.lastTurn(of: turn.facts.event)
            : decision.nextTurn(of: turn.facts.event, recordTime: turn.facts.recordTime)
        var raw = turn.facts.raw
        if turn.isEffectTrimmed {
            event.history = event.history.lastOnly
            if raw?.headers.isEmpty == false {
                raw?.headers = []
                raw?.problem += " (its headers are too large to be kept here; see the record itself)"
            }
        }
        let body: RecordBody
        if isDead {
            body = DeadLetter(
                event: event, queue: queue, reason: decision.detail.deathReason ?? .attemptsExhausted,
                place: turn.facts.place, raw: raw
            ).encoded()
        } else {
            body = WaitingEvent(
                event: event, queue: queue, due: .after(milliseconds: decision.detail.delay ?? 0)
            ).encoded()
        }
        return LogAppend(
            body,
            to: TopicPartition(
                isDead ? configuration.names.dead : configuration.names.retry,
                controlPartition(of: turn.facts.coordinate.fingerprint)))
    }

    /// `results` are in the order of the batch.
    mutating func appended(_ batch: AppendBatch, _ results: [Result<AppendReceipt, LogError>], _ now: WorkerNow) {
        var firstFailure: LogError?
        for (index, result) in results.enumerated() {
            switch result {
            case .success(let receipt):
                refused.hasten(now: now.uptime, first: configuration.appendRetryDelay)
                acknowledged(batch, index, receipt, now)
            case .failure(let error):
                count(\.appendFailures)
                firstFailure = firstFailure ?? error
                refuse(batch[index], error, now)
            }
        }
        if let firstFailure { emit(.report(.appendFailed(firstFailure))) }
        skipOwnDecisions(now)
    }

    private mutating func acknowledged(
        _ batch: AppendBatch, _ index: Int, _ receipt: AppendReceipt, _ now: WorkerNow
    ) {
        switch batch.purposes[index] {
        case .started(let place):
            guard let turn = turn(at: place), turn.stage == .noting else { return }
            start(place, turn, now)
            // It expired meanwhile.
            if case .running = self.turn(at: place)?.stage { return }
            suspects.remove(turn.facts.coordinate)
        case .decision(let place): decided(place, receipt, now)
        case .effect(let place): effectDone(place)
        case .pause(let place): effectDone(place, isPaused: true)
        case .displacement(let place): displacementDone(batch[index], for: place, receipt.timestamp, now)
        case .forward(let place):
            guard let turn = turn(at: place), turn.stage == .forwarding else { return }
            count(\.forwarded)
            emit(.report(.forwarded(turn.facts.coordinate, from: partitions[place.slot].due)))
            settled(place)
        case .lease(let id, let sentAt): leaseAcknowledged(id, sentAt: sentAt)
        case .departedDecision(let coordinate):
            departedDecisions[coordinate] = nil
            learn(batch.records[index], receipt.timestamp, now)
            endWord(coordinate)
        case .lastWord(let coordinate): endWord(coordinate)
        case .note, .heartbeat: break
        }
    }

    /// Of unknown result, or refused for now: appended again. Repetition is harmless, a gap is not. What is too large
    /// is tried with less, and if nothing smaller can stand for it, it stays a hole that people see.
    private mutating func refuse(_ append: PendingAppend, _ error: LogError, _ now: WorkerNow) {
        guard error.code == .recordTooLarge else {
            refused.add(append, now: now.uptime, first: configuration.appendRetryDelay)
            // A hand-off waits for a few seconds only.
            if !handOffs.isEmpty { refused.hasten(now: now.uptime, first: configuration.appendRetryDelay) }
            return
        }
        switch append.purpose {
        case .effect(let place):
            guard let turn = turn(at: place), case .settling(let machine) = turn.stage,
                case .doing(let decision) = machine.state
            else { return }
            guard turn.isEffectTrimmed else {
                partitions[place.slot].trimEffect(of: place)
                return carryOut(decision, machine, turn, place)
            }
            getStuck(append, turn.facts.coordinate, error, now)
        case .forward(let place):
            guard let turn = turn(at: place), turn.stage == .forwarding else { return }
            decide(place, turn, misrouted(turn, "and too large to be moved: \(error.message)", now))
        case .decision(let place), .started(let place), .pause(let place), .displacement(let place):
            guard let turn = turn(at: place) else { return }
            getStuck(append, turn.facts.coordinate, error, now)
        case .departedDecision(let coordinate): getStuck(append, coordinate, error, now)
        case .lastWord(let coordinate): endWord(coordinate)
        case .lease(let id, _): if let attempt = attempts[id] { endWord(attempt.facts.coordinate) }
        case .note, .heartbeat: break
        }
    }

    private mutating func getStuck(
        _ append: PendingAppend, _ coordinate: Coordinate, _ error: LogError, _ now: WorkerNow
    ) {
        count(\.stuck)
        refused.addStuck(append, until: now.uptime + configuration.maximumAppendRetryDelay)
        emit(.report(.stuck(coordinate, error)))
    }

    /// Their time has come: those that still matter go out again.
    mutating func repeatRefused(_ now: WorkerNow) {
        for append in refused.due(at: now.uptime, maximum: configuration.maximumAppendRetryDelay) {
            if let append = renewed(append, now) { self.append(append.purpose, append.record) }
        }
    }

    /// As it may go out now; nil when what it was for is gone, or is done anew.
    private mutating func renewed(_ append: PendingAppend, _ now: WorkerNow) -> PendingAppend? {
        switch append.purpose {
        case .started(let place): return turn(at: place)?.stage == .noting ? append : nil
        case .forward(let place): return turn(at: place)?.stage == .forwarding ? append : nil
        case .decision(let place):
            guard case .settling = turn(at: place)?.stage else { return nil }
            return append
        case .pause(let place):
            guard case .settling = turn(at: place)?.stage else { return nil }
            return append
        case .displacement(let place): return mayRepeatDisplacement(append, for: place) ? append : nil
        case .effect(let place):
            guard let turn = turn(at: place), case .settling(let machine) = turn.stage,
                case .doing(let decision) = machine.state
            else { return nil }
            carryOut(decision, machine, turn, place)
            return nil
        case .lease(let id, _):
            guard case .departed(let departure) = attempts[id]?.standing, !departure.isExpired else { return nil }
            return PendingAppend(purpose: .lease(id, sentAt: now.uptime), record: append.record)
        case .departedDecision(let coordinate):
            guard let decision = departedDecisions[coordinate] else { return nil }
            guard let until = decision.until, until <= now.uptime else { return append }
            departedDecisions[coordinate] = nil
            emit(.report(.leaseLost(coordinate)))
            endWord(coordinate)
            return nil
        case .lastWord(let coordinate):
            // The turn came back meanwhile and runs under a newer lease, which this would end.
            guard departed[coordinate] == nil else { return nil }
            return append
        case .note: return append
        case .heartbeat: return nil
        }
    }
}

extension FailureHistory {
    /// The last failure alone.
    fileprivate var lastOnly: FailureHistory {
        var history = FailureHistory()
        if let last { history.append(last) }
        return history
    }
}
