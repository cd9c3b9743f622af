import TaskModel

/// A worker's steps: the order of DESIGN's section on settling, with the variants that get it wrong.
extension ModelRules {
    func view(_ worker: ModelWorld.Worker, _ world: ModelWorld) -> ModelLedger.View {
        ledger.view(world.known(to: worker))
    }

    private func verdict(_ worker: ModelWorld.Worker, _ offset: UInt8, _ world: ModelWorld) -> ModelLedger.Verdict {
        let view = view(worker, world)
        return world.turn(at: offset) == 1 ? view.first : view.second
    }

    /// Takes in ledger records; where that shows a completed event to be dead as well, a letter may have to be answered.
    func learn(_ worker: inout ModelWorld.Worker, _ world: ModelWorld, _ read: (inout ModelWorld.Worker) -> Void) {
        let before = view(worker, world)
        read(&worker)
        // What was read in its place need not be remembered as our own.
        worker.acknowledged &= ~(1 << worker.position &- 1)
        let after = view(worker, world)
        guard after.hasLateCompletion, !before.hasLateCompletion else { return }
        if variant == .answersOnlyLaterCompletions, !before.isDead { return }
        worker.mustResolve = !world.isResolved
    }

    func receive(_ worker: inout ModelWorld.Worker, _ world: ModelWorld) {
        let offset = worker.next
        worker.next += 1
        let isSettled = worker.committedSettled & 1 << offset != 0
        worker.committedSettled &= ~(1 << offset)
        guard !isSettled else { return }
        var earlier = worker.holes
        while let hole = ModelWorld.Worker.popFirst(&earlier) {
            if world.turn(at: hole) == world.turn(at: offset) { return }
        }
        worker.holes |= 1 << offset
    }

    func judge(_ worker: inout ModelWorld.Worker, _ offset: UInt8, _ world: ModelWorld) -> String? {
        switch verdict(worker, offset, world) {
        case .stale: settle(&worker, offset)
        case .redo(let decision):
            switch variant {
            case .skipsDecidedHoles, .effectBeforeDecision: settle(&worker, offset)
            default: worker.set(offset, .doing, decision)
            }
        case .run:
            let turn = world.turn(at: offset)
            var holes = worker.holes
            var isBesideItself = false
            while let hole = ModelWorld.Worker.popFirst(&holes) {
                isBesideItself = isBesideItself || worker.stage(hole) == .running
            }
            worker.set(offset, .running)
            if isBesideItself { return "two turns of one fingerprint run at once in one worker" }
            if turn < worker.highestStarted { return "turn \(turn) starts after turn \(worker.highestStarted)" }
            worker.highestStarted = turn
        }
        return nil
    }

    /// The attempt ended. What the worker has read of the ledger may stand against it; completed beats all.
    func finish(_ worker: inout ModelWorld.Worker, _ offset: UInt8, _ end: ModelEnd, _ world: ModelWorld) {
        let decision = ledger.decision(ofTurn: world.turn(at: offset), end)
        switch verdict(worker, offset, world) {
        case .run: begin(&worker, offset, decision)
        case .stale(let isCompleted):
            if decision.isCompleted, !isCompleted {
                begin(&worker, offset, decision)
            } else {
                settle(&worker, offset)
            }
        case .redo(let known):
            if decision.isCompleted {
                begin(&worker, offset, decision)
            } else {
                worker.set(offset, .doing, known)
            }
        }
    }

    private func begin(_ worker: inout ModelWorld.Worker, _ offset: UInt8, _ decision: ModelDecision) {
        let effectFirst = variant == .effectBeforeDecision && ledger.needsEffect(decision)
        worker.set(offset, effectFirst ? .doing : .deciding, decision)
    }

    func appendDecision(_ worker: inout ModelWorld.Worker, _ offset: UInt8, _ world: inout ModelWorld) {
        guard let decision = worker.decision(offset) else { return }
        world.appendLedger(decision)
        worker.set(offset, .decisionSent, decision)
    }

    func decisionIsDurable(_ worker: inout ModelWorld.Worker, _ offset: UInt8, _ world: ModelWorld) {
        guard let decision = worker.decision(offset), let place = world.place(of: decision) else { return }
        learn(&worker, world) { if place >= $0.position { $0.acknowledged |= 1 << place } }
        if variant != .effectBeforeDecision, ledger.needsEffect(decision) {
            worker.set(offset, .doing, decision)
        } else {
            settle(&worker, offset)
        }
    }

    func appendEffect(_ worker: inout ModelWorld.Worker, _ offset: UInt8, _ world: inout ModelWorld) {
        guard let decision = worker.decision(offset) else { return }
        if ledger.outcome(decision) == .dead { world.hasLetter = true } else { world.isRetryLive = true }
        worker.set(offset, .effectSent, decision)
    }

    func effectIsDurable(_ worker: inout ModelWorld.Worker, _ offset: UInt8) {
        if variant == .effectBeforeDecision, let decision = worker.decision(offset) {
            worker.set(offset, .deciding, decision)
        } else {
            settle(&worker, offset)
        }
    }

    private func settle(_ worker: inout ModelWorld.Worker, _ offset: UInt8) {
        worker.holes &= ~(1 << offset)
        worker.set(offset, .waiting)
    }

    /// What is wrong with a world in which nothing has to happen any more.
    func violationAtRest(_ world: ModelWorld) -> String? {
        let view = ledger.view(world.ledger)
        let isLetterOpen = world.hasLetter && !world.isResolved
        if view.isCompleted { return isLetterOpen ? "completed, and an open dead letter" : nil }
        if view.isDead { return world.hasLetter ? nil : "dead, and no letter: lost" }
        return world.isRetryLive ? nil : "neither completed nor dead nor waiting: lost"
    }
}
