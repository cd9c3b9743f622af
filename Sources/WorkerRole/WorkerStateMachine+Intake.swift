internal import TaskLog
internal import TaskModel

/// Due records arrive: track, read, admit.
extension WorkerStateMachine {
    mutating func receive(_ records: [LogRecord], _ now: WorkerNow) {
        var rest = records[...]
        while let first = rest.first {
            // A batch holds few partitions, each in a run.
            let end =
                rest.firstIndex { $0.partition != first.partition || $0.topic != first.topic } ?? rest.endIndex
            receive(rest[..<end], of: first.topicPartition, now)
            rest = rest[end...]
        }
    }

    private mutating func receive(_ run: ArraySlice<LogRecord>, of due: TopicPartition, _ now: WorkerNow) {
        guard partitions[due]?.phase == .open else { return }
        for record in run {
            guard let index = partitions.index(forKey: due) else { return }
            if partitions.values[index].hasBacklog || partitions.values[index].isFull(configuration) {
                partitions.values[index].postpone(record)
            } else {
                take(record, of: due, now)
            }
        }
        pauseIfFull(due)
    }

    /// Room came: what arrived too early is taken, in order. So a partition never has more holes than it may, and after
    /// a crash all that may have started are among its first suspects.
    mutating func refill(_ due: TopicPartition, _ now: WorkerNow) {
        while let index = partitions.index(forKey: due), !partitions.values[index].isFull(configuration),
            let record = partitions.values[index].popBacklog()
        {
            take(record, of: due, now)
        }
        resumeIfRoom(due)
    }

    private mutating func take(_ record: LogRecord, of due: TopicPartition, _ now: WorkerNow) {
        guard let index = partitions.index(forKey: due), partitions.values[index].receive(record) == .taken else {
            return
        }
        count(\.received)
        let turn = Turn(TurnFacts(record))
        if turn.facts.raw != nil { count(\.undecodable) }
        let place = partitions.values[index].place(record.offset)
        switch partitions.values[index].admit(turn) {
        case .leads: judge(place, now)
        case .waits: break
        case .duplicate:
            // The other one is a hole until it is settled, so this one need not be.
            count(\.duplicates)
            settled(place)
        }
    }

    private mutating func pauseIfFull(_ due: TopicPartition) {
        guard let index = partitions.index(forKey: due), !partitions.values[index].isPaused,
            partitions.values[index].isFull(configuration)
        else { return }
        partitions.values[index].isPaused = true
        actions.append(.pause([due]))
    }

    private mutating func resumeIfRoom(_ due: TopicPartition) {
        guard let index = partitions.index(forKey: due), partitions.values[index].isPaused,
            partitions.values[index].hasRoomAgain(configuration)
        else { return }
        partitions.values[index].isPaused = false
        actions.append(.resume([due]))
    }
}
