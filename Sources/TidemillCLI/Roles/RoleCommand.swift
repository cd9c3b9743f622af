import ServiceRuntime
import Settings
import TaskModel
import TaskTelemetry
import Tidemill
import WorkerRole

/// The commands that run until they are stopped.
enum RoleCommand: String, CaseIterable, Sendable {
    case dev, worker, scheduler

    var spec: CommandSpec {
        switch self {
        case .dev:
            CommandSpec(
                "dev", "Run everything in one process: scheduler, worker, schedules of the file",
                discussion: "Creates the topics that are missing. Stop it with Ctrl-C: what runs may finish first.",
                section: ProgramSpec.Section.start, options: Self.workerOptions)
        case .worker:
            CommandSpec(
                "worker", "Run a worker", discussion: "Takes due events of its queues and runs their handlers.",
                section: ProgramSpec.Section.start,
                examples: [
                    .init("tidemill worker --queue reports --concurrency 4"),
                    .init("tidemill worker --from now", "once, when the group's position is lost"),
                ], options: Self.workerOptions)
        case .scheduler:
            CommandSpec(
                "scheduler", "Run a scheduler: schedules, delayed events, retries",
                discussion:
                    "Several share the work, and take over from each other. The schedules of the file are applied.",
                section: ProgramSpec.Section.start)
        }
    }

    private static let workerOptions: [OptionSpec] = [
        .value("queue", short: "q", .text, "Take from this queue only", occurrence: .repeated),
        .value("concurrency", short: "n", .integer(1...10_000), "Attempts at once"),
        .value(
            "from", .text, "Where a partition without a known position starts: start, now or an RFC 3339 time",
            placeholder: "POSITION"),
    ]

    func run(_ arguments: ParsedArguments, _ session: Session) async throws -> Int32 {
        let logger = try session.logger(arguments, standard: session.configuration.observability.logLevel)
        let installation = try await Installation.open(session.configuration, logger: logger)
        do {
            let services = try await services(arguments, session, installation)
            let grace = Duration.milliseconds(session.configuration.worker.grace + 10_000)
            let end = try await ServiceGroup(services: services, grace: grace, logger: logger).run()
            await installation.log.close()
            if case .cancelled = end { return ExitStatus.failure }
            return ExitStatus.success
        } catch {
            await installation.log.close()
            throw error
        }
    }

    private func services(
        _ arguments: ParsedArguments, _ session: Session, _ installation: Installation
    ) async throws -> [any Service] {
        var services: [any Service] = []
        if let server = try installation.makeServer() { services.append(server) }
        if self == .dev { try await installation.ensureTopics() }
        if self != .worker {
            services += installation.makeScheduler()
            services.append(installation.makeFileSchedules(origin: session.origin))
        }
        if self != .scheduler { services.append(try makeWorker(arguments, installation)) }
        installation.logger.info(
            "tidemill \(rawValue)",
            [
                "version": TidemillVersion.current, "log": session.configuration.log.engineDescription,
                "configuration": session.file ?? "built in",
            ])
        return services
    }

    private func makeWorker(_ arguments: ParsedArguments, _ installation: Installation) throws -> WorkerService {
        let queues = arguments.texts("queue")
        let concurrency = try arguments.integer("concurrency")
        return try installation.makeWorker(
            queues: queues.isEmpty ? nil : queues, concurrency: concurrency, from: try start(arguments))
    }

    private func start(_ arguments: ParsedArguments) throws -> StartPosition? {
        switch arguments.text("from") {
        case nil: return nil
        case "start": return .start
        case "now": return .now
        case let text?:
            guard let time = Timestamp(rfc3339: text) else {
                throw UsageError(
                    message: "--from \(text)", hint: "Give start, now, or a time such as 2026-11-21T09:30:00Z.")
            }
            return .time(time)
        }
    }
}

extension LogSettings {
    /// For people; without secrets.
    var engineDescription: String {
        switch engine {
        case .embedded(let path): path
        case .kafka(let kafka): "kafka \(kafka.bootstrapServers)"
        }
    }
}
