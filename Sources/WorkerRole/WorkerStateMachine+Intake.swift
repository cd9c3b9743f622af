internal import TaskLog
internal import TaskModel

/// Due records arrive: read, place, judge.
extension WorkerStateMachine {
    mutating func receive(_ records: [LogRecord], _ now: WorkerNow) {
        for record in records { receive(record, now) }
        for due in Set(records.map(\.topicPartition)) { pauseIfFull(due) }
    }

    private mutating func receive(_ record: LogRecord, _ now: WorkerNow) {
        let due = record.topicPartition
        guard let partition = partitions[due], partition.phase == .open,
            partitions[due]?.tracker.receive(record.offset) == true
        else { return }
        partitions[due]?.needsCommit = true
        if partition.turns.isEmpty { partitions[due]?.watermarkTime = record.timestamp }
        if partition.committedHoles?.isSettled(record.offset) == true {
            partitions[due]?.tracker.settle(record.offset)
            return
        }
        count(\.received)
        let place = RecordPlace(topic: record.topic, partition: record.partition, offset: record.offset)
        let turn = Self.turn(of: record, place: place)
        partitions[due]?.turns[record.offset] = turn
        partitions[due]?.bufferedBytes += turn.byteCount
        admit(partition.place(record.offset), turn, now)
    }

    /// Reads a record. What cannot be read becomes a turn of a stand-in event, identified by its place.
    private static func turn(of record: LogRecord, place: RecordPlace) -> Turn {
        let bytes = (record.value?.count ?? 0) + 512
        do {
            var event = try TaskEvent(key: record.key, value: record.value, headers: record.headers, place: place)
            // A foreign client that sets only Kafka's key means the lane by it.
            if event.partitionKey == nil, let key = record.key, !key.isEmpty, key != event.fingerprint.bytes {
                event.partitionKey = String(validating: key, as: UTF8.self)
            }
            return Turn(event: event, recordTime: record.timestamp, place: place, stage: .waiting, byteCount: bytes)
        } catch {
            let identity = Identity.place(topic: place.topic, partition: place.partition, offset: place.offset)
            let event = TaskEvent(
                id: place.description, source: "kafka", task: "", payload: record.value ?? [],
                fingerprint: Fingerprint(identity))
            let raw = DeadLetter.RawRecord(key: record.key, headers: record.headers, problem: error.description)
            return Turn(
                event: event, recordTime: record.timestamp, place: place, raw: raw, stage: .waiting, byteCount: bytes)
        }
    }

    /// Puts a new turn behind the others of its fingerprint: one fingerprint never runs beside itself.
    private mutating func admit(_ place: TurnPlace, _ turn: Turn, _ now: WorkerNow) {
        let fingerprint = turn.event.fingerprint
        let earlier = partitions[place.partition]?.offsets[fingerprint] ?? []
        let isDuplicate = earlier.contains {
            partitions[place.partition]?.turns[$0]?.event.coordinate == turn.event.coordinate
        }
        partitions[place.partition]?.offsets[fingerprint] = earlier + [place.offset]
        if isDuplicate {
            // The other one is a hole until it is settled, so this one need not be.
            count(\.duplicates)
            settled(place, now)
        } else if earlier.isEmpty {
            judge(place, now)
        }
    }

    /// Decides what becomes of a turn that nothing of its fingerprint precedes.
    mutating func judge(_ place: TurnPlace, _ now: WorkerNow) {
        guard let partition = partitions[place.partition], partition.epoch == place.epoch,
            let turn = partition.turns[place.offset], let ledger = ledgers[partition.ledger]
        else { return }
        switch ledger.fold.judge(turn.event.coordinate) {
        case .stale:
            count(\.stale)
            settled(place, now)
        case .redo(let decision):
            count(\.redone)
            var machine = SettleMachine()
            perform(machine.decided(decision), machine, place, now)
        case .run(let notes):
            if let detail = verdictWithoutRunning(turn, partition, ledger.fold, now) {
                decide(place, detail, now)
            } else if !forwardIfMisplaced(place, turn, partition, now), !waitForLease(place, turn, notes, now) {
                makeReady(place, turn, notes, partition)
            }
        }
    }

    /// The outcomes that need no attempt.
    private func verdictWithoutRunning(
        _ turn: Turn, _ partition: PartitionState, _ fold: LedgerFold, _ now: WorkerNow
    ) -> OutcomeDetail? {
        let event = turn.event
        if let raw = turn.raw {
            return OutcomeDetail(
                .dead, deathReason: .undecodable, endedAt: now.wall, code: "undecodable", message: raw.problem)
        }
        if isMisplaced(event, partition), event.isForwarded {
            return OutcomeDetail(
                .dead, deathReason: .misrouted, endedAt: now.wall, code: "misrouted",
                message: "on \(turn.place) after it was moved; the partition count or the key does not fit")
        }
        if let expiry = event.expiresAt, now.wall >= expiry {
            return OutcomeDetail(.expired, endedAt: now.wall, code: "expired", message: "expired at \(expiry.rfc3339)")
        }
        if event.overlap == .skip, event.turn == 1, event.replay == 0, let lane = event.laneHash,
            isLaneOpen(lane, besides: turn, partition, fold)
        {
            return OutcomeDetail(
                .skipped, endedAt: now.wall, code: "overlap", message: "an earlier event of this lane is still open")
        }
        return nil
    }

