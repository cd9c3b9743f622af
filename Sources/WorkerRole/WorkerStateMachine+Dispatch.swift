internal import TaskLog
internal import TaskModel

/// Starts what may start, and watches what runs.
extension WorkerStateMachine {
    mutating func dispatch(_ now: WorkerNow) {
        guard case .running = life else { return }
        if !suspectsReady.isEmpty { dispatchSuspects(now) }
        while hasFreeSlot, let place = ready.next() {
            // What was handed over or settled since it got ready is passed by.
            guard let turn = turn(at: place), turn.stage == .ready, turn.suspicion == nil else { continue }
            start(place, turn, now)
        }
    }

    /// Slots are taken by running attempts, and by starts whose note is on the way.
    private var hasFreeSlot: Bool { attempts.count + suspects.notingCount < configuration.concurrency }

    /// Suspects start only with few others of their kind beside them, and only after their start is on record.
    private mutating func dispatchSuspects(_ now: WorkerNow) {
        guard hasFreeSlot, !suspects.isClosed else { return }
        var left: [TurnPlace] = []
        for (index, place) in suspectsReady.enumerated() {
            guard hasFreeSlot, !suspects.isClosed else {
                left += suspectsReady[index...]
                break
            }
            guard let turn = turn(at: place), turn.stage == .ready, let suspicion = turn.suspicion else { continue }
            if let detail = expiry(of: turn, now) {
                decide(place, turn, detail)
            } else if suspects.admits(suspicion) {
                note(place, turn, suspicion)
            } else {
                left.append(place)
            }
        }
        suspectsReady = left
    }

    private mutating func note(_ place: TurnPlace, _ turn: Turn, _ suspicion: Suspicion) {
        setStage(.noting, at: place)
        suspects.note(turn.facts.coordinate, suspicion)
        let isAlone = suspicion.companions(concurrency: configuration.concurrency) == 0
        appendLedger(ledgerNote(.started(alone: isAlone), turn.facts.event), to: place.slot, .started(place))
    }

    func ledgerNote(_ body: LedgerRecord.Body, _ event: TaskEvent) -> LedgerRecord {
        LedgerRecord(
            coordinate: event.coordinate, attempt: event.attempt, laneHash: event.laneHash, worker: identity,
            body: body)
    }

    /// It may have waited long since it was judged, so its end is looked at once more.
    mutating func start(_ place: TurnPlace, _ turn: Turn, _ now: WorkerNow) {
        if let detail = expiry(of: turn, now) { return decide(place, turn, detail) }
        guard let policy = tasks[turn.facts.event.task] else { return }
        let deadline = now.uptime + policy.timeout
        let id = attempts.add { id in
            Attempt(
                id: id, facts: turn.facts, suspicion: turn.suspicion, slot: place.slot, place: place,
                startedAt: now.wall, deadline: deadline)
        }
        setStage(.running(id), at: place)
        nextAttemptCheck = min(nextAttemptCheck, deadline)
        if turn.suspicion != nil { suspects.started(turn.facts.coordinate) }
        count(\.started)
        if !outgoing.isEmpty { flush() }
        starting.append(
            AttemptStart(
                id: id, facts: turn.facts, queue: partitions[place.slot].queue,
                fencingToken: FencingToken(
                    partition: turn.facts.place.partition, epoch: partitions[place.slot].epoch,
                    turn: turn.facts.coordinate.turn),
                deadline: now.wall + policy.timeout))
    }

    /// The next uptime at which this attempt needs attention.
    private func nextCheck(of attempt: Attempt) -> Int64 {
        let deadline = attempt.cancelReason == nil ? attempt.deadline : .max
        guard case .departed(let departure) = attempt.standing, !departure.isExpired else { return deadline }
        return min(deadline, leaseStop(departure), departure.renewAt)
    }

    /// Deadlines, and leases of departed attempts that ran out.
    mutating func checkAttempts(_ now: WorkerNow) {
        for id in attempts.ids {
            if let attempt = attempts[id], attempt.cancelReason == nil, attempt.deadline <= now.uptime {
                count(\.timeouts)
                cancel(id, .timeout)
            }
            checkLease(id, now)
        }
        nextAttemptCheck = attempts.all.map(nextCheck).min() ?? .max
    }

    mutating func cancel(_ id: AttemptID, _ reason: Attempt.CancelReason) {
        guard let attempt = attempts[id] else { return }
        guard let known = attempt.cancelReason else {
            attempts[id]?.cancelReason = reason
            return emit(.cancel(id))
        }
        if reason.rawValue > known.rawValue { attempts[id]?.cancelReason = reason }
    }
}
