internal import TaskLog
internal import TaskModel

/// Attempts end, decisions and effects become durable, offsets settle.
extension WorkerStateMachine {
    mutating func finished(_ id: AttemptID, _ result: AttemptResult, _ now: WorkerNow) {
        guard let attempt = attempts.remove(id) else { return }
        if attempt.suspicion != nil { suspects.remove(attempt.facts.coordinate) }
        let detail = outcome(of: attempt, result, now)
        switch attempt.standing {
        case .departed(let departure):
            departed[attempt.facts.coordinate] = nil
            finishDeparted(attempt, departure, detail, now)
        case .owned: conclude(attempt, detail)
        }
    }

    private func outcome(of attempt: Attempt, _ result: AttemptResult, _ now: WorkerNow) -> OutcomeDetail {
        let policy = tasks[attempt.facts.event.task] ?? TaskPolicy()
        if let newcomer = attempt.displacedBy, result != .completed {
            return displaced(by: newcomer, startedAt: attempt.startedAt, now)
        }
        var ended = result
        if attempt.cancelReason == .timeout, result != .completed {
            ended = .failed(code: "timeout", message: "no end within \(policy.timeout) ms")
        }
        return OutcomePolicy(retry: policy.retry, unknownTaskMaxAge: configuration.unknownTaskMaxAge).outcome(
            of: ended, event: attempt.facts.event, firstDue: attempt.facts.firstDue, startedAt: attempt.startedAt,
            now: now.wall)
    }

    /// The owner's own attempt ended. What the ledger already says may stand against it; completed beats all.
    private mutating func conclude(_ attempt: Attempt, _ detail: OutcomeDetail) {
        let place = attempt.place
        guard let turn = turn(at: place), ledgers[attempt.slot].isKept else { return }
        let isCompleted = detail.outcome == .completed
        switch ledgers[attempt.slot].fold.judge(attempt.facts.coordinate) {
        case .run where attempt.cancelReason == .leaseExpired && !isCompleted:
            // It was stopped because its partition was lost, and the partition came back: the same turn, from the start.
            judgeAgain(place)
        case .run: decide(place, turn, detail)
        case .stale(let known) where known != .completed && isCompleted: decide(place, turn, detail)
        case .redo where isCompleted: decide(place, turn, detail)
        case .stale: settled(place)
        case .redo(let decision):
            var machine = SettleMachine()
            perform(machine.decided(decision), machine, place)
        }
    }

    mutating func judgeAgain(_ place: TurnPlace) {
        setStage(.waiting, at: place)
        toJudge.append(place)
    }

    mutating func decide(_ place: TurnPlace, _ turn: Turn, _ detail: OutcomeDetail) {
        var machine = SettleMachine()
        let step = machine.decide(decision(turn.facts.event, detail))
        perform(step, machine, place)
    }

    func decision(_ event: TaskEvent, _ detail: OutcomeDetail) -> Decision {
        Decision(
            coordinate: event.coordinate, attempt: event.attempt, worker: identity, laneHash: event.laneHash,
            detail: detail)
    }

    mutating func perform(_ step: SettleMachine.Step, _ machine: SettleMachine, _ place: TurnPlace) {
        switch step {
        case .appendDecision(let decision):
            setStage(.settling(machine), at: place)
            appendLedger(decision.record, to: place.slot, .decision(place))
        case .appendEffect(let decision):
            setStage(.settling(machine), at: place)
            if let effect = effect(of: decision, at: place) { append(.effect(place), effect) }
        case .settle: settled(place)
        }
    }

    /// Our decision is in the ledger. What counts is what the ledger made of it: another one of this turn may have come
    /// before, or one that beats it.
    mutating func decided(_ place: TurnPlace, _ receipt: AppendReceipt, _ now: WorkerNow) {
        guard let turn = partitions.turn(at: place), case .settling(let machine) = turn.stage,
            case .deciding(let decision) = machine.state
        else { return }
        let change = ledgers[place.slot].fold.apply(decision, time: receipt.timestamp)
        ledgers[place.slot].own.insert(receipt.offset)
        count(decision.detail.outcome)
        if case .raised = change, decision.detail.outcome == .completed, !ledgers[place.slot].fold.hasLateCompletions {
            // As almost always: nothing stands against it, and it has no effect.
            report(decision, turn)
            return settled(place)
        }
        journalSkip(decision, turn, now)
        resolveLateCompletions(of: place.slot, now)
        carryOut(decision, machine, turn, place)
    }

