/// One run of a program.
struct Command: Sendable {
    /// Program and arguments; at least one.
    var arguments: [String]
    /// All of the child's environment.
    var environment: [String: String]
    var directory: String?
    /// Written to its standard input, which is closed then. A program that does not read it does no harm.
    var input: [UInt8]
    /// Milliseconds, see ``ExecConfiguration``.
    var killAfter: Int64
    var drain: Int64
    var outputLimit: Int
}

/// How a process ended.
enum CommandEnd: Hashable, Sendable {
    case exited(Int32)
    case signalled(Int32)
    /// Somebody else took its status.
    case unknown
}

/// A line that a program wrote, or what is said of the lines that were dropped.
struct CommandLine: Hashable, Sendable {
    enum Stream: String, Sendable {
        case output = "stdout"
        case errors = "stderr"
    }

    var stream: Stream
    var text: String
}

struct ProcessResult: Hashable, Sendable {
    var end: CommandEnd
    /// The attempt was cancelled before the process ended by itself.
    var wasStopped: Bool
    /// The end of what it wrote to standard error, at most 1 KiB.
    var errorTail: String
}

enum CommandRunner {
    /// Runs a program to its end, which includes reaping it and closing every descriptor.
    ///
    /// Cancelling the Swift task ends the process as ``CommandLifecycle`` says; the result tells of it. Throws
    /// ``SpawnError`` when the process did not start, `CancellationError` when the task was cancelled before that.
    /// Spawning, polling and waiting happen on two threads of the run's own. `emit` is called on one of them.
    static func run(_ command: Command, emit: @escaping @Sendable (CommandLine) -> Void) async throws -> ProcessResult {
        let bell = CommandBell()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<ProcessResult, any Error>) in
                let error = DetachedThread.start {
                    continuation.resume(with: Result { try CommandPump(command, bell, emit).run() })
                }
                if error != 0 { continuation.resume(throwing: SpawnError.system("pthread_create", error)) }
            }
        } onCancel: {
            bell.ring(.stop)
        }
    }
}
