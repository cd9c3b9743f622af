import TaskLog
import TaskModel

@testable import WorkerRole

/// A wrong worker, to see that the checks see.
enum SimSabotage: Hashable {
    case none
    /// A decided turn found at a takeover is taken for settled without its effect.
    case skipsRedo
    /// The notes of other workers are not read.
    case ignoresLeases
}

/// A worker process: the real machine, with a shell in simulated time.
final class SimWorker: SimProcess {
    let slot: Int
    private(set) var machine: WorkerStateMachine
    private(set) var member: SimMember!
    private var attempts: [AttemptID: SimExecution] = [:]
    private var alarm: Int64?
    private var isStopping = false
    private var handOffs = 0
    /// What goes on when a hand-off is written.
    private var unwritten: [HandOffID: () -> Void] = [:]
    private var leavesAfterHandOff = false
    private var followed: [TopicPartition: Int64] = [:]
    /// How often the follower was told to come or go: what was asked before is off.
    private var follows: [TopicPartition: Int] = [:]
    /// When the follower has gone, as it was told to: what is asked of the ledger next comes after it.
    private var leaves: [TopicPartition: Int64] = [:]
    /// The assignments that hold: an opening that lingers must not move the fetching of a later one, as in the shell.
    private var epochs: [TopicPartition: Int64] = [:]
    /// Also of those that are over: a hand-off ends the assignment that it is for, and no later one.
    private var lastEpochs: [TopicPartition: Int64] = [:]
    /// Highest known (replay, turn) of an ended or decided turn, by what was delivered to this process.
    private var ended: [Fingerprint: UInt32] = [:]
    private var decided: [DeadLetterKey: UInt32] = [:]

    init(world: SimWorld, slot: Int, nonce: Int) {
        self.slot = slot
        var configuration = WorkerConfiguration(
            queues: [WorkerQueue(name: "default", partitions: world.plan.partitions)],
            controlPartitions: world.plan.controlPartitions, workerID: "w\(slot)", nonce: "\(nonce)")
        configuration.concurrency = 8
        configuration.grace = 150_000
        configuration.minimumSkip = 1
        let retry = RetryPolicy(initial: 400, factor: 2, maximum: 5000, jitter: 0.2, maxAttempts: 3)
        machine = WorkerStateMachine(configuration: configuration, tasks: ["work": TaskPolicy(retry: retry)])
        super.init(world: world, name: "w\(slot)/\(nonce)")
        member = SimMember(process: self) { [unowned self] wake in
            switch wake {
            case .assigned(let partitions, let epoch): handle(.assigned(partitions, epoch: epoch))
            case .revoking(let partitions): handle(.revoking(partitions))
            case .lost(let partitions): handle(.lost(partitions))
            case .records(let records): handle(.records(records))
            }
        }
        world.workerGroup.join(member)
    }

    override var takesPart: Bool { !isStopping }
    var runningCount: Int { attempts.count }
    /// What runs and was never disturbed.
    var running: [SimExecution] { attempts.values.filter { !$0.isDisturbed && !$0.isForgotten } }

    func stop() {
        guard state == .running, !isStopping else { return }
        isStopping = true
        handle(.stop)
    }

    override func crash() {
        super.crash()
        attempts = [:]
    }

    func handle(_ wake: WorkerWake) {
        guard state == .running else { return }
        world.trace("\(name) <- \(SimTrace.describe(wake))")
        learn(wake)
        var redone = false
        if case .due = wake { redone = world.sabotage == .skipsRedo }
        for action in machine.handle(wake, now: WorkerNow(wall: wall, uptime: uptime)) {
            if case .timer = wake, case .report = action { continue }
            perform(action, isSabotaged: redone)
        }
        arm()
    }

    private func arm() {
        guard let next = machine.nextWake, next < .max, alarm.map({ next < $0 }) ?? true else { return }
        alarm = next
        world.after(max(0, next - uptime), in: self) { [self] in
            if alarm == next { alarm = nil }
            handle(.timer)
        }
    }

    private func append(_ append: PendingAppend, isSabotaged: Bool) {
        if isSabotaged, case .effect = append.purpose {
            let receipt = AppendReceipt(offset: -1, timestamp: world.brokerTime)
            return world.after(1, in: self) { [self] in
                handle(.appended(AppendBatch([append]), [.success(receipt)]))
            }
        }
        // A lease that has not reached the log protects nothing: where appends may fail, that explains a second run.
        if case .lease(let id, _) = append.purpose, world.plan.kind != .gentle { attempts[id]?.hasUnsureLease = true }
        self.append(append.record) { [self] result in
            if case .success = result, case .lease(let id, _) = append.purpose {
                attempts[id]?.hasUnsureLease = false
            }
            handle(.appended(AppendBatch([append]), [result]))
        }
    }

