internal import Foundation

/// Runs a program for each event.
///
/// The payload is its standard input. The event's attributes are in its environment (`TIDEMILL_TASK`,
/// `TIDEMILL_FINGERPRINT`, `TIDEMILL_IDEMPOTENCY_KEY`, `TIDEMILL_ATTEMPT`, …), beside the configured variables and a short
/// list of inherited ones (``ExecConfiguration/standardInheritance``). It has a process group of its own and no descriptor of
/// the worker but its three streams.
///
/// Its exit status decides (``ExitMapping``), and the end of what it wrote to standard error, at most 1 KiB, is the message.
/// Lines of both streams are logged at `info`, within ``ExecConfiguration/outputLimit``.
///
/// A program that cannot be started is tried again by the retry policy (`exec-not-found`, `exec-not-executable`,
/// `exec-no-directory`, `exec-failed`): a deployment that is rolling out may bring it, and what never comes ends as a dead
/// letter when the attempts are spent.
///
/// When the attempt is cancelled (timeout, cancel, shutdown) the process group gets SIGTERM, and SIGKILL after
/// ``ExecConfiguration/killAfter``; the call returns when the process is gone. Then it throws `CancellationError` whatever
/// the exit status was, because a program that ends with 0 on SIGTERM says that it ended well, not that its work is done.
public struct ExecHandler: TaskHandler {
    private let configuration: ExecConfiguration

    /// Throws when the configuration has ``ExecConfiguration/problems``.
    public init(_ configuration: ExecConfiguration) throws(HandlerConfigurationError) {
        let problems = configuration.problems
        guard problems.isEmpty else { throw HandlerConfigurationError(problems) }
        self.configuration = configuration
    }

    public func run(_ context: TaskContext) async throws {
        let command = Command(
            arguments: configuration.arguments,
            environment: try ExecEnvironment.variables(
                for: context, configuration: configuration, own: ProcessInfo.processInfo.environment),
            directory: configuration.directory, input: context.payload, killAfter: configuration.killAfter,
            drain: configuration.drain, outputLimit: configuration.outputLimit)
        let logger = context.logger
        let result: CommandResult
        do {
            result = try await CommandRunner.run(command) { line in
                logger.info(line.text, ["stream": line.stream.rawValue])
            }
        } catch let error as SpawnError {
            throw TaskFailure.retry(code: error.code, error.description)
        }
        if result.wasStopped {
            logger.warning("process stopped", ["end": "\(result.end)"])
            throw CancellationError()
        }
        if let failure = configuration.exits.failure(for: result.end, message: result.errorTail) { throw failure }
    }
}