    /// A decision of ours is durable: its effect, or the end. The ledger is asked before each try of the effect, also
    /// when the log has refused the one before: what was completed or cancelled meanwhile gets no retry and no letter.
    mutating func carryOut(_ decision: Decision, _ settling: SettleMachine, _ turn: Turn, _ place: TurnPlace) {
        var machine = settling
        var standing = decision
        switch ledgers[place.slot].fold.judge(decision.coordinate) {
        case .stale:
            report(decision, turn)
            return perform(machine.settle(), machine, place)
        case .redo(let known):
            // Ours has its text for certain, the ledger's may have lost it.
            let isOurs = known.coordinate == decision.coordinate && known.detail.outcome == decision.detail.outcome
            if !isOurs { standing = known }
        case .run: break
        }
        perform(machine.decided(standing), machine, place)
    }

    mutating func effectDone(_ place: TurnPlace, isPaused: Bool = false) {
        guard let turn = turn(at: place), case .settling(var machine) = turn.stage,
            case .doing(let decision) = machine.state
        else { return }
        if !isPaused, let command = pauseCommand(of: decision, turn) { return append(.pause(place), command) }
        report(decision, turn)
        ledgers[place.slot].fold.forgetDeadDetail(decision.coordinate.fingerprint)
        perform(machine.settle(), machine, place)
    }

    private mutating func report(_ decision: Decision, _ turn: Turn) {
        emit(
            .report(
                .settled(
                    decision.coordinate, task: turn.facts.event.task, decision.detail.outcome,
                    attempt: decision.attempt, code: decision.detail.code, message: decision.detail.message)))
    }

    /// The watermark may pass this offset. The next record of the fingerprint is judged.
    mutating func settled(_ place: TurnPlace) {
        hasNews = true
        if !laneWaits.isEmpty, let turn = turn(at: place) { wakeLane(turn.facts.keyHash, of: place.slot) }
        if let next = partitions[place.slot].settle(place) { toJudge.append(next) }
        if partitions[place.slot].isPaused || partitions[place.slot].hasBacklog { toRefill.insert(place.slot) }
    }

    /// Replays known both as dead and as completed: a late `completed` beat a death, the open letter is answered.
    mutating func resolveLateCompletions(of slot: Int, _ now: WorkerNow) {
        for key in ledgers[slot].fold.takeLateCompletions() {
            let mark = DeadTopicRecord.mark(
                key,
                DeadLetterMark(
                    kind: .resolved, by: identity, reason: "an attempt that was taken for lost has completed",
                    at: now.wall))
            let body = mark.encoded()
            append(
                .note,
                LogAppend(body, to: TopicPartition(configuration.names.dead, controlPartition(of: key.fingerprint))))
            emit(.report(.resolved(key)))
        }
    }

    /// Who asks why a fire never ran finds it beside the scheduler's own decisions.
    private mutating func journalSkip(_ decision: Decision, _ turn: Turn, _ now: WorkerNow) {
        let kind: JournalEntry.Kind
        switch decision.detail.outcome {
        case .skipped: kind = .skipped
        case .cancelled: kind = .cancelled
        default: return
        }
        let event = turn.facts.event
        journal(
            JournalEntry(
                subject: event.scheduleID ?? event.fingerprint.hex, kind: kind, at: now.wall, author: identity,
                reason: decision.detail.message ?? decision.detail.outcome.word, fingerprint: event.fingerprint,
                nominal: event.nominalTime))
    }

    mutating func journal(_ entry: JournalEntry) {
        let body = entry.encoded()
        append(
            .note,
            LogAppend(
                body,
                to: TopicPartition(
                    configuration.names.journal,
                    Murmur2.partition(of: body.key ?? [], count: configuration.controlPartitions))))
    }
}
