/// The command line cannot be understood. Goes to stderr; the process ends with ``exitCode``.
struct UsageError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What ends a process after a usage error, as shells and getopt have it.
    static let exitCode: Int32 = 2

    /// What is wrong, starting in lower case.
    var message: String
    /// What to do about it.
    var hint: String

    /// Two lines: `tidemill: unknown option --fro` and what to do.
    var description: String { "tidemill: \(message)\n\(hint)" }
}
