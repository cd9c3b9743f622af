internal import ServiceRuntime
internal import TaskLog
internal import TaskModel
internal import TaskTelemetry

/// Carries out the machine's actions. Lives as long as the loop and is touched by it alone.
struct WorkerShell {
    let service: WorkerService
    let runner: AttemptRunner
    let desk: MemberDesk
    let ledgers: LedgerDesk
    /// Fires when all hand-offs that were begun are through.
    private var lastHandOff: OneShot?
    /// Of the hand-offs that are not written: each fires when its one is.
    private var unwritten: [HandOffID: OneShot] = [:]

    init(service: WorkerService, runner: AttemptRunner, desk: MemberDesk, ledgers: LedgerDesk) {
        self.service = service
        self.runner = runner
        self.desk = desk
        self.ledgers = ledgers
    }

    /// All that one wake asks for.
    mutating func perform(
        _ actions: [WorkerAction], _ machine: WorkerStateMachine,
        _ group: inout ThrowingDiscardingTaskGroup<any Error>
    ) {
        for action in actions {
            // Most are reports, and they need no machine.
            if case .report(let report) = action { hear(report) } else { perform(action, machine, &group) }
        }
    }

    private func hear(_ report: WorkerReport) {
        service.metrics.count(report)
        service.report(report)
        service.onReport?(report)
    }

    private mutating func perform(
        _ action: WorkerAction, _ machine: WorkerStateMachine, _ group: inout ThrowingDiscardingTaskGroup<any Error>
    ) {
        let desk = desk
        switch action {
        case .append(let batch): service.pipeline.submit(batch)
        case .start(let starts):
            service.metrics.started(starts, now: service.time.now())
            runner.start(starts)
        case .report: break
        case .cancel(let id): runner.cancel(id)
        case .restore(let due, let epoch, let from): restore(due, epoch, from, machine, &group)
        case .open(let due, let epoch, let start, let commit):
            group.addTask { await desk.open(due, epoch, start, commit) }
        case .commit(let commits): group.addTask { await desk.commit(commits) }
        case .handOff(let id, let partitions, let commits): handOff(id, partitions, commits, &group)
        case .handOffWritten(let id): unwritten.removeValue(forKey: id)?.fire()
        case .forget(let partitions): desk.forget(partitions)
        case .pause(let partitions): desk.pause(partitions)
        case .resume(let partitions): desk.resume(partitions)
        case .follow(let ledger, let offset):
            let turn = ledgers.turn(of: ledger)
            group.addTask { await turn.follow(from: offset) }
        case .unfollow(let partitions):
            for ledger in partitions {
                let turn = ledgers.turn(of: ledger)
                group.addTask { await turn.unfollow() }
            }
        case .skip(let positions): ledgers.follower.skip(to: positions)
        case .trim(let due, let watermark, let time):
            let service = service
            group.addTask { await service.trim(due, below: watermark, takenBefore: time) }
        case .leave:
            let handOff = lastHandOff
            group.addTask {
                await handOff?.wait()
                await desk.member.leave()
            }
        case .finish: finish(&group)
        }
    }

    private func restore(
        _ due: TopicPartition, _ epoch: Int64, _ from: Int64?, _ machine: WorkerStateMachine,
        _ group: inout ThrowingDiscardingTaskGroup<any Error>
    ) {
        guard let ledger = machine.ledger(of: due) else { return }
        desk.assigned(due, epoch: epoch)
        let mailbox = service.mailbox
        let restorer = PartitionRestorer(
            log: service.log, group: service.configuration.names.workerGroup,
            startPosition: service.configuration.startPosition, time: service.time, logger: service.logger,
            isCurrent: { [desk] in desk.isCurrent(due, epoch) },
            deliver: { await mailbox.send(.machine($0)) })
        let turn = ledgers.turn(of: ledger)
        group.addTask {
            await turn.take { await restorer.restore(due, ledger: ledger, epoch: epoch, ledgerFrom: from) }
        }
    }

    private mutating func handOff(
        _ id: HandOffID?, _ partitions: [TopicPartition], _ commits: [TopicPartition: CommittedOffset],
        _ group: inout ThrowingDiscardingTaskGroup<any Error>
    ) {
        desk.forget(partitions)
        let ended = desk.epochs(of: partitions)
        let written = OneShot()
        if let id { unwritten[id] = written } else { service.pipeline.barrier(written) }
        let (done, previous) = (OneShot(), lastHandOff)
        lastHandOff = done
        group.addTask { [desk] in
            await desk.handOff(ended, commits, after: written)
            await previous?.wait()
            done.fire()
        }
    }

    /// The last words of a worker that leaves in good order, then the end.
    private func finish(_ group: inout ThrowingDiscardingTaskGroup<any Error>) {
        // Their words are on their way, and nobody will tell of them.
        for written in unwritten.values { service.pipeline.barrier(written) }
        service.pipeline.submit(service.farewell)
        let barrier = OneShot()
        service.pipeline.barrier(barrier)
        let (mailbox, time) = (service.mailbox, service.time)
        let handOff = lastHandOff
        group.addTask {
            await handOff?.wait()
            _ = await time.wait(for: barrier, milliseconds: desk.handOffBound)
            mailbox.post(.drained)
        }
    }
}
