internal import TaskLog
internal import TaskModel

/// What has become durable.
extension SchedulerStateMachine {
    mutating func appended(
        _ batch: Int, _ results: [Result<AppendReceipt, LogError>], _ now: ClockReading
    ) {
        var stamp: Timestamp?
        var failure: LogError?
        var failures: UInt64 = 0
        for result in results {
            switch result {
            case .success(let receipt): stamp = max(stamp ?? receipt.timestamp, receipt.timestamp)
            case .failure(let error):
                failures += 1
                failure = error
            }
        }
        if let reading = sent.removeValue(forKey: batch), let stamp { clock.acknowledged(stamp, sent: reading) }
        if let failure {
            metrics.appendFailures.increment(by: failures)
            actions.append(
                .log(LogLine(level: .warning, message: "\(failures) appends failed: \(failure.message)")))
        }
        for progress in outbox.complete(batch, results, uptime: now.uptime) { take(progress, now) }
    }

    private mutating func take(_ progress: Outbox<ChainPurpose>.Progress, _ now: ClockReading) {
        switch progress.step {
        case .durable(let index, let offset, let isLast):
            durable(progress.purpose, index: index, offset: offset, isLast: isLast, now)
        case .refused(let error):
            refused(progress.purpose, error, now)
        }
    }

    private mutating func durable(
        _ purpose: ChainPurpose, index: Int, offset: Int64, isLast: Bool, _ now: ClockReading
    ) {
        switch purpose {
        case .emission(let tenure, let emission):
            if index == 0 {
                emitted(emission.coordinate, queue: emission.queue, due: emission.due, .waiting, now)
            } else {
                forget(emission.coordinate, tombstone: offset, tenure)
            }
        case .drop(let tenure, let coordinate): forget(coordinate, tombstone: offset, tenure)
        case .burial(let tenure, let coordinate):
            if isLast { forget(coordinate, tombstone: offset, tenure) }
        case .fire(let tenure, let fire):
            if !isLast {
                for event in fire.events { emitted(event.coordinate, queue: fire.queue, due: event.due, .fire, now) }
            } else {
                complete(fire, tenure)
            }
        case .command(let tenure, let command): durable(command, tenure, index: index, isLast: isLast, now)
        case .restate(let tenure, let ids): restated(ids, tenure)
        case .marker, .journal: break
        }
    }

    /// The due topic was there, and is not, or has fewer partitions: what was to go there waits for it.
    private mutating func putBack(_ purpose: ChainPurpose, _ now: ClockReading) -> Bool {
        switch purpose {
        case .emission(let tenure, let emission):
            directory.doubt(emission.queue, uptime: now.uptime)
            timers[tenure.partition.partition]?.park(emission.coordinate, queue: emission.queue)
        case .fire(let tenure, let fire):
            directory.doubt(fire.queue, uptime: now.uptime)
            schedules[tenure.partition.partition]?.table.park(fire.id, queue: fire.queue)
            rewriteIfAsked(fire.id, tenure)
        case .command(let tenure, let command):
            // It is refused, as it would be were it decided now.
            let definition = schedules[tenure.partition.partition]?.table.definition(of: command.scheduleID)
            if let definition { directory.doubt(definition.spec.queue, uptime: now.uptime) }
            return false
        default: return false
        }
        return true
    }

    private mutating func restated(_ ids: [String], _ tenure: Tenure) {
        for id in ids {
            schedules[tenure.partition.partition]?.table.release(id)
            rewriteIfAsked(id, tenure)
        }
    }

    private mutating func emitted(
        _ coordinate: Coordinate, queue: String, due: Timestamp, _ cause: SchedulerMetrics.Cause, _ now: ClockReading
    ) {
        metrics.emitted(cause).increment()
        metrics.lateness.observe(milliseconds: max(0, now.wall - due))
        notice(.emitted(coordinate, queue: queue))
    }