    private func isMisplaced(_ event: TaskEvent, _ partition: PartitionState) -> Bool {
        guard let queue = configuration.queues.first(where: { $0.name == partition.queue }) else { return false }
        return Murmur2.partition(of: event.recordKey, count: queue.partitions) != partition.due.partition
    }

    /// Whether an earlier event of the lane runs, is leased, or waits in `retry`.
    private func isLaneOpen(_ lane: UInt32, besides turn: Turn, _ partition: PartitionState, _ fold: LedgerFold) -> Bool
    {
        let fingerprint = turn.event.fingerprint
        if fold.hasOpen(inLane: lane, besides: fingerprint) { return true }
        return partition.turns.contains { offset, other in
            offset < turn.place.offset && other.event.fingerprint != fingerprint
                && other.event.partitionKey == turn.event.partitionKey
        }
    }

    private mutating func forwardIfMisplaced(
        _ place: TurnPlace, _ turn: Turn, _ partition: PartitionState, _ now: WorkerNow
    ) -> Bool {
        guard isMisplaced(turn.event, partition),
            let queue = configuration.queues.first(where: { $0.name == partition.queue })
        else { return false }
        var event = turn.event
        event.isForwarded = true
        let body = event.encoded()
        partitions[place.partition]?.turns[place.offset]?.stage = .forwarding
        append(
            .forward(place),
            LogAppend(
                topic: place.partition.topic,
                partition: Murmur2.partition(of: event.recordKey, count: queue.partitions), key: body.key,
                value: body.value, headers: body.headers))
        return true
    }

    /// Another worker holds a lease on this very turn: wait for its decision. Our own lease coming back re-attaches.
    private mutating func waitForLease(_ place: TurnPlace, _ turn: Turn, _ notes: TurnNotes?, _ now: WorkerNow) -> Bool
    {
        let coordinate = turn.event.coordinate
        if let id = departed.removeValue(forKey: coordinate) {
            reattach(id, to: place)
            return true
        }
        let isDecidedHere = departedDecisions[coordinate] != nil
        guard isDecidedHere || notes?.lease.map({ $0.holder != configuration.identity }) == true else { return false }
        let length = notes?.lease?.length ?? configuration.lease
        partitions[place.partition]?.turns[place.offset]?.stage = .leased(until: now.uptime + length)
        leaseEnds.insert(LeaseEnd(uptime: now.uptime + length, place: place))
        count(\.leased)
        return true
    }

    private mutating func reattach(_ id: AttemptID, to place: TurnPlace) {
        attempts[id]?.standing = .owned
        attempts[id]?.epoch = place.epoch
        partitions[place.partition]?.turns[place.offset]?.stage = .running(id)
        count(\.reattached)
    }

    private mutating func makeReady(_ place: TurnPlace, _ turn: Turn, _ notes: TurnNotes?, _ partition: PartitionState)
    {
        var suspicion: Suspicion?
        if place.offset < partition.suspectEnd, partition.suspectsLeft > 0 {
            partitions[place.partition]?.suspectsLeft -= 1
            suspicion = Suspicion(notes)
        } else if let notes, notes.starts > 0 {
            suspicion = Suspicion(notes)
        }
        partitions[place.partition]?.turns[place.offset]?.stage = .ready
        partitions[place.partition]?.turns[place.offset]?.suspicion = suspicion
        if suspicion == nil {
            ready.append(place, queue: partition.queue)
        } else {
            suspectsReady.append(place)
        }
    }

    private mutating func pauseIfFull(_ due: TopicPartition) {
        guard let partition = partitions[due], !partition.isPaused,
            partition.tracker.holeCount >= configuration.maximumHoles
                || partition.bufferedBytes >= configuration.maximumBufferedBytes
        else { return }
        partitions[due]?.isPaused = true
        actions.append(.pause([due]))
    }

    mutating func resumeIfRoom(_ due: TopicPartition) {
        guard let partition = partitions[due], partition.isPaused,
            partition.tracker.holeCount <= configuration.maximumHoles / 2,
            partition.bufferedBytes <= configuration.maximumBufferedBytes / 2
        else { return }
        partitions[due]?.isPaused = false
        actions.append(.resume([due]))
    }
}
