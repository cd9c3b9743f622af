import TaskModel

/// One atomic thing that can happen.
enum ModelStep: Hashable {
    case receive(Int)
    /// Judge the record at an offset: run it, do its effect (again), or settle it.
    case judge(Int, UInt8)
    case end(Int, UInt8, ModelEnd)
    case appendDecision(Int, UInt8)
    case acknowledgeDecision(Int, UInt8)
    case appendEffect(Int, UInt8)
    case acknowledgeEffect(Int, UInt8)
    case tail(Int)
    case appendResolved(Int)
    case commit(Int)
    case crash(Int)
    case takeOver
    case restore(Int)
    case emit
    case tombstone
    case schedulerCrash

    /// Whether the world may stop before it: everything else happens sooner or later.
    var isOptional: Bool {
        switch self {
        case .commit, .crash, .takeOver, .schedulerCrash: true
        default: false
        }
    }
}

extension ModelStep: CustomStringConvertible {
    var description: String {
        func name(_ worker: Int) -> String { ["A", "B", "C"][worker] }
        return switch self {
        case .receive(let worker): "\(name(worker)) receives the next due record"
        case .judge(let worker, let offset): "\(name(worker)) judges the record at \(offset)"
        case .end(let worker, let offset, let end): "\(name(worker))'s attempt at \(offset) \(end.rawValue)"
        case .appendDecision(let worker, let offset): "\(name(worker)) appends its decision about \(offset)"
        case .acknowledgeDecision(let worker, let offset): "\(name(worker))'s decision about \(offset) is acknowledged"
        case .appendEffect(let worker, let offset): "\(name(worker)) appends the effect of \(offset)"
        case .acknowledgeEffect(let worker, let offset): "\(name(worker))'s effect of \(offset) is acknowledged"
        case .tail(let worker): "\(name(worker)) reads the next ledger record"
        case .appendResolved(let worker): "\(name(worker)) appends resolved"
        case .commit(let worker): "\(name(worker)) commits"
        case .crash(let worker): "\(name(worker)) crashes"
        case .takeOver: "the next worker takes over: it reads the committed offset"
        case .restore(let worker): "\(name(worker)) reads the ledger to its end, and opens the partition"
        case .emit: "the scheduler emits the second turn"
        case .tombstone: "the scheduler writes the tombstone"
        case .schedulerCrash: "the scheduler crashes, another one takes its place"
        }
    }
}

/// What may happen in a world, and what comes of it.
struct ModelRules {
    let variant: ModelWorld.Variant
    let bounds: ModelWorld.Bounds
    let ledger: ModelLedger

    func steps(in world: ModelWorld) -> [ModelStep] {
        var steps: [ModelStep] = []
        steps.reserveCapacity(16)
        for index in 0..<Int(world.born) { add(world[index], index, world, to: &steps) }
        if canTakeOver(world), world.living <= Int(bounds.zombies) { steps.append(.takeOver) }
        if world.isEmitted {
            steps.append(.tombstone)
            if world.schedulerCrashes < bounds.schedulerCrashes { steps.append(.schedulerCrash) }
        } else if world.isRetryLive, world.dueCount < ModelWorld.maximumDue {
            steps.append(.emit)
        }
        return steps
    }

