internal import TaskLog
internal import TaskModel

/// What is due goes out: waiting events, and fires of schedules.
extension SchedulerStateMachine {
    mutating func emitDue(_ partition: Int32, _ now: ClockReading) {
        guard let tenure = owned[TopicPartition(configuration.names.retry, partition)]?.tenure else { return }
        let limit = room
        guard let due = timers[partition]?.takeDue(now: now.wall, limit: limit), !due.isEmpty else { return }
        for entry in due {
            switch entry.work {
            case .emit(let waiting, let due): emit(waiting, due: due, tenure)
            case .drop: drop(entry.coordinate, tenure, now)
            case .bury(let record, let reason): bury(entry.coordinate, record, reason: reason, tenure, now)
            }
        }
        for queue in missingQueues { timers[partition]?.unloadParked(queue: queue) }
    }

    private mutating func emit(_ waiting: WaitingEvent, due: Timestamp, _ tenure: Tenure) {
        let coordinate = waiting.event.coordinate
        guard case .partitions(let count) = directory.look(up: waiting.queue) else {
            timers[tenure.partition.partition]?.park(coordinate, queue: waiting.queue)
            return
        }
        var event = waiting.event
        event.dueAt = due
        outbox.add(
            [
                [maker.due(event, queue: waiting.queue, partitions: count)],
                [maker.tombstone(.emission(coordinate), partition: tenure.partition.partition)],
            ], for: .emission(tenure, waiting, due: due))
    }

    private mutating func drop(_ coordinate: Coordinate, _ tenure: Tenure, _ now: ClockReading) {
        metrics.cancelled.increment()
        let entry = JournalEntry(
            subject: coordinate.fingerprint.hex, kind: .cancelled, at: now.wall, author: Self.author,
            reason: "a cancel marker names \(coordinate)", fingerprint: coordinate.fingerprint)
        outbox.add(
            [[maker.tombstone(.emission(coordinate), partition: tenure.partition.partition), maker.journal(entry)]],
            for: .drop(tenure, coordinate))
    }

    /// A waiting event that cannot be read is not lost: it ends as a dead letter with its raw bytes.
    private mutating func bury(
        _ coordinate: Coordinate, _ record: LogRecord, reason: String, _ tenure: Tenure, _ now: ClockReading
    ) {
        metrics.undecodable.increment()
        actions.append(
            .log(
                LogLine(
                    level: .error, message: "a waiting event cannot be read: \(reason)",
                    fields: ["place": "\(record.place)"])))
        let event = TaskEvent(
            id: "\(record.place)", source: FireMaker.source, task: "", payload: record.value ?? [],
            fingerprint: coordinate.fingerprint)
        let letter = DeadLetter(
            event: event, queue: "", reason: .undecodable, place: record.place,
            raw: DeadLetter.RawRecord(key: record.key, headers: record.headers, problem: reason))
        bury(coordinate, letter, reason: reason, tenure, now)
    }

    mutating func bury(
        _ coordinate: Coordinate, _ letter: DeadLetter, reason: String, _ tenure: Tenure, _ now: ClockReading
    ) {
        let entry = JournalEntry(
            subject: coordinate.fingerprint.hex, kind: .discarded, at: now.wall, author: Self.author,
            reason: "dead letter: \(reason)", fingerprint: coordinate.fingerprint)
        outbox.add(
            [
                [maker.dead(letter)],
                [
                    maker.tombstone(.emission(coordinate), partition: tenure.partition.partition),
                    maker.journal(entry),
                ],
            ], for: .burial(tenure, coordinate))
    }

    // MARK: schedules

    mutating func fireDue(_ partition: Int32, _ now: ClockReading) {
        guard let entry = owned[commandsPartition(partition)] else { return }
        while room > 0, let id = schedules[partition]?.table.takeDue(now: now.wall) {
            guard let definition = schedules[partition]?.table.definition(of: id),
                let state = schedules[partition]?.table.state(of: id)
            else { continue }
            let plan = Planner.plan(definition.spec, state, now: now.wall)
            guard !plan.decisions.isEmpty else {
                schedules[partition]?.table.sleep(id, until: plan.nextWake)
                continue
            }
            start(plan, of: definition.spec, entry, now)
        }
    }

    private mutating func start(_ plan: Planner.Plan, of spec: ScheduleSpec, _ entry: Owned, _ now: ClockReading) {
        let partition = entry.tenure.partition.partition
        var fire = Fire(id: spec.id, queue: spec.queue, events: [], state: plan.state, journal: [])
        var events: [TaskEvent] = []
        for decision in plan.decisions {
            switch decision {
            case .fire(let nominal, let due, let standsFor):
                let event = FireMaker.event(of: spec, nominal: nominal, due: due, standsFor: standsFor, now: now.wall)
                events.append(event)
                fire.events.append(.init(coordinate: event.coordinate, due: due))
                fire.journal += Self.entries(of: event, spec.id, standsFor: standsFor, now)
            case .drop(let nominal, let count, let reason):
                metrics.misfires.increment(by: UInt64(count))
                fire.journal.append(
                    JournalEntry(
                        subject: spec.id, kind: reason.journalKind, at: now.wall, author: Self.author,
                        reason: reason.rawValue, nominal: nominal, count: count))
            }
        }
        var appends: [LogAppend] = []
        if !events.isEmpty {
            guard case .partitions(let count) = directory.look(up: spec.queue) else {
                schedules[partition]?.table.park(spec.id, queue: spec.queue)
                return
            }
            appends = events.map { maker.due($0, queue: spec.queue, partitions: count) }
        }
        schedules[partition]?.table.begin(spec.id)
        send(fire, events: appends, entry.tenure, epoch: entry.epoch)
    }

    /// Events first, then the state that says so.
    mutating func send(_ fire: Fire, events: [LogAppend], _ tenure: Tenure, epoch: Int64) {
        let state = maker.schedule(
            .state(fire.id, fire.state), partition: tenure.partition.partition, epoch: epoch)
        let ending = [state] + fire.journal.map(maker.journal)
        outbox.add(events.isEmpty ? [ending] : [events, ending], for: .fire(tenure, fire))
    }

    private static func entries(
        of event: TaskEvent, _ id: String, standsFor: Int, _ now: ClockReading
    ) -> [JournalEntry] {
        let fired = JournalEntry(
            subject: id, kind: .fired, at: now.wall, author: author, reason: "nominal time",
            fingerprint: event.fingerprint, nominal: event.nominalTime)
        guard standsFor > 1 else { return [fired] }
        var coalesced = fired
        coalesced.kind = .coalesced
        coalesced.reason = "one fire stands for \(standsFor) nominal times"
        coalesced.count = standsFor
        return [fired, coalesced]
    }
}
