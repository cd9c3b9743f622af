internal import TaskLog
internal import TaskModel

/// What is due goes out: waiting events, and fires of schedules.
extension SchedulerStateMachine {
    mutating func emitDue(_ partition: Int32, _ now: ClockReading) {
        guard let tenure = owned[TopicPartition(configuration.names.retry, partition)]?.tenure else { return }
        let limit = min(room, portion)
        guard let due = timers[partition]?.takeDue(now: now.wall, limit: limit), !due.isEmpty else { return }
        portion -= due.count
        for entry in due {
            switch entry.work {
            case .emit(let emission): emit(emission, tenure)
            case .drop: drop(entry.coordinate, tenure, now)
            case .bury(let record, let reason): bury(entry.coordinate, record, reason: reason, tenure, now)
            }
        }
        for queue in missingQueues { timers[partition]?.unloadParked(queue: queue) }
    }

    private mutating func emit(_ emission: DueEmission, _ tenure: Tenure) {
        guard case .topic(let topic) = directory.look(up: emission.queue) else {
            timers[tenure.partition.partition]?.park(emission.coordinate, queue: emission.queue)
            return
        }
        outbox.add(
            [
                [maker.due(emission, in: topic)],
                [maker.tombstone(.emission(emission.coordinate), partition: tenure.partition.partition)],
            ], for: .emission(tenure, emission), mayLackTopic: true)
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
        let event = Self.nameless(coordinate, payload: record.value, place: record.place)
        let letter = DeadLetter(
            event: event, queue: "", reason: .undecodable, place: record.place,
            raw: DeadLetter.RawRecord(key: record.key, headers: record.headers, problem: reason))
        bury(coordinate, letter, reason: reason, tenure, now)
    }

    private static func nameless(_ coordinate: Coordinate, payload: [UInt8]?, place: RecordPlace) -> TaskEvent {
        TaskEvent(
            id: "\(place)", source: FireMaker.source, task: "", payload: payload ?? [],
            fingerprint: coordinate.fingerprint)
    }

    /// The due topic refuses it for good.
    mutating func bury(_ emission: DueEmission, reason: String, _ tenure: Tenure, _ now: ClockReading) {
        let place = RecordPlace(topic: tenure.partition.topic, partition: tenure.partition.partition, offset: -1)
        // It was read when it arrived.
        let event =
            (try? emission.event(place: place))
            ?? Self.nameless(emission.coordinate, payload: emission.body.value, place: place)
        bury(
            emission.coordinate, DeadLetter(event: event, queue: emission.queue, reason: .fatal, place: place),
            reason: reason, tenure, now)
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
        while room > 0, portion > 0, let (spec, state) = schedules[partition]?.table.takeDue(now: now.wall) {
            portion -= 1
            let plan = Planner.plan(spec, state, now: now.wall)
            guard !plan.decisions.isEmpty else {
                schedules[partition]?.table.sleep(spec.id, until: plan.nextWake)
                continue
            }
            start(plan, of: spec, after: state.cursor, entry, now)
        }
    }

    /// `cursor`: up to where the schedule had been decided.
    mutating func start(
        _ plan: Planner.Plan, of spec: ScheduleSpec, after cursor: Timestamp, _ entry: Owned, _ now: ClockReading
    ) {
        var cursor = spec.undecided(after: cursor)
        let partition = entry.tenure.partition.partition
        var fire = Fire(
            id: spec.id, queue: spec.queue, events: [], state: plan.state, journal: [], nextWake: plan.nextWake)
        var events: [TaskEvent] = []
        for decision in plan.decisions {
            switch decision {
            case .fire(let nominal, let due, let standsFor):
                let event = FireMaker.event(of: spec, nominal: nominal, due: due, standsFor: standsFor, now: now.wall)
                events.append(event)
                fire.events.append(.init(coordinate: event.coordinate, due: due))
                // The earliest of several stands for later ones too, up to where the plan has come.
                let span = JournalEntry.Span(after: cursor, through: plan.state.cursor)
                fire.journal += Self.entries(of: event, spec.id, standsFor: standsFor, span, now)
                cursor = max(cursor, nominal)
            case .drop(let nominal, let count, let reason):
                metrics.misfires.increment(by: UInt64(count))
                fire.journal.append(
                    JournalEntry(
                        subject: spec.id, kind: reason.journalKind, at: now.wall, author: Self.author,
                        reason: reason.rawValue, nominal: nominal, count: count,
                        span: count > 1 ? .init(after: cursor, through: nominal) : nil))
                cursor = max(cursor, nominal)
            }
        }
        var appends: [LogAppend] = []
        if !events.isEmpty {
            guard case .topic(let topic) = directory.look(up: spec.queue) else {
                schedules[partition]?.table.park(spec.id, queue: spec.queue)
                return
            }
            appends = events.map { maker.due($0, in: topic) }
        }
        schedules[partition]?.table.begin(spec.id)
        send(fire, events: appends, entry.tenure, epoch: entry.epoch)
    }

    /// Events first, then the state that says so.
    mutating func send(_ fire: Fire, events: [LogAppend], _ tenure: Tenure, epoch: Int64) {
        let state = maker.schedule(
            .state(fire.id, fire.state), partition: tenure.partition.partition, epoch: epoch)
        let ending = [state] + fire.journal.map(maker.journal)
        outbox.add(
            events.isEmpty ? [ending] : [events, ending], for: .fire(tenure, fire), mayLackTopic: !events.isEmpty)
    }

    private static func entries(
        of event: TaskEvent, _ id: String, standsFor: Int, _ span: JournalEntry.Span, _ now: ClockReading
    ) -> [JournalEntry] {
        let fired = JournalEntry(
            subject: id, kind: .fired, at: now.wall, author: author, reason: "nominal time",
            fingerprint: event.fingerprint, nominal: event.nominalTime)
        guard standsFor > 1 else { return [fired] }
        var coalesced = fired
        coalesced.kind = .coalesced
        coalesced.reason = "one fire stands for \(standsFor) nominal times"
        coalesced.count = standsFor
        coalesced.span = span
        return [fired, coalesced]
    }
}