    private func perform(_ action: WorkerAction, isSabotaged: Bool) {
        switch action {
        case .append(let batch): for append in batch.appends { self.append(append, isSabotaged: isSabotaged) }
        case .start(let starts): for start in starts { begin(start) }
        case .cancel(let id): cancel(id)
        case .restore(let due, let epoch, let from):
            epochs[due] = epoch
            lastEpochs[due] = epoch
            restore(due, epoch: epoch, from: from)
        case .open(let due, let epoch, let start, let commit):
            world.after(world.random.number(1...80), in: self) { [self] in
                guard epochs[due] == epoch, world.workerGroup.commit(member, [due: commit]) else { return }
                world.workerGroup.start(member, [due: start])
            }
        case .commit(let commits):
            world.after(world.random.number(1...60), in: self) { [self] in
                _ = world.workerGroup.commit(member, commits)
            }
        case .handOff(let id, let partitions, let commits):
            forget(partitions)
            handOff(id, partitions, commits)
        case .handOffWritten(let id):
            unwritten.removeValue(forKey: id)?()
        case .forget(let partitions): forget(partitions)
        case .pause(let partitions): member.paused.formUnion(partitions)
        case .resume(let partitions): for partition in partitions { world.workerGroup.resume(member, partition) }
        case .follow(let ledger, let offset): follow(ledger, from: offset)
        case .unfollow(let partitions):
            for partition in partitions {
                follows[partition, default: 0] += 1
                let delay = world.random.number(1...60)
                leaves[partition] = world.clock + delay
                world.after(delay, in: self) { [self] in followed[partition] = nil }
            }
        case .skip(let positions):
            for (ledger, position) in positions { followed[ledger] = followed[ledger].map { max($0, position) } }
        // A simulated world ends within its first hour.
        case .trim: break
        case .leave:
            leavesAfterHandOff = true
            leaveIfDone()
        case .finish: finish()
        case .report(.stopped(_, let text)): world.violate("a partition stops only for a reason", text)
        case .report: break
        }
    }

    private func finish() {
        for written in unwritten.values { barrier(bound: 60_000, written) }
        unwritten = [:]
        barrier(bound: 60_000) { [self] in
            world.trace("\(name) ends")
            state = .gone
            world.workerGroup.leave(member)
        }
    }

    private func forget(_ partitions: [TopicPartition]) {
        for due in partitions { epochs[due] = nil }
    }

    private func handOff(
        _ id: HandOffID?, _ partitions: [TopicPartition], _ commits: [TopicPartition: CommittedOffset]
    ) {
        handOffs += 1
        let ended = partitions.reduce(into: [:]) { $0[$1] = lastEpochs[$1] ?? 0 }
        let isLast = { [self] (due: TopicPartition) in lastEpochs[due] ?? 0 == ended[due] }
        var isThrough = false
        let written = { [self] in
            guard !isThrough else { return }
            isThrough = true
            world.after(world.random.number(1...100), in: self) { [self] in
                _ = world.workerGroup.commit(member, commits.filter { isLast($0.key) })
                world.workerGroup.release(member, partitions.filter(isLast))
                handOffs -= 1
                leaveIfDone()
            }
        }
        let bound = SimGroup.revokeTimeout * 6 / 10
        guard let id else { return barrier(bound: bound, written) }
        unwritten[id] = written
        world.after(bound, in: self, written)
    }

    private func leaveIfDone() {
        guard leavesAfterHandOff, handOffs == 0 else { return }
        leavesAfterHandOff = false
        world.workerGroup.leave(member)
    }

    // MARK: the ledger

    private func restore(_ due: TopicPartition, epoch: Int64, from: Int64?) {
        guard let ledger = machine.ledger(of: due) else { return }
        world.after(untilGone(ledger) + world.random.number(1...150), in: self) { [self] in
            let committed = world.workerGroup.committed(due)
            let bounds = OffsetBounds(start: 0, end: world.log.end(of: due))
            let end = world.log.end(of: ledger)
            scan(due, ledger, epoch, from: from ?? 0, to: end) { [self] in
                handle(
                    .restored(due, epoch: epoch, RestoredPosition(committed: committed, due: bounds, ledgerEnd: end)))
            }
        }
    }

