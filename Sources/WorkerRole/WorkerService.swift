internal import Foundation
package import ServiceRuntime
package import TaskLog
internal import TaskModel
package import TaskTelemetry

/// A worker: takes due events of its queues, runs their handlers, settles them.
///
/// The shell round ``WorkerStateMachine``: one loop, which alone touches the machine. Everything else (the group member,
/// the ledger follower, appends, attempts, timers) is a task that posts to the loop's mailbox.
package final class WorkerService: Service {
    enum Wake: Sendable {
        case machine(WorkerWake)
        case heartbeat
        /// A part of the service failed for good.
        case failed(any Error)
        case drained
    }

    package let serviceName = "worker"
    let log: any TaskLog
    let configuration: WorkerConfiguration
    let time: any TimeSource
    let logger: Logger
    let mailbox = Mailbox<Wake>(capacity: 256)
    let metrics: WorkerMetrics
    let onReport: (@Sendable (WorkerReport) -> Void)?
    private let definitions: [String: TaskDefinition]
    private let runner: AttemptRunner
    let pipeline: AppendPipeline

    /// `onReport` hears every report as it happens; for tests and embedders.
    package init(
        log: any TaskLog, configuration: WorkerConfiguration, tasks: [TaskDefinition],
        time: any TimeSource = SystemTimeSource(), logger: Logger = Logger(),
        metrics: MetricsRegistry = MetricsRegistry(),
        onReport: (@Sendable (WorkerReport) -> Void)? = nil
    ) throws {
        guard !configuration.queues.isEmpty else { throw WorkerError.noQueues }
        var definitions: [String: TaskDefinition] = [:]
        for task in tasks where definitions.updateValue(task, forKey: task.name) != nil {
            throw WorkerError.duplicateTask(task.name)
        }
        self.log = log
        self.configuration = configuration
        self.time = time
        self.logger = logger.with(["worker": configuration.workerID])
        self.definitions = definitions
        self.metrics = WorkerMetrics(registry: metrics)
        self.onReport = onReport
        let mailbox = mailbox
        runner = AttemptRunner(definitions: definitions, identity: configuration.identity, logger: self.logger) {
            mailbox.post(.machine(.finished($0, $1)))
        }
        pipeline = AppendPipeline(log: log) { mailbox.post(.machine(.appended($0))) }
    }

    package func stop() async { mailbox.post(.machine(.stop)) }

    package func run() async throws {
        try await checkTopics()
        let member = try await log.join(
            GroupOptions(
                group: configuration.names.workerGroup,
                topics: configuration.queues.map { configuration.names.due($0.name) },
                clientID: configuration.workerID, sessionTimeoutMilliseconds: configuration.sessionTimeout))
        let follower = try await log.follow([:])
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await self.pump(member) }
            group.addTask { await self.pump(follower) }
            group.addTask { await self.pipeline.run() }
            group.addTask { await self.beat() }
            let mailbox = mailbox
            let ended: Result<Void, any Error>
            do {
                try await withTaskCancellationHandler {
                    try await loop(member, follower, &group)
                } onCancel: {
                    // The impatient end: nothing is handed off; the session timeout hands over.
                    mailbox.close()
                }
                ended = .success(())
            } catch {
                ended = .failure(error)
            }
            // Whoever waits is woken before the group waits for its children.
            mailbox.close()
            pipeline.close()
            await runner.finishAll()
            await follower.close()
            await member.leave()
            group.cancelAll()
            try ended.get()
        }
    }

    private func checkTopics() async throws {
        let names =
            configuration.queues.flatMap { queue in
                [
                    (configuration.names.due(queue.name), queue.partitions),
                    (configuration.names.ledger(queue.name), queue.partitions),
                ]
            } + [
                (configuration.names.retry, configuration.controlPartitions),
                (configuration.names.dead, configuration.controlPartitions),
            ]
        let found = try await log.describe(topics: names.map(\.0))
        for (name, expected) in names {
            guard let topic = found.first(where: { $0.name == name }) else { throw WorkerError.missingTopic(name) }
            guard topic.partitions == expected else {
                throw WorkerError.partitionCount(topic: name, expected: expected, found: topic.partitions)
            }
        }
    }

    private func loop(
        _ member: any GroupMember, _ follower: any LogFollower, _ group: inout ThrowingTaskGroup<Void, any Error>
    ) async throws {
        var machine = WorkerStateMachine(
            configuration: configuration,
            tasks: definitions.mapValues { TaskPolicy(timeout: $0.timeout, retry: $0.retry) })
        var alarm: Int64?
        while let wakes = await mailbox.receive() {
            for wake in wakes {
                switch wake {
                case .failed(let error): throw error
                case .heartbeat: beat(machine, &group)
                case .drained:
                    metrics.publish(machine)
                    return
                case .machine(let wake):
                    if case .timer = wake { alarm = nil }
                    if case .finished(let id, _) = wake { metrics.ended(id, at: time.uptime()) }
                    let now = WorkerNow(wall: time.now(), uptime: time.uptime())
                    for action in machine.handle(wake, now: now) { perform(action, machine, member, follower, &group) }
                }
            }
            metrics.publish(machine)
            if let next = machine.nextWake, alarm.map({ next < $0 }) ?? true {
                alarm = next
                group.addTask { await self.sleep(until: next) }
            }
        }
        throw CancellationError()
    }

    private func sleep(until uptime: Int64) async {
        guard uptime < .max else { return }
        try? await time.sleep(milliseconds: max(0, uptime - time.uptime()))
        mailbox.post(.machine(.timer))
    }

    private func perform(
        _ action: WorkerAction, _ machine: WorkerStateMachine, _ member: any GroupMember, _ follower: any LogFollower,
        _ group: inout ThrowingTaskGroup<Void, any Error>
    ) {
        switch action {
        case .append(let append): pipeline.submit(append)
        case .start(let start):
            metrics.started(start, now: time.now(), uptime: time.uptime())
            runner.start(start)
        case .cancel(let id): runner.cancel(id)
        case .restore(let due, let epoch, let from):
            guard let ledger = machine.ledger(of: due) else { return }
            let restorer = restorer
            group.addTask {
                await restorer.restore(due, ledger: ledger, epoch: epoch, ledgerFrom: from, follower: follower)
            }
        case .open(let due, _, let start, let commit):
            group.addTask { await self.open(due, start, commit, member) }
        case .commit(let commits): group.addTask { await self.commit(commits, member) }
        case .handOff(let partitions, let commits):
            let barrier = pipeline.barrier()
            group.addTask { await self.handOff(partitions, commits, after: barrier, member) }
        case .pause(let partitions): group.addTask { await member.pause(partitions) }
        case .resume(let partitions): group.addTask { await member.resume(partitions) }
        case .unfollow(let partitions): group.addTask { await follower.remove(partitions) }
        case .leave:
            let barrier = pipeline.barrier()
            group.addTask {
                _ = await self.time.wait(for: barrier, milliseconds: Self.handOffBound)
                await member.leave()
            }
        case .finish:
            let barrier = pipeline.barrier()
            group.addTask {
                await barrier.wait()
                self.mailbox.post(.drained)
            }
        case .report(let report):
            metrics.count(report)
            self.report(report)
            onReport?(report)
        }
    }

    private var restorer: PartitionRestorer {
        let mailbox = mailbox
        return PartitionRestorer(
            log: log, group: configuration.names.workerGroup, startPosition: configuration.startPosition, time: time,
            logger: logger
        ) { await mailbox.send(.machine($0)) }
    }
}
