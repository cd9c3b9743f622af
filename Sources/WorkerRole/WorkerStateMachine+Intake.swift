internal import TaskLog
internal import TaskModel

/// Due records arrive: track, admit.
extension WorkerStateMachine {
    mutating func receive(_ batches: [DueBatch], _ now: WorkerNow) {
        for batch in batches { receive(batch, now) }
    }

    private mutating func receive(_ batch: DueBatch, _ now: WorkerNow) {
        let due = batch.partition
        guard partitions[due]?.phase == .open else { return }
        for facts in batch.facts {
            guard let index = partitions.index(forKey: due) else { return }
            if partitions.values[index].hasBacklog || partitions.values[index].isFull(configuration) {
                partitions.values[index].postpone(facts)
            } else {
                take(facts, of: due, now)
            }
        }
        pauseIfFull(due)
    }

    /// Room came: what arrived too early is taken, in order. So a partition never has more holes than it may, and after
    /// a crash all that may have started are among its first suspects.
    mutating func refill(_ due: TopicPartition, _ now: WorkerNow) {
        while let index = partitions.index(forKey: due), !partitions.values[index].isFull(configuration),
            let facts = partitions.values[index].popBacklog()
        {
            take(facts, of: due, now)
        }
        resumeIfRoom(due)
    }

    private mutating func take(_ facts: TurnFacts, of due: TopicPartition, _ now: WorkerNow) {
        guard let index = partitions.index(forKey: due), partitions.values[index].receive(facts) == .taken else {
            return
        }
        count(\.received)
        if facts.raw != nil { count(\.undecodable) }
        let place = partitions.values[index].place(facts.place.offset)
        switch partitions.values[index].admit(Turn(facts)) {
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
