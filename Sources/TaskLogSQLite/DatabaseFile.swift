internal import TaskLog

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The file on disk: where it really is, and that it is there, private and writable.
struct DatabaseFile: Hashable, Sendable {
    /// What the file is for the system, whatever name led to it.
    struct Identity: Hashable, Sendable {
        var device: UInt64
        var inode: UInt64
    }

    /// Absolute, without links.
    let path: String
    let identity: Identity

    /// Makes folder (mode 0700) and file (mode 0600) if they are missing, and checks that SQLite can be safe and can
    /// write here. Blocks on the disk.
    static func prepare(path: String) throws(LogError) -> DatabaseFile {
        guard !path.isEmpty, !path.utf8.contains(0) else {
            throw LogError(.unsupported, "the embedded log needs the path of a file")
        }
        let folder = parent(of: path)
        try makeFolder(folder)
        if case .network(let name) = FileSystemKind.at(folder: resolve(folder) ?? folder) {
            throw LogError(
                .unsupported,
                "\(path) lies on a network file system (\(name)): it gives no shared memory and no reliable locks, so "
                    + "the log could be damaged; use a local disk, or Kafka for several machines")
        }
        let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw refusal(path) }
        defer { close(file) }
        guard access(folder, W_OK | X_OK) == 0 else { throw refusal(folder) }
        var status = stat()
        guard fstat(file, &status) == 0, let real = resolve(path) else { throw refusal(path) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw LogError(.unsupported, "\(path) is not a regular file; name another one for the embedded log")
        }
        let identity = Identity(device: UInt64(truncatingIfNeeded: status.st_dev), inode: UInt64(status.st_ino))
        return DatabaseFile(path: real, identity: identity)
    }

    private static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    private static func makeFolder(_ folder: String) throws(LogError) {
        var status = stat()
        if stat(folder, &status) == 0 {
            guard status.st_mode & S_IFMT == S_IFDIR else {
                throw LogError(.storage, "\(folder) is not a folder, so the log cannot be made in it")
            }
            return
        }
        guard errno == ENOENT else { throw refusal(folder) }
        let above = parent(of: folder)
        if above != folder { try makeFolder(above) }
        // Another process may have made it meanwhile, which is as good.
        guard mkdir(folder, 0o700) == 0 || errno == EEXIST else { throw refusal(folder) }
    }

    private static func refusal(_ path: String) -> LogError {
        let reason = String(cString: strerror(errno))
        return LogError(
            .storage,
            "cannot write \(path): \(reason); the embedded log needs a file and a folder that this user may write to")
    }

    private static func resolve(_ path: String) -> String? {
        guard let real = realpath(path, nil) else { return nil }
        defer { free(real) }
        return String(cString: real)
    }
}
