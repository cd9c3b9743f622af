#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A process started by `posix_spawn`: leader of its own process group, with three pipes for its streams and no other
/// descriptor of ours, default signal actions and an empty signal mask.
///
/// The number stays valid until ``reap()``, so signals are sent only before it.
struct ChildProcess {
    let number: pid_t

    /// Blocks until the new program is loaded.
    init(_ command: Command, input: Descriptor, output: Descriptor, errors: Descriptor) throws(SpawnError) {
        let program = try Self.find(command)
        var actions = SpawnActions()
        defer { actions.destroy() }
        actions.connect(input: input.number, output: output.number, errors: errors.number)
        if let directory = command.directory { actions.enter(directory) }
        var attributes = SpawnAttributes()
        defer { attributes.destroy() }
        let arguments = CStringArray(command.arguments)
        let environment = CStringArray(command.environment.map { "\($0.key)=\($0.value)" }.sorted())
        var number: pid_t = 0
        let result = posix_spawn(
            &number, program, &actions.actions, &attributes.attributes, arguments.pointers, environment.pointers)
        withExtendedLifetime((arguments, environment)) {}
        guard result == 0 else { throw Self.error(result, program: program, command: command) }
        self.number = number
    }

    /// To the whole group; to the process alone if it has left its group.
    func send(_ signal: Int32) {
        if kill(-number, signal) != 0 { _ = kill(number, signal) }
    }

    /// Blocks until the process has ended and leaves it to be reaped.
    static func awaitEnd(of number: pid_t) {
        var info = siginfo_t()
        while waitid(P_PID, id_t(number), &info, WEXITED | WNOWAIT) != 0, errno == EINTR {}
    }

    /// Blocks until the process has ended and forgets it.
    func reap() -> CommandEnd {
        var status: Int32 = 0
        while waitpid(number, &status, 0) < 0 {
            // Somebody waits for all children, or SIGCHLD is ignored in this program.
            guard errno == EINTR else { return .unknown }
        }
        return status & 0x7f == 0 ? .exited(status >> 8 & 0xff) : .signalled(status & 0x7f)
    }

    /// The file to execute. Done here rather than by `posix_spawnp`, which looks in the worker's `PATH`, not in the child's.
    private static func find(_ command: Command) throws(SpawnError) -> String {
        let name = command.arguments[0]
        guard !name.contains("/") else { return name }
        let path = command.environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
        var refused: SpawnError?
        for folder in path.split(separator: ":") {
            let base = folder.hasPrefix("/") ? "" : command.directory.map { "\($0)/" } ?? ""
            let candidate = "\(base)\(folder)/\(name)"
            var information = stat()
            guard stat(candidate, &information) == 0, information.st_mode & S_IFMT == S_IFREG else { continue }
            if access(candidate, X_OK) == 0 { return candidate }
            refused = .notExecutable(candidate, reason: SpawnError.text(errno))
        }
        throw refused ?? .notFound(name)
    }

    private static func error(_ number: Int32, program: String, command: Command) -> SpawnError {
        if let directory = command.directory, access(directory, X_OK) != 0 {
            return .noDirectory(directory, reason: SpawnError.text(errno))
        }
        return switch number {
        case ENOENT, ENOTDIR: .notFound(program)
        case EACCES, ENOEXEC: .notExecutable(program, reason: SpawnError.text(number))
        default: .system("spawn", number)
        }
    }
}

/// What the child does before the program is loaded.
private struct SpawnActions {
    #if canImport(Darwin)
        var actions: posix_spawn_file_actions_t?
    #else
        var actions = posix_spawn_file_actions_t()
    #endif

    init() { posix_spawn_file_actions_init(&actions) }

    mutating func destroy() { posix_spawn_file_actions_destroy(&actions) }

    mutating func connect(input: Int32, output: Int32, errors: Int32) {
        posix_spawn_file_actions_adddup2(&actions, input, 0)
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        posix_spawn_file_actions_adddup2(&actions, errors, 2)
        #if !canImport(Darwin)
            // Libraries of the worker hold descriptors without close-on-exec; Darwin has a flag for it instead.
            posix_spawn_file_actions_addclosefrom_np(&actions, 3)
        #endif
    }

    mutating func enter(_ directory: String) { posix_spawn_file_actions_addchdir_np(&actions, directory) }
}

private struct SpawnAttributes {
    #if canImport(Darwin)
        var attributes: posix_spawnattr_t?
    #else
        var attributes = posix_spawnattr_t()
    #endif

    init() {
        posix_spawnattr_init(&attributes)
        var flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK
        #if canImport(Darwin)
            flags |= POSIX_SPAWN_CLOEXEC_DEFAULT
        #endif
        posix_spawnattr_setflags(&attributes, Int16(flags))
        posix_spawnattr_setpgroup(&attributes, 0)
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        sigdelset(&signals, SIGKILL)
        sigdelset(&signals, SIGSTOP)
        posix_spawnattr_setsigdefault(&attributes, &signals)
    }

    mutating func destroy() { posix_spawnattr_destroy(&attributes) }
}

/// A null-terminated array of C strings, as `argv` and `envp` are.
private final class CStringArray {
    let pointers: [UnsafeMutablePointer<CChar>?]

    init(_ texts: [String]) { pointers = texts.map { strdup($0) } + [nil] }

    deinit { for pointer in pointers { free(pointer) } }
}
