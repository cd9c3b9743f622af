/// Which program runs for a task, and how.
public struct ExecConfiguration: Hashable, Sendable {
    /// Names that a child gets from the worker's own environment unless told otherwise. It is a list of what is allowed,
    /// so that the passwords in the worker's environment do not reach every program by accident.
    public static let standardInheritance: Set<String> = [
        "PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR",
    ]

    /// The program and its arguments, given to it as they are: no shell reads them. A program without a slash is looked for
    /// in the `PATH` that the child gets; one with a slash is taken as a path, relative to ``directory``.
    public var arguments: [String]
    /// Variables with fixed values. They win over inherited ones; `TIDEMILL_…` and `TRACEPARENT` of the event win over them.
    public var environment: [String: String]
    /// Names to take over from the worker's own environment. Default ``standardInheritance``.
    public var inherit: Set<String>
    /// The working directory. Default: the worker's own.
    public var directory: String?
    /// What each exit status means.
    public var exits: ExitMapping
    /// Milliseconds from SIGTERM to SIGKILL when the attempt is cancelled. Default 10 s.
    public var killAfter: Int64
    /// Milliseconds to go on reading output after the process has ended, if a child of its own still holds the pipe. Default 1 s.
    public var drain: Int64
    /// Bytes of each output stream that are logged; what comes after them is read, counted and dropped. Default 64 KiB.
    public var outputLimit: Int

    public init(
        _ arguments: [String], environment: [String: String] = [:], inherit: Set<String> = standardInheritance,
        directory: String? = nil, exits: ExitMapping = ExitMapping(), killAfter: Int64 = 10_000, drain: Int64 = 1000,
        outputLimit: Int = 65_536
    ) {
        self.arguments = arguments
        self.environment = environment
        self.inherit = inherit
        self.directory = directory
        self.exits = exits
        self.killAfter = killAfter
        self.drain = drain
        self.outputLimit = outputLimit
    }

    /// What is wrong with the values, in the words of the configuration; empty when nothing is.
    public var problems: [String] {
        var problems: [String] = []
        if arguments.first?.isEmpty != false { problems.append("the command must name a program") }
        if arguments.contains(where: Self.hasNUL) { problems.append("an argument contains a NUL character") }
        for name in Set(environment.keys).union(inherit).sorted()
        where name.isEmpty || name.contains("=") || Self.hasNUL(name) {
            problems.append("\"\(name)\" is not the name of an environment variable")
        }
        for (name, value) in environment.sorted(by: { $0.key < $1.key }) where Self.hasNUL(value) {
            problems.append("the value of environment variable \(name) contains a NUL character")
        }
        if let directory, directory.isEmpty || Self.hasNUL(directory) { problems.append("directory is not a path") }
        if killAfter < 0 { problems.append("kill_after must not be negative") }
        if drain < 0 { problems.append("drain must not be negative") }
        if outputLimit < 0 { problems.append("output_limit must not be negative") }
        return problems + exits.problems
    }

    /// A C string would end there, and say something else than was meant.
    static func hasNUL(_ text: String) -> Bool { text.utf8.contains(0) }
}
