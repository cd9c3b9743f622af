internal import TaskLog
internal import TaskModel

/// Commands are applied in log order, one at a time for each schedule.
///
/// So a crash leaves at most one command of a schedule without its result, and the schedule's record names that one.
extension SchedulerStateMachine {
    mutating func applyCommands(_ partition: Int32, _ now: ClockReading) {
        guard let entry = owned[commandsPartition(partition)] else { return }
        while room > 0, let item = schedules[partition]?.commands.first {
            guard schedules[partition]?.table.isIdle(item.scheduleID) == true,
                let decision = decide(item, partition, now)
            else { break }
            schedules[partition]?.commands.takeFirst()
            schedules[partition]?.table.begin(item.scheduleID)
            send(decision, offset: item.offset, entry.tenure, epoch: entry.epoch)
        }
        if let current = schedules[partition], current.isPaused,
            current.commands.count < Self.maximumQueuedCommands / 2
        {
            schedules[partition]?.isPaused = false
            actions.append(.resume(commandsPartition(partition)))
        }
    }

    /// Nil while the answer depends on something that is being asked for.
    private mutating func decide(
        _ item: CommandQueue.Item, _ partition: Int32, _ now: ClockReading
    ) -> CommandDecision? {
        switch item {
        case .unreadable(let id, let scheduleID, _, let reason):
            metrics.undecodable.increment()
            return Self.refusal(commandID: id, scheduleID: scheduleID, reason: reason, now)
        case .command(let received):
            let id = received.command.scheduleID
            let definition = schedules[partition]?.table.definition(of: id)
            let state = schedules[partition]?.table.state(of: id)
            let decision = CommandApplier.decide(received, definition: definition, state: state, now: now.wall)
            switch decision.effect {
            case .none, .remove: return decision
            case .write(let next, _):
                guard let definition, let state, next.spec.namesOtherTimes(than: definition.spec) else {
                    return decision
                }
                return firesBefore(received.at, definition.spec, state, partition, now) ? nil : decision
            case .run:
                guard let queue = definition?.spec.queue else { return decision }
                switch directory.look(up: queue) {
                case .topic: return decision
                case .pending: return nil
                case .absent:
                    return Self.refusal(
                        commandID: received.command.id, scheduleID: id,
                        reason: "the topic of queue \"\(queue)\" does not exist", now)
                }
            }
        }
    }

    /// An edit holds from its own time on, however late it is read: what the old spec named up to then is decided first.
    /// Whether there is such a time left.
    private mutating func firesBefore(
        _ edit: Timestamp, _ spec: ScheduleSpec, _ state: ScheduleState, _ partition: Int32, _ now: ClockReading
    ) -> Bool {
        guard let entry = owned[commandsPartition(partition)] else { return false }
        let time: Timestamp
        switch hold {
        // The first acknowledgement comes soon, and how late a fire is decides about it.
        case .unknown: return true
        case .open: time = now.wall
        case .holding: time = clock.brokerTime(now) ?? edit
        }
        // The broker took the edit: by its clock all of them have passed, whatever ours says.
        let plan = Planner.plan(spec, state, closedAt: edit, now: max(time, edit))
        guard !plan.decisions.isEmpty else { return false }
        switch directory.look(up: spec.queue) {
        case .pending: return true
        // Nobody can say when it comes; the edit does not wait for that.
        case .absent: return false
        case .topic: break
        }
        start(plan, of: spec, after: state.cursor, entry, now)
        return true
    }

    static func refusal(
        commandID: String, scheduleID: String, reason: String, _ now: ClockReading
    ) -> CommandDecision {
        CommandDecision(
            effect: .none,
            result: CommandResult(
                commandID: commandID, scheduleID: scheduleID, outcome: .refused(reason: reason), at: now.wall),
            journal: [])
    }

    mutating func send(_ decision: CommandDecision, offset: Int64, _ tenure: Tenure, epoch: Int64) {
        let partition = tenure.partition.partition
        let id = decision.result.scheduleID
        func record(_ record: SchedulesTopicRecord) -> LogAppend {
            maker.schedule(record, partition: partition, epoch: epoch)
        }
        let ending = [maker.result(decision.result, partition: partition)] + decision.journal.map(maker.journal)
        let stages: [[LogAppend]]
        switch decision.effect {
        case .none: stages = [ending]
        case .write(let definition, let state):
            // The definition names the command, so it comes last: with one alone the command would pass for applied.
            stages = [[record(.state(id, state)), record(.definition(definition))], ending]
        case .remove(let mark):
            stages = [
                [record(.definition(mark))], ending, [record(.tombstone(.spec(id))), record(.tombstone(.state(id)))],
            ]
        case .run(let event, let time): stages = [[run(event, at: time, id, partition)], ending]
        }
        let underWay = CommandUnderWay(
            id: decision.result.commandID, scheduleID: id, offset: offset, effect: decision.effect,
            word: decision.result.outcome.word, resultStage: stages.count == 1 ? 0 : 1)
        let runsNow = if case .run(_, nil) = decision.effect { true } else { false }
        outbox.add(stages, for: .command(tenure, underWay), mayLackTopic: runsNow)
    }

    /// A run that is to wait goes through `retry`, as any delayed event does.
    private mutating func run(_ event: TaskEvent, at time: Timestamp?, _ id: String, _ partition: Int32) -> LogAppend {
        let queue = schedules[partition]?.table.definition(of: id)?.spec.queue ?? TopicNames.defaultQueue
        if let time { return maker.waiting(WaitingEvent(event: event, queue: queue, due: .at(time))) }
        guard case .topic(let topic) = directory.look(up: queue) else {
            preconditionFailure("decide() waits until the queue is known")
        }
        return maker.due(event, in: topic)
    }
}
