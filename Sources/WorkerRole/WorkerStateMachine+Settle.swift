internal import TaskLog
internal import TaskModel

/// Attempts end, decisions and effects become durable, offsets settle.
extension WorkerStateMachine {
    mutating func finished(_ id: AttemptID, _ result: AttemptResult, _ now: WorkerNow) {
        guard let attempt = attempts.removeValue(forKey: id) else { return }
        if attempt.turn.suspicion != nil { suspects.remove(attempt.turn.event.coordinate) }
        let detail = outcome(of: attempt, result, now)
        switch attempt.standing {
        case .departed(let departure):
            departed[attempt.turn.event.coordinate] = nil
            finishDeparted(attempt, departure, detail)
        case .owned:
            let place = TurnPlace(partition: attempt.due, epoch: attempt.epoch, offset: attempt.offset)
            conclude(place, detail, attempt, now)
        }
    }

    private func outcome(of attempt: Attempt, _ result: AttemptResult, _ now: WorkerNow) -> OutcomeDetail {
        let policy = tasks[attempt.turn.event.task] ?? TaskPolicy()
        var ended = result
        if attempt.cancelReason == .timeout, result != .completed {
            ended = .failed(code: "timeout", message: "no end within \(policy.timeout) ms")
        }
        return OutcomePolicy(retry: policy.retry, unknownTaskMaxAge: configuration.unknownTaskMaxAge).outcome(
            of: ended, event: attempt.turn.event, firstDue: attempt.turn.firstDue, startedAt: attempt.startedAt,
            now: now.wall)
    }

    /// The owner's own attempt ended. What the ledger already says may stand against it; completed beats all.
    private mutating func conclude(_ place: TurnPlace, _ detail: OutcomeDetail, _ attempt: Attempt, _ now: WorkerNow) {
        guard let partition = partitions[place.partition], partition.epoch == place.epoch,
            let fold = ledgers[partition.ledger]?.fold
        else { return }
        switch fold.judge(attempt.turn.event.coordinate) {
        case .run where attempt.cancelReason == .leaseExpired && detail.outcome != .completed:
            // It was stopped because its partition was lost, and the partition came back: the same turn, from the start.
            partitions[place.partition]?.turns[place.offset]?.stage = .waiting
            judge(place, now)
        case .run: decide(place, detail, now)
        case .stale(let known):
            if detail.outcome == .completed, known != .completed {
                decide(place, detail, now)
            } else {
                settled(place, now)
            }
        case .redo(let decision):
            if detail.outcome == .completed {
                decide(place, detail, now)
            } else {
                var machine = SettleMachine()
                perform(machine.decided(decision), machine, place, now)
            }
        }
    }

    mutating func decide(_ place: TurnPlace, _ detail: OutcomeDetail, _ now: WorkerNow) {
        guard let turn = turn(at: place) else { return }
        var machine = SettleMachine()
        let step = machine.decide(decision(turn.event, detail))
        perform(step, machine, place, now)
    }

    func decision(_ event: TaskEvent, _ detail: OutcomeDetail) -> Decision {
        Decision(
            coordinate: event.coordinate, attempt: event.attempt, worker: configuration.identity,
            laneHash: event.laneHash, detail: detail)
    }

    mutating func perform(_ step: SettleMachine.Step, _ machine: SettleMachine, _ place: TurnPlace, _ now: WorkerNow) {
        guard let partition = partitions[place.partition], let turn = partition.turns[place.offset] else { return }
        partitions[place.partition]?.turns[place.offset]?.stage = .settling(machine)
        switch step {
        case .appendDecision(let decision): appendLedger(decision.record, to: partition.ledger, .decision(place))
        case .appendEffect(let decision): append(.effect(place), effect(of: decision, turn, partition.queue))
        case .settle: settled(place, now)
        }
    }

    /// The record that a decision causes: the next turn in `retry`, or the dead letter.
    private func effect(of decision: Decision, _ turn: Turn, _ queue: String) -> LogAppend {
        let topic: String
        let body: RecordBody
        if decision.detail.outcome == .dead {
            topic = configuration.names.dead
            body = DeadLetter(
                event: decision.lastTurn(of: turn.event), queue: queue,
                reason: decision.detail.deathReason ?? .attemptsExhausted, place: turn.place, raw: turn.raw
            ).encoded()
        } else {
            topic = configuration.names.retry
            body = WaitingEvent(
                event: decision.nextTurn(of: turn.event, recordTime: turn.recordTime), queue: queue,
                due: .after(milliseconds: decision.detail.delay ?? 0)
            ).encoded()
        }
        return LogAppend(
            topic: topic, partition: controlPartition(of: turn.event.fingerprint), key: body.key, value: body.value,
            headers: body.headers)
    }

