internal import TaskLog
internal import TaskModel

/// Starts what may start, and watches what runs.
extension WorkerStateMachine {
    mutating func dispatch(_ now: WorkerNow) {
        guard case .running = life else { return }
        dispatchSuspects(now)
        while slotsInUse < configuration.concurrency, let place = ready.next() {
            // What was handed over or settled since it got ready is passed by.
            guard let turn = turn(at: place), turn.stage == .ready else { continue }
            start(place, turn, now)
        }
    }

    /// Running attempts, and starts whose note is on the way.
    private var slotsInUse: Int { attempts.count + notingCount }

    private var notingCount: Int { suspects.count - attempts.values.count { $0.turn.suspicion != nil } }

    func turn(at place: TurnPlace) -> Turn? {
        guard let partition = partitions[place.partition], partition.epoch == place.epoch else { return nil }
        return partition.turns[place.offset]
    }

    /// Suspects start only with few others of their kind beside them, and only after their start is on record.
    private mutating func dispatchSuspects(_ now: WorkerNow) {
        guard !suspectsReady.isEmpty else { return }
        var left: [TurnPlace] = []
        for place in suspectsReady {
            guard let turn = turn(at: place), turn.stage == .ready, let suspicion = turn.suspicion else { continue }
            if suspicion.isProven {
                decide(
                    place,
                    OutcomeDetail(
                        .dead, deathReason: .workerLost, endedAt: now.wall, code: "worker-lost",
                        message: "the process died twice while this event ran alone among suspects "
                            + "(\(suspicion.lostStarts) lost starts)"), now)
            } else if slotsInUse < configuration.concurrency,
                suspects.admits(suspicion, concurrency: configuration.concurrency)
            {
                note(place, turn, suspicion)
            } else {
                left.append(place)
            }
        }
        suspectsReady = left
    }

    private mutating func note(_ place: TurnPlace, _ turn: Turn, _ suspicion: Suspicion) {
        guard let partition = partitions[place.partition] else { return }
        partitions[place.partition]?.turns[place.offset]?.stage = .noting
        suspects.insert(turn.event.coordinate, suspicion)
        let isAlone = suspicion.companions(concurrency: configuration.concurrency) == 0
        appendLedger(ledgerNote(.started(alone: isAlone), turn.event), to: partition.ledger, .started(place))
    }

    func ledgerNote(_ body: LedgerRecord.Body, _ event: TaskEvent) -> LedgerRecord {
        LedgerRecord(
            coordinate: event.coordinate, attempt: event.attempt, laneHash: event.laneHash,
            worker: configuration.identity, body: body)
    }

    mutating func start(_ place: TurnPlace, _ turn: Turn, _ now: WorkerNow) {
        guard let partition = partitions[place.partition] else { return }
        guard let policy = tasks[turn.event.task] else {
            let detail = OutcomePolicy(unknownTaskMaxAge: configuration.unknownTaskMaxAge)
                .unknownTask(event: turn.event, firstDue: turn.firstDue, now: now.wall)
            return decide(place, detail, now)
        }
        let id = nextAttemptID
        nextAttemptID += 1
        partitions[place.partition]?.turns[place.offset]?.stage = .running(id)
        attempts[id] = Attempt(
            id: id, turn: turn, due: place.partition, ledger: partition.ledger, queue: partition.queue,
            epoch: place.epoch, offset: place.offset, startedAt: now.wall, deadline: now.uptime + policy.timeout)
        count(\.started)
        actions.append(
            .start(
                AttemptStart(
                    id: id, event: turn.event, queue: partition.queue,
                    fencingToken: FencingToken(
                        partition: place.partition.partition, epoch: place.epoch, turn: turn.event.turn),
                    deadline: now.wall + policy.timeout)))
    }

    /// The next uptime at which this attempt needs attention.
    func nextWake(of attempt: Attempt) -> Int64 {
        let deadline = attempt.cancelReason == nil ? attempt.deadline : .max
        guard case .departed(let departure) = attempt.standing, !departure.isExpired else { return deadline }
        return min(deadline, leaseStop(departure), departure.renewAt)
    }

    /// Deadlines, and leases of departed attempts that ran out.
    mutating func checkAttempts(_ now: WorkerNow) {
        for (id, attempt) in attempts.sorted(by: { $0.key < $1.key }) {
            if attempt.cancelReason == nil, attempt.deadline <= now.uptime {
                count(\.timeouts)
                cancel(id, .timeout)
            }
            checkLease(id, now)
        }
    }

    mutating func cancel(_ id: AttemptID, _ reason: Attempt.CancelReason) {
        guard attempts[id] != nil else { return }
        if attempts[id]?.cancelReason == nil { actions.append(.cancel(id)) }
        // A timeout that was under way yields to a decision of others or to a lost lease: those forbid more.
        attempts[id]?.cancelReason = reason
    }
}
