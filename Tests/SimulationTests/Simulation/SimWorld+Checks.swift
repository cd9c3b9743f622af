import TaskLog
import TaskModel

@testable import WorkerRole

/// What must hold when everything has come to rest.
extension SimWorld {
    private var owners: [(worker: SimWorker, partition: PartitionState)] {
        workers.filter { $0.state == .running }.flatMap { worker in
            worker.machine.heldSlots.map { (worker, worker.machine.partitions[$0]) }
        }
    }

    func isSettled() -> Bool {
        guard schedulesAreDone, history.waiting.isEmpty, workers.allSatisfy({ $0.runningCount == 0 }) else {
            return false
        }
        let hasEnded = history.accepted.allSatisfy { history.hasEnded(history.latest[$0]!) }
        guard hasEnded else { return false }
        let owned = owners
        return owned.count == Int(plan.partitions)
            && owned.allSatisfy { $1.phase == .open && $1.tracker.watermark == log.end(of: $1.due) }
    }

    func checkAtRest() {
        for coordinate in history.waiting.sorted() {
            return violate("nothing waits in retry for ever", "\(coordinate)")
        }
        for fingerprint in history.accepted.sorted() { checkEnd(of: fingerprint) }
        let published = Set(plan.events.map(\.event.fingerprint))
        check(published.isSubset(of: history.accepted), "the client's events are accepted") { "" }
        let (accepted, known) = (
            history.accepted.union(published), history.schedules.fingerprints.union(published)
        )
        check(accepted == known, "nothing else is accepted") { "\(accepted.symmetricDifference(known))" }
        checkSchedules()
        for (worker, partition) in owners {
            check(
                partition.phase == .open && partition.tracker.watermark == log.end(of: partition.due),
                "every offset is settled"
            ) {
                "\(partition.due) in \(worker.name): \(partition.phase), holes \(partition.tracker.holes) of "
                    + "\(self.log.end(of: partition.due)), \(partition.turnsInOrder.map { "\($0.stage)" })"
            }
            checkFold(worker, partition)
        }
        check(owners.count == Int(plan.partitions), "every partition has one owner") { "\(owners.count)" }
    }

    private func checkEnd(of fingerprint: Fingerprint) {
        guard let known = history.fold.outcome(of: fingerprint), known.outcome.outcomeClass != .again else {
            return violate(
                "every accepted event ends settled",
                "\(fingerprint) (\(task(of: fingerprint))): \(String(describing: history.fold.outcome(of: fingerprint)))"
            )
        }
        checkLaneEnd(of: fingerprint, known.outcome)
        let key = DeadLetterKey(fingerprint: fingerprint, replay: known.replay)
        let letter = history.letters[key]
        let mark = history.marks[key]
        if known.outcome == .dead {
            check(letter != nil, "what died has a letter") { "\(key)" }
            let mayDie: Set<SimTask> = [.failsAlways, .fatal, .poison]
            let isUnlucky = letter.map { $0.reason == .workerLost && wasLostAlone($0.event.coordinate) } ?? false
            check(mayDie.contains(task(of: fingerprint)) || isUnlucky, "only what fails dies") {
                "\(key) \(self.task(of: fingerprint)) \(String(describing: letter?.reason))"
            }
        }
        if known.outcome == .completed {
            check(letter == nil || mark != nil, "never completed with an open letter") { "\(key)" }
        }
        let isPoison = task(of: fingerprint) == .poison
        if isPoison { check(letter?.reason == .workerLost, "poison ends as worker-lost") { "\(key) \(known)" } }
        let isInnocent = letter.map { $0.reason == .workerLost && !wasLostAlone($0.event.coordinate) } ?? false
        check(isPoison || !isInnocent, "an innocent is never dead-lettered for its neighbour") { "\(key)" }
    }

    /// Two processes that ran it as the only suspect crashed or were silent for long: chance, and nobody can tell.
    private func wasLostAlone(_ coordinate: Coordinate) -> Bool {
        disturbed.intersection(history.aloneStarts[coordinate] ?? []).count >= Suspicion.deadlyStarts
    }

    /// The fold in memory says what a full scan says.
    private func checkFold(_ worker: SimWorker, _ partition: PartitionState) {
        var scanned = LedgerFold()
        for record in log.records(partition.ledger) {
            if let entry = Self.ledgerRecord(record) { _ = scanned.apply(entry, time: record.timestamp) }
        }
        guard let memory = worker.machine.fold(of: partition.due) else {
            return violate("an owner has a ledger", "\(partition.ledger) in \(worker.name)")
        }
        for fingerprint in history.accepted.sorted() {
            let highest = history.latest[fingerprint]!
            for replay in 0...highest.replay + 1 {
                for turn in 1...highest.turn + 1 {
                    let coordinate = Coordinate(fingerprint: fingerprint, replay: replay, turn: turn)
                    let (mine, full) = (Self.word(memory.judge(coordinate)), Self.word(scanned.judge(coordinate)))
                    check(mine == full, "the fold in memory equals the fold of a full scan") {
                        "\(coordinate) in \(worker.name): \(mine), scanned \(full)"
                    }
                }
            }
        }
    }

    /// A verdict without its notes and texts: what is judged, not why.
    private static func word(_ verdict: Verdict) -> String {
        switch verdict {
        case .run: "run"
        case .redo(let decision): "redo \(decision.coordinate) \(decision.detail.outcome)"
        case .stale(let outcome): "stale \(outcome)"
        }
    }
}
