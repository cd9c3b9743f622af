#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Where the sockets of a file's handles lie.
enum WakeFolder {
    /// Longest path of a Unix socket, without its closing zero: `sun_path` has 108 bytes on Linux, 104 on Darwin.
    static let maximumPathBytes: Int = {
        var address = sockaddr_un()
        return withUnsafeBytes(of: &address.sun_path) { $0.count } - 1
    }()

    /// `<database>-wake`, or, where a socket in it would have too long a path to be bound at all, a short folder under
    /// /tmp named by a hash of the canonical path. Not under `TMPDIR`: processes may have different ones, and must meet.
    static func path(for databasePath: String, user: UInt32) -> String {
        let beside = databasePath + "-wake"
        guard beside.utf8.count + 1 + longestNameBytes > maximumPathBytes else { return beside }
        return "/tmp/tidemill-\(user)-\(hexadecimal(hash(databasePath)))"
    }

    /// Process id, a dash, 16 digits.
    static let longestNameBytes = 10 + 1 + 16

    /// FNV-1a: the same in every process and version, unlike Swift's own hash.
    private static func hash(_ text: String) -> UInt64 {
        text.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }

    static func hexadecimal(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// Makes the folder (mode 0700). False when it cannot be made, or belongs to somebody else, as a trap in /tmp would.
    static func make(_ path: String) -> Bool {
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else { return false }
        var status = stat()
        guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else { return false }
        return status.st_uid == geteuid() && (!path.hasPrefix("/tmp/tidemill-") || status.st_mode & 0o077 == 0)
    }

    /// When an entry last came or went, in nanoseconds of wall time; nil when the folder is gone.
    static func changeTime(_ path: String) -> Int64? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        #if canImport(Darwin)
            let time = status.st_mtimespec
        #else
            let time = status.st_mtim
        #endif
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    /// The wall clock that file systems stamp with, in nanoseconds.
    static func now() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    /// Names of all sockets in the folder.
    static func list(_ path: String) -> [String] {
        guard let folder = opendir(path) else { return [] }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names
    }
}
