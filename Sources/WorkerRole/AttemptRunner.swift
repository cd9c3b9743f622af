internal import ServiceRuntime
import Synchronization
internal import TaskModel
internal import TaskTelemetry

/// Runs handlers, one Swift task an attempt, and says how each ended.
///
/// The tasks are kept by id, so that one can be cancelled for about the price of a task: a task group has no way to name
/// a child, and a race of two children would cost every attempt twice. `finishAll` is the structured end: nothing
/// outlives the service.
final class AttemptRunner: Sendable {
    private let definitions: [String: TaskDefinition]
    private let identity: String
    private let logger: Logger
    private let running = Mutex<[AttemptID: Task<Void, Never>]>([:])
    private let ended: @Sendable (AttemptID, AttemptResult) -> Void

    init(
        definitions: [String: TaskDefinition], identity: String, logger: Logger,
        ended: @escaping @Sendable (AttemptID, AttemptResult) -> Void
    ) {
        self.definitions = definitions
        self.identity = identity
        self.logger = logger
        self.ended = ended
    }

    func start(_ start: AttemptStart) {
        guard let definition = definitions[start.event.task] else {
            preconditionFailure("the state machine starts only tasks that are defined")
        }
        running.withLock { running in
            running[start.id] = Task {
                let result = await Self.run(definition.handler, context(of: start))
                self.running.withLock { $0[start.id] = nil }
                ended(start.id, result)
            }
        }
    }

    private func context(of start: AttemptStart) -> TaskContext {
        TaskContext(
            event: start.event, queue: start.queue, fencingToken: start.fencingToken, worker: identity,
            deadline: start.deadline, logger: logger)
    }

    func cancel(_ id: AttemptID) { running.withLock { $0[id] }?.cancel() }

    /// Cancels what still runs and waits for it.
    func finishAll() async {
        let tasks = running.withLock { Array($0.values) }
        for task in tasks { task.cancel() }
        for task in tasks { await task.value }
    }

    private static func run(_ handler: any TaskHandler, _ context: TaskContext) async -> AttemptResult {
        do {
            try await handler.run(context)
            return .completed
        } catch let failure as TaskFailure {
            return result(of: failure)
        } catch is CancellationError {
            return .failed(code: "cancelled", message: "the attempt was cancelled")
        } catch {
            return .failed(code: "error", message: "\(error)")
        }
    }

    private static func result(of failure: TaskFailure) -> AttemptResult {
        switch failure {
        case .retry(let code, let message): .failed(code: code, message: message)
        case .retryAfter(let milliseconds, let code, let message):
            .retryAfter(milliseconds: milliseconds, code: code, message: message)
        case .snooze(let milliseconds, let message): .snoozed(milliseconds: milliseconds, message: message)
        case .cancel(let message): .cancelled(message: message)
        case .fail(let code, let message): .fatal(reason: .fatal, code: code, message: message)
        case .undecodable(let message): .fatal(reason: .undecodable, code: "undecodable", message: message)
        }
    }
}
