internal import TaskLog
internal import TaskModel

/// Stop in good order: everything is handed off at once, what runs may finish within the grace period.
extension WorkerStateMachine {
    mutating func stop(_ now: WorkerNow) {
        guard case .running = life else { return }
        life = .draining(until: now.uptime + configuration.grace)
        suspectsReady = []
        handOff(heldSlots.map { partitions[$0].due }, now)
        nextCommit = nil
        emit(.leave)
    }

    /// The grace period is over: the rest goes back, nothing of it spent. Then the log has the length of a lease to
    /// take what is left; after that nobody waits for it any more.
    mutating func endDraining(_ now: WorkerNow) {
        switch life {
        case .draining(let until) where until <= now.uptime:
            for id in attempts.ids { cancel(id, .shutdown) }
            life = .closing(until: now.uptime + configuration.lease)
        case .closing(let until) where until <= now.uptime:
            let appends = departedDecisions.count + refused.count
            if appends > 0 { emit(.report(.abandoned(appends: appends))) }
            departedDecisions = [:]
            refused.removeAll()
            life = .closing(until: .max)
        case .running, .draining, .closing, .finished: break
        }
    }

    mutating func finishIfDrained(_ now: WorkerNow) {
        switch life {
        case .draining, .closing: break
        case .running, .finished: return
        }
        guard attempts.isEmpty, departedDecisions.isEmpty, refused.count == 0 else { return }
        life = .finished
        emit(.finish)
    }
}
