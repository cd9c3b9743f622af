#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Why a process did not start. Each is worth another try: the next deployment may bring the program, the next minute
/// the memory.
enum SpawnError: Error, Hashable, Sendable, CustomStringConvertible {
    case notFound(String)
    case notExecutable(String, reason: String)
    case noDirectory(String, reason: String)
    /// A system call failed with an error number.
    case system(String, Int32)

    /// For programs; see ``TaskModel/AttemptFailure/code``.
    var code: String {
        switch self {
        case .notFound: "exec-not-found"
        case .notExecutable: "exec-not-executable"
        case .noDirectory: "exec-no-directory"
        case .system: "exec-failed"
        }
    }

    var description: String {
        switch self {
        case .notFound(let program): "\(program): no such program"
        case .notExecutable(let program, let reason): "\(program) cannot be executed: \(reason)"
        case .noDirectory(let directory, let reason): "working directory \(directory): \(reason)"
        case .system(let call, let number): "the process could not be started: \(call): \(Self.text(number))"
        }
    }

    static func text(_ number: Int32) -> String { String(cString: strerror(number)) }
}
