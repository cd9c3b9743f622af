internal import Foundation
internal import SchedulerRole
import ServiceRuntime
internal import Settings
import TaskModel
package import TaskServer
import WorkerRole

extension Installation {
    /// A worker for the tasks of the configuration and these. A task of both has its options from the configuration and
    /// its handler from code.
    package func makeWorker(
        tasks: [TaskDefinition] = [], queues: [String]? = nil, concurrency: Int? = nil,
        from start: StartPosition? = nil, time: any TimeSource = SystemTimeSource(),
        onReport: (@Sendable (WorkerReport) -> Void)? = nil
    ) throws -> WorkerService {
        var worker = WorkerConfiguration(
            queues: try selectedQueues(queues), controlPartitions: Int32(configuration.log.topics.controlPartitions),
            workerID: workerID, nonce: nonce)
        let settings = configuration.worker
        worker.names = configuration.topicPlan.names
        worker.concurrency = concurrency ?? settings.concurrency
        worker.grace = settings.grace
        worker.lease = settings.lease
        worker.unknownTaskMaxAge = settings.unknownTaskMaxAge
        worker.sessionTimeout = Int(settings.sessionTimeout)
        worker.dedupWindow = configuration.log.topics.dedupWindow
        worker.startPosition = start
        return try WorkerService(
            log: log, configuration: worker, tasks: try definitions(beside: tasks), time: time, logger: logger,
            metrics: metrics, onReport: onReport)
    }

    private func selectedQueues(_ names: [String]?) throws -> [WorkerQueue] {
        let wanted = names ?? configuration.worker.queues ?? configuration.queues.keys.sorted()
        return try wanted.map { name in
            guard let queue = configuration.queues[name] else {
                throw InstallationError.unknownQueue(name, known: configuration.queues.keys.sorted())
            }
            return WorkerQueue(name: name, partitions: Int32(queue.partitions), weight: queue.weight)
        }
    }

    private func definitions(beside code: [TaskDefinition]) throws -> [TaskDefinition] {
        var definitions = code
        for index in definitions.indices {
            guard let settings = configuration.tasks[definitions[index].name] else { continue }
            definitions[index].queue = settings.queue
            definitions[index].timeout = settings.timeout
            definitions[index].retry = settings.retry
        }
        let names = Set(code.map(\.name))
        for (name, settings) in configuration.tasks.sorted(by: { $0.key < $1.key }) where !names.contains(name) {
            if let definition = try settings.definition(name) { definitions.append(definition) }
        }
        return definitions
    }

    /// A scheduler, and the heartbeat that shows it to `doctor`.
    package func makeScheduler(time: any TimeSource = SystemTimeSource()) -> [any Service] {
        let settings = configuration.scheduler
        let scheduler = SchedulerConfiguration(
            names: configuration.topicPlan.names, clientID: "\(workerID)-scheduler", bootNonce: nonce,
            sessionTimeoutMilliseconds: Int(settings.sessionTimeout), payloadBudget: settings.payloadMemory,
            maximumClockLead: settings.maximumClockLead)
        return [
            SchedulerService(
                log: log, time: time, configuration: scheduler, metrics: SchedulerMetrics(metrics),
                logger: logger),
            SchedulerHeartbeat(log: log, names: scheduler.names, identity: scheduler.writerName),
        ]
    }

    /// The server of `/metrics` and `/healthz`, when the configuration asks for one.
    package func makeServer() throws -> TaskServer? {
        guard let metrics = configuration.observability.metrics else { return nil }
        let log = log
        let names = [configuration.topicPlan.names.commands]
        let health: @Sendable () async -> HealthReport = {
            do {
                let found = try await log.describe(topics: names)
                return HealthReport([
                    .init("log", ok: !found.isEmpty, detail: found.isEmpty ? "topics are missing" : nil)
                ])
            } catch {
                return HealthReport([.init("log", ok: false, detail: "\(error)")])
            }
        }
        return try TaskServer(
            TaskServerConfiguration(
                host: metrics.host, port: UInt16(clamping: metrics.port), allowRemote: metrics.allowRemote),
            router: Router(
                Router.Route.observability(metrics: self.metrics, health: health, readiness: health)), logger: logger)
    }

    /// Applies the schedules of the configuration as soon as a scheduler answers.
    package func makeFileSchedules(origin: ScheduleOrigin) -> FileSchedules {
        FileSchedules(
            client: client, specs: configuration.scheduleSpecs(origin: origin), origin: origin, author: workerID,
            logger: logger)
    }
}

/// Why the configuration cannot be run.
package enum InstallationError: Error, Hashable, Sendable, CustomStringConvertible {
    case unknownQueue(String, known: [String])

    package var description: String {
        switch self {
        case .unknownQueue(let name, let known):
            "queue \"\(name)\" is not in the configuration; known are \(known.joined(separator: ", "))"
        }
    }
}