    mutating func appended(_ results: [AppendResult], _ now: WorkerNow) {
        for result in results {
            switch result.result {
            case .success(let receipt): acknowledged(result.append.purpose, receipt, now)
            case .failure(let error):
                // Of unknown result, or refused for now: appended again. Repetition is harmless, a gap is not.
                count(\.appendFailures)
                actions.append(.report(.appendFailed(error)))
                refused.append(result.append)
                refusedUntil = refusedUntil ?? now.uptime + configuration.appendRetryDelay
            }
        }
    }

    private mutating func acknowledged(_ purpose: AppendPurpose, _ receipt: AppendReceipt, _ now: WorkerNow) {
        switch purpose {
        case .started(let place):
            guard let turn = turn(at: place), turn.stage == .noting else { return }
            start(place, turn, now)
            // A task that nobody here knows was noted but never started.
            if case .running = self.turn(at: place)?.stage { return }
            suspects.remove(turn.event.coordinate)
        case .decision(let place): decided(place, receipt, now)
        case .effect(let place):
            guard let turn = turn(at: place), case .settling(var machine) = turn.stage else { return }
            if case .doing(let decision) = machine.state { report(decision, turn) }
            if let partition = partitions[place.partition] {
                ledgers[partition.ledger]?.fold.forgetDeadDetail(turn.event.fingerprint)
            }
            perform(machine.settle(), machine, place, now)
        case .forward(let place):
            guard let turn = turn(at: place), turn.stage == .forwarding else { return }
            count(\.forwarded)
            actions.append(.report(.forwarded(turn.event.coordinate, from: place.partition)))
            settled(place, now)
        case .lease(let id, let sentAt): leaseAcknowledged(id, sentAt: sentAt)
        case .departedDecision(let coordinate): departedDecisions[coordinate] = nil
        case .note: break
        }
    }

    private mutating func decided(_ place: TurnPlace, _ receipt: AppendReceipt, _ now: WorkerNow) {
        guard let partition = partitions[place.partition], partition.epoch == place.epoch,
            let turn = partition.turns[place.offset], case .settling(var machine) = turn.stage,
            case .deciding(let decision) = machine.state
        else { return }
        let change = ledgers[partition.ledger]?.fold.apply(decision.record, time: receipt.timestamp)
        count(decision.detail.outcome)
        if case .raised(_, from: .dead) = change, decision.detail.outcome == .completed {
            resolve(decision.coordinate, now)
        }
        let step = machine.decided(decision)
        if step == .settle { report(decision, turn) }
        perform(step, machine, place, now)
    }

    private mutating func report(_ decision: Decision, _ turn: Turn) {
        actions.append(
            .report(
                .settled(
                    decision.coordinate, task: turn.event.task, decision.detail.outcome, attempt: decision.attempt,
                    code: decision.detail.code, message: decision.detail.message)))
    }

    /// The watermark may pass this offset. The next record of the fingerprint is judged.
    mutating func settled(_ place: TurnPlace, _ now: WorkerNow) {
        guard let turn = turn(at: place) else { return }
        let due = place.partition
        let fingerprint = turn.event.fingerprint
        partitions[due]?.turns[place.offset] = nil
        partitions[due]?.tracker.settle(place.offset)
        partitions[due]?.needsCommit = true
        partitions[due]?.bufferedBytes -= turn.byteCount
        if let partition = partitions[due], partition.tracker.watermark > place.offset {
            partitions[due]?.watermarkTime = max(partition.watermarkTime, turn.recordTime)
        }
        let rest = (partitions[due]?.offsets[fingerprint] ?? []).filter { $0 != place.offset }
        partitions[due]?.offsets[fingerprint] = rest.isEmpty ? nil : rest
        resumeIfRoom(due)
        if let next = rest.first, partitions[due]?.turns[next]?.stage == .waiting {
            judge(TurnPlace(partition: due, epoch: place.epoch, offset: next), now)
        }
    }

    /// A late `completed` beat a death: the open letter is answered.
    mutating func resolve(_ coordinate: Coordinate, _ now: WorkerNow) {
        let mark = DeadTopicRecord.mark(
            DeadLetterKey(fingerprint: coordinate.fingerprint, replay: coordinate.replay),
            DeadLetterMark(
                kind: .resolved, by: configuration.identity,
                reason: "an attempt that was taken for lost has completed", at: now.wall))
        let body = mark.encoded()
        append(
            .note,
            LogAppend(
                topic: configuration.names.dead, partition: controlPartition(of: coordinate.fingerprint), key: body.key,
                value: body.value, headers: body.headers))
        actions.append(.report(.resolved(coordinate)))
    }
}