    private func add(_ worker: ModelWorld.Worker, _ index: Int, _ world: ModelWorld, to steps: inout [ModelStep]) {
        switch worker.life {
        case .unborn, .dead: return
        case .restoring: steps.append(.restore(index))
        case .working:
            if worker.next < world.dueCount { steps.append(.receive(index)) }
            if worker.position < world.ledgerCount { steps.append(.tail(index)) }
            if worker.mustResolve { steps.append(.appendResolved(index)) }
            var hasEarlier = false
            var holes = worker.holes
            while let offset = ModelWorld.Worker.popFirst(&holes) {
                switch worker.stage(offset) {
                case .waiting: if !hasEarlier || variant == .runsBesideItself { steps.append(.judge(index, offset)) }
                case .running:
                    steps.append(.end(index, offset, .succeeds))
                    steps.append(.end(index, offset, .fails))
                    if bounds.hasFatal, world.turn(at: offset) == 1 { steps.append(.end(index, offset, .failsForGood)) }
                case .deciding: steps.append(.appendDecision(index, offset))
                case .decisionSent: steps.append(.acknowledgeDecision(index, offset))
                case .doing: steps.append(.appendEffect(index, offset))
                case .effectSent: steps.append(.acknowledgeEffect(index, offset))
                }
                hasEarlier = true
            }
            // Without a takeover to come nobody reads it.
            if canTakeOver(world), commit(of: worker) != world.commit { steps.append(.commit(index)) }
        }
        // The last worker that can be is not allowed to crash: somebody must be there at rest.
        if index + 1 < Int(world.born) || canTakeOver(world) { steps.append(.crash(index)) }
    }

    private func canTakeOver(_ world: ModelWorld) -> Bool { world.born <= bounds.takeovers }

    private func commit(of worker: ModelWorld.Worker) -> ModelWorld.Commit {
        ledger.commit(next: worker.next, start: 0, holes: worker.holes)
    }

    /// The world after a step, and what that step broke, if anything.
    func apply(_ step: ModelStep, to world: ModelWorld) -> (world: ModelWorld, violation: String?) {
        var world = world
        switch step {
        case .takeOver:
            let settled = world.commit.highMark > 0 ? (UInt8(1) << world.commit.highMark &- 1) & ~world.commit.holes : 0
            var worker = ModelWorld.Worker(life: .restoring)
            worker.next = world.commit.offset
            worker.committedSettled = settled & ~(UInt8(1) << world.commit.offset &- 1)
            world[Int(world.born)] = worker
            world.born += 1
            if !canTakeOver(world) { world.commit = ModelWorld.Commit() }
            return (world, nil)
        case .emit:
            world.appendDue(turn: 2)
            world.isEmitted = true
            return (world, nil)
        case .tombstone:
            world.isEmitted = false
            world.isRetryLive = false
            return (world, nil)
        case .schedulerCrash:
            world.isEmitted = false
            world.schedulerCrashes += 1
            return (world, nil)
        case .crash(let index):
            world[index] = ModelWorld.Worker(life: .dead)
            return (world, nil)
        case .receive(let index), .judge(let index, _), .end(let index, _, _), .appendDecision(let index, _),
            .acknowledgeDecision(let index, _), .appendEffect(let index, _), .acknowledgeEffect(let index, _),
            .tail(let index), .appendResolved(let index), .commit(let index), .restore(let index):
            var worker = world[index]
            let violation = apply(step, to: &worker, in: &world)
            world[index] = worker
            return (world, violation)
        }
    }

    private func apply(_ step: ModelStep, to worker: inout ModelWorld.Worker, in world: inout ModelWorld) -> String? {
        switch step {
        case .receive: receive(&worker, world)
        case .judge(_, let offset): return judge(&worker, offset, world)
        case .end(_, let offset, let end): finish(&worker, offset, end, world)
        case .appendDecision(_, let offset):
            appendDecision(&worker, offset, &world)
            if !bounds.acknowledgesApart { decisionIsDurable(&worker, offset, world) }
        case .acknowledgeDecision(_, let offset): decisionIsDurable(&worker, offset, world)
        case .appendEffect(_, let offset):
            appendEffect(&worker, offset, &world)
            if !bounds.acknowledgesApart { effectIsDurable(&worker, offset) }
        case .acknowledgeEffect(_, let offset): effectIsDurable(&worker, offset)
        case .tail:
            learn(&worker, world) { $0.position += 1 }
        case .restore:
            worker.life = .working
            learn(&worker, world) { $0.position = world.ledgerCount }
        case .appendResolved:
            worker.mustResolve = false
            world.isResolved = true
        case .commit: world.commit = commit(of: worker)
        case .crash, .takeOver, .emit, .tombstone, .schedulerCrash: break
        }
        return nil
    }
}