    private mutating func forget(_ coordinate: Coordinate, tombstone: Int64, _ tenure: Tenure) {
        timers[tenure.partition.partition]?.finish(coordinate, tombstone: tombstone)
        notice(.forgotten(coordinate))
    }

    private mutating func complete(_ fire: Fire, _ tenure: Tenure) {
        let partition = tenure.partition.partition
        guard schedules[partition]?.table.complete(fire.id, state: fire.state, nextWake: fire.nextWake) == true
        else { return }
        notice(.advanced(scheduleID: fire.id, cursor: fire.state.cursor))
        rewriteIfAsked(fire.id, tenure)
    }

    private mutating func durable(
        _ command: CommandUnderWay, _ tenure: Tenure, index: Int, isLast: Bool, _ now: ClockReading
    ) {
        if index == 0, case .run(let event, nil) = command.effect {
            let queue = schedules[tenure.partition.partition]?.table.definition(of: command.scheduleID)?.spec.queue
            emitted(event.coordinate, queue: queue ?? "", due: event.dueAt ?? now.wall, .manual, now)
        }
        if index == command.resultStage {
            metrics.answered(command.word)?.increment()
            actions.append(.notice(.answered(command: command.id, word: command.word)))
        }
        guard isLast else { return }
        let partition = tenure.partition.partition
        switch command.effect {
        case .none, .run: schedules[partition]?.table.release(command.scheduleID)
        case .write(let definition, let state):
            directory.anticipate(definition.spec.queue)
            schedules[partition]?.table.complete(command.scheduleID, definition: definition, state: state)
        case .remove: schedules[partition]?.table.remove(command.scheduleID)
        }
        schedules[partition]?.commands.settle(offset: command.offset)
        rewriteIfAsked(command.scheduleID, tenure)
    }

    private mutating func rewriteIfAsked(_ id: String, _ tenure: Tenure) {
        if schedules[tenure.partition.partition]?.table.takeRewrite(id) == true { rewrite(id, tenure) }
    }

    // MARK: what the log refuses for good

    private mutating func refused(_ purpose: ChainPurpose, _ error: LogError, _ now: ClockReading) {
        if error.isMissingTopic, putBack(purpose, now) { return }
        actions.append(.log(LogLine(level: .error, message: "the log refuses a record: \(error.message)")))
        switch purpose {
        case .emission(let tenure, let emission): bury(emission, reason: error.message, tenure, now)
        case .burial(let tenure, let coordinate):
            // Not even a dead letter takes it. The journal keeps its name, and the partition goes on.
            let entry = JournalEntry(
                subject: coordinate.fingerprint.hex, kind: .discarded, at: now.wall, author: Self.author,
                reason: "no topic takes it: \(error.message)", fingerprint: coordinate.fingerprint)
            outbox.add(
                [
                    [
                        maker.tombstone(.emission(coordinate), partition: tenure.partition.partition),
                        maker.journal(entry),
                    ]
                ], for: .drop(tenure, coordinate))
        case .fire(let tenure, var fire):
            guard let epoch = owned[tenure.partition]?.epoch, !fire.events.isEmpty else { return }
            fire.events = []
            fire.journal = [
                JournalEntry(
                    subject: fire.id, kind: .discarded, at: now.wall, author: Self.author, reason: error.message,
                    nominal: fire.state.cursor)
            ]
            send(fire, events: [], tenure, epoch: epoch)
        case .command(let tenure, let command):
            if case .none = command.effect {
                schedules[tenure.partition.partition]?.table.release(command.scheduleID)
                schedules[tenure.partition.partition]?.commands.settle(offset: command.offset)
            } else if let epoch = owned[tenure.partition]?.epoch {
                let decision = Self.refusal(
                    commandID: command.id, scheduleID: command.scheduleID, reason: error.message, now)
                send(decision, offset: command.offset, tenure, epoch: epoch)
            }
        case .restate(let tenure, let ids): restated(ids, tenure)
        case .drop, .marker, .journal: break
        }
    }
}
