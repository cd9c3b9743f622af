internal import TaskLog
internal import TaskModel

/// Due records arrive: track, admit.
extension WorkerStateMachine {
    mutating func receive(_ batches: [DueBatch], _ now: WorkerNow) {
        for batch in batches { receive(batch, now) }
    }

    private mutating func receive(_ batch: DueBatch, _ now: WorkerNow) {
        guard let slot = slot(of: batch.partition), partitions[slot].phase == .open else { return }
        for facts in batch.facts {
            if partitions[slot].hasBacklog || partitions[slot].isFull(configuration) {
                partitions[slot].postpone(facts)
            } else {
                take(facts, of: slot, now)
            }
        }
        pauseIfFull(slot)
    }

    /// Room came: what arrived too early is taken, in order. So a partition never has more holes than it may, and after
    /// a crash all that may have started are among its first suspects.
    mutating func refill(_ slot: Int, _ now: WorkerNow) {
        while !partitions[slot].isFull(configuration), let facts = partitions[slot].popBacklog() {
            take(facts, of: slot, now)
        }
        resumeIfRoom(slot)
    }

    private mutating func take(_ facts: TurnFacts, of slot: Int, _ now: WorkerNow) {
        hasNews = true
        guard partitions[slot].receive(facts) == .taken else { return }
        count(\.received)
        if facts.raw != nil { count(\.undecodable) }
        let (place, admission) = partitions[slot].admit(Turn(facts))
        switch admission {
        case .leads: judge(place, now)
        case .waits: break
        case .duplicate:
            // The other one is a hole until it is settled, so this one need not be.
            count(\.duplicates)
            settled(place)
        }
    }

    private mutating func pauseIfFull(_ slot: Int) {
        guard !partitions[slot].isPaused, partitions[slot].isFull(configuration) else { return }
        partitions[slot].isPaused = true
        emit(.pause([partitions[slot].due]))
    }

    private mutating func resumeIfRoom(_ slot: Int) {
        guard partitions[slot].isPaused, partitions[slot].hasRoomAgain(configuration) else { return }
        partitions[slot].isPaused = false
        emit(.resume([partitions[slot].due]))
    }
}
