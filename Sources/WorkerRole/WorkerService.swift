internal import Foundation
package import ServiceRuntime
import Synchronization
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
        /// Attempts ended; the runner has them.
        case ended
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
    /// Batches of records count as one, so this bounds what is read ahead of the loop.
    let mailbox = Mailbox<Wake>(capacity: 32)
    let metrics: WorkerMetrics
    let onReport: (@Sendable (WorkerReport) -> Void)?
    private let definitions: [String: TaskDefinition]
    private let runner: AttemptRunner
    private let stopRequest = OneShot()
    let pipeline: AppendPipeline
    let complaints = Mutex(AppendComplaints())

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
        runner = AttemptRunner(
            definitions: definitions, identity: configuration.identity, logger: self.logger, time: time
        ) { mailbox.post(.ended) }
        pipeline = AppendPipeline(time: time) {
            await log.append($0)
        } deliver: {
            mailbox.post(.machine(.appended($0, $1)))
        }
    }

    package func stop() async {
        stopRequest.fire()
        mailbox.post(.machine(.stop))
    }

    /// Waits for a log that does not answer yet. Nil when the worker was stopped meanwhile.
    private func connect() async throws -> (any GroupMember, any LogFollower)? {
        try await time.patiently(
            until: stopRequest, passes: { ($0 as? LogError)?.isRetriable == true },
            report: { self.logger.warning("the log does not answer yet", ["error": "\($0)"]) },
            { try await self.join() })
    }

    private func join() async throws -> (any GroupMember, any LogFollower) {
        try await checkTopics()
        let member = try await log.join(
            GroupOptions(
                group: configuration.names.workerGroup,
                topics: configuration.queues.map { configuration.names.due($0.name) },
                clientID: configuration.workerID, sessionTimeoutMilliseconds: configuration.sessionTimeout,
                revokeTimeoutMilliseconds: configuration.revokeTimeout))
        do {
            return (member, try await log.follow([:], pace: .gathered))
        } catch {
            await member.leave()
            throw error
        }
    }

    package func run() async throws {
        guard let (member, follower) = try await connect() else { return }
        let desk = MemberDesk(
            member: member, revokeTimeout: configuration.revokeTimeout, time: time, logger: logger)
        // Discarding: a worker runs for months, and every commit is a child.
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask { await self.pump(member) }
            group.addTask { await self.pump(follower) }
            group.addTask { await desk.run() }
            group.addTask { await self.pipeline.run() }
            group.addTask { await self.beat() }
            let mailbox = mailbox
            let ended: Result<Void, any Error>
            do {
                try await withTaskCancellationHandler {
                    try await loop(desk, follower, &group)
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
            desk.close()
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

    private var moment: WorkerNow { WorkerNow(wall: time.now(), uptime: time.uptime()) }

    private func loop(
        _ desk: MemberDesk, _ follower: any LogFollower, _ group: inout ThrowingDiscardingTaskGroup<any Error>
    ) async throws {
        var machine = WorkerStateMachine(
            configuration: configuration,
            tasks: definitions.mapValues { TaskPolicy(timeout: $0.timeout, retry: $0.retry) })
        let ledgers = LedgerDesk(follower: follower, time: time, logger: logger)
        var shell = WorkerShell(service: self, runner: runner, desk: desk, ledgers: ledgers)
        let mailbox = mailbox
        var alarm = Alarm(time: time) { mailbox.post(.machine(.timer)) }
        defer { alarm.stop() }
        while let wakes = await mailbox.receive() {
            for wake in wakes {
                switch wake {
                case .failed(let error): throw error
                case .heartbeat: beat(machine, &group)
                case .drained:
                    metrics.publish(machine)
                    metrics.gauges(machine, now: time.now())
                    return
                case .ended:
                    let ended = runner.takeEnded()
                    metrics.ended(ended)
                    shell.perform(machine.handle(.finished(ended.map(\.end)), now: moment), machine, &group)
                case .machine(let wake):
                    if case .timer = wake { alarm.rang() }
                    shell.perform(machine.handle(wake, now: moment), machine, &group)
                }
            }
            metrics.publish(machine)
            alarm.ring(at: machine.nextWake)
        }
        throw CancellationError()
    }
}