    private func scan(
        _ due: TopicPartition, _ ledger: TopicPartition, _ epoch: Int64, from: Int64, to end: Int64,
        _ done: @escaping () -> Void
    ) {
        guard from < end else { return done() }
        let stop = min(end, from + 40)
        handle(
            .scanned(
                due, epoch: epoch, filtered(world.log.records(ledger, from: from, to: stop)).map { LedgerEntry($0) }))
        world.after(world.random.number(1...20), in: self) { [self] in
            scan(due, ledger, epoch, from: stop, to: end, done)
        }
    }

    func wrote(_ ledger: TopicPartition) {
        if followed[ledger] != nil { follow(ledger) }
    }

    private func untilGone(_ ledger: TopicPartition) -> Int64 { max(0, (leaves[ledger] ?? 0) - world.clock) }

    private func follow(_ ledger: TopicPartition, from offset: Int64) {
        follows[ledger, default: 0] += 1
        let asked = follows[ledger]
        world.after(untilGone(ledger) + world.random.number(1...world.plan.slowestFollower), in: self) { [self] in
            guard follows[ledger] == asked else { return }
            followed[ledger] = offset
            follow(ledger)
        }
    }

    private func follow(_ ledger: TopicPartition) {
        world.after(world.random.number(1...world.plan.slowestFollower), in: self) { [self] in
            let end = world.log.end(of: ledger)
            guard let position = followed[ledger], position < end else { return }
            followed[ledger] = end
            handle(.ledgerRecords(filtered(world.log.records(ledger, from: position, to: end))))
        }
    }

    private func filtered(_ records: [LogRecord]) -> [LogRecord] {
        guard world.sabotage == .ignoresLeases else { return records }
        return records.filter {
            guard let entry = SimWorld.ledgerRecord($0), case .leased = entry.body else { return true }
            return entry.worker == name
        }
    }

    /// What this process can know from now on.
    private func learn(_ wake: WorkerWake) {
        switch wake {
        case .scanned(_, _, let entries): for entry in entries { learn(entry) }
        case .ledger(let batches): for record in batches.flatMap(\.records) { learn(LedgerEntry(record)) }
        default: break
        }
    }

    private func learn(_ entry: LedgerEntry) {
        guard let record = entry.record, case .outcome(let detail) = record.body else { return }
        let coordinate = record.coordinate
        let key = DeadLetterKey(fingerprint: coordinate.fingerprint, replay: coordinate.replay)
        decided[key] = max(decided[key] ?? 0, coordinate.turn)
        if detail.outcome.outcomeClass != .again {
            ended[coordinate.fingerprint] = max(ended[coordinate.fingerprint] ?? 0, coordinate.replay)
        }
    }

    // MARK: attempts

    private func begin(_ start: AttemptStart) {
        let coordinate = start.event.coordinate
        let fingerprint = coordinate.fingerprint
        let beside = attempts.values.first { $0.coordinate.fingerprint == fingerprint }
        world.check(beside == nil, "one fingerprint never runs beside itself in one process") {
            "\(coordinate) starts in \(self.name) beside \(beside!.coordinate)"
        }
        world.check(
            ended[fingerprint].map { $0 < coordinate.replay } ?? true,
            "nothing starts after its terminal record was read by its owner"
        ) { "\(coordinate) starts in \(self.name)" }
        let known = decided[DeadLetterKey(fingerprint: fingerprint, replay: coordinate.replay)]
        world.check(known.map { $0 < coordinate.turn } ?? true, "turns never go back") {
            "\(coordinate) starts in \(self.name), which has read the decision of turn \(known ?? 0)"
        }
        let execution = world.started(coordinate, by: self)
        attempts[start.id] = execution
        let (duration, result) = world.behaviour(of: start.event)
        guard let result else {
            return world.after(duration, in: self) { [self] in world.crash(self) }
        }
        world.after(duration, in: self) { [self] in end(start.id, result) }
    }

    private func cancel(_ id: AttemptID) {
        guard let execution = attempts[id] else { return }
        execution.isCancelled = true
        guard world.task(of: execution.coordinate.fingerprint) != .stubborn else { return }
        world.after(world.random.number(1...50), in: self) { [self] in
            end(id, .failed(code: "cancelled", message: "the attempt was cancelled"))
        }
    }

    private func end(_ id: AttemptID, _ result: AttemptResult) {
        guard attempts.removeValue(forKey: id) != nil else { return }
        handle(.finished(id, result))
    }
}
