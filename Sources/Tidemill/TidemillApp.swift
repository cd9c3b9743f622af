public import Foundation
import ServiceRuntime
internal import Settings
import TaskClient
internal import TaskLog
import TaskModel
import TaskTelemetry
import WorkerRole

/// Tidemill inside an app: opens a log, publishes, runs workers and a scheduler beside the app's own services.
///
///     let app = try await TidemillApp.embedded(at: "data/app.db")
///     let greet = TaskDefinition("greet", of: Greeting.self) { greeting, context in print(greeting.name) }
///     try await app.publish("greet", Greeting(name: "Ada"))
///     try await app.run([greet])
///
/// Everything here may be called from any task. A log is open until ``close()``.
public final class TidemillApp: Sendable {
    private let installation: Installation
    /// All operations on events, dead letters and schedules.
    public var client: TaskClient { installation.client }
    /// The series that the roles count in.
    public var metrics: MetricsRegistry { installation.metrics }

    private init(_ installation: Installation) { self.installation = installation }

    /// One SQLite file, made when it is missing, with all topics: for one machine. Several processes may share it.
    public static func embedded(
        at path: String = "./data/tidemill.db", logger: Logger = Logger()
    ) async throws -> TidemillApp {
        var configuration = Configuration.default
        configuration.log.engine = .embedded(path: path)
        return try await open(configuration, logger)
    }

    /// What a configuration file says (`tidemill.yaml`, embedded or Kafka), with the environment's overrides.
    public static func configured(
        by file: String, environment: [String: String] = ProcessInfo.processInfo.environment, logger: Logger = Logger()
    ) async throws -> TidemillApp {
        try await open(try Configuration.load(path: file, environment: environment), logger)
    }

    private static func open(_ configuration: Configuration, _ logger: Logger) async throws -> TidemillApp {
        let installation = try await Installation.open(configuration, logger: logger)
        do {
            try await installation.ensureTopics()
        } catch {
            await installation.log.close()
            throw error
        }
        return TidemillApp(installation)
    }

    /// Publishes an event with a JSON payload to the task's queue, now or after `delay`.
    ///
    /// Returns when it is durable. With an idempotency key, equal calls within the dedup window run once.
    @discardableResult
    public func publish(
        _ task: String, _ payload: some Encodable, queue: String = TopicNames.defaultQueue, key: String? = nil,
        delay: Duration? = nil, idempotencyKey: String? = nil
    ) async throws -> PublishReceipt {
        var request = try PublishRequest(task: task, json: payload)
        request.queue = queue
        request.key = key
        if let delay {
            let (seconds, attoseconds) = delay.components
            request.start = .after(milliseconds: seconds * 1000 + attoseconds / 1_000_000_000_000_000)
        }
        if let idempotencyKey { request.identity = .idempotencyKey(idempotencyKey) }
        return try await client.publish(request)
    }

    /// A worker and a scheduler, for an app that runs its own ``ServiceGroup``.
    public func services(_ tasks: [TaskDefinition]) throws -> [any Service] {
        installation.makeScheduler() + [try installation.makeWorker(tasks: tasks)]
    }

    /// Runs a worker and a scheduler until SIGTERM or SIGINT, then stops them in order.
    public func run(_ tasks: [TaskDefinition]) async throws {
        _ = try await ServiceGroup(services: try services(tasks), logger: installation.logger).run()
    }

    /// Runs a worker and a scheduler while `body` runs, then stops them in order. Signals stay the app's.
    public func run<Result: Sendable>(
        _ tasks: [TaskDefinition], during body: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        let group = ServiceGroup(services: try services(tasks), signals: .none, logger: installation.logger)
        return try await withThrowingTaskGroup(of: Result?.self) { tasks in
            tasks.addTask {
                _ = try await group.run()
                return nil
            }
            tasks.addTask { try await body() }
            var result: Result?
            while let ended = try await tasks.next() {
                if let ended {
                    result = ended
                    group.stop()
                }
            }
            guard let result else { throw CancellationError() }
            return result
        }
    }

    /// Flushes and lets go of the log.
    public func close() async { await installation.log.close() }
}
