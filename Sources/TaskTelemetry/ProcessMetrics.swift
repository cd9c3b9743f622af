#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// What the kernel says about this process: memory, CPU time, descriptors, start.
public struct ProcessMetrics: Sendable, Hashable {
    public var residentBytes: Int
    public var virtualBytes: Int
    /// User and system time.
    public var cpuSeconds: Double
    /// Since the Unix epoch; nil when the boot time is not known.
    public var startSeconds: Double?
    public var openDescriptors: Int?
    /// The soft limit; nil when there is none.
    public var maximumDescriptors: Int?

    /// Read now from `/proc`; nil where there is none (macOS).
    public static func current() -> ProcessMetrics? {
        guard let stat = read("/proc/self/stat"), var metrics = ProcessMetrics(stat: stat, bootSeconds: bootSeconds)
        else { return nil }
        metrics.openDescriptors = countDescriptors()
        var limit = rlimit()
        #if canImport(Glibc)
            let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        #else
            let resource = RLIMIT_NOFILE
        #endif
        if getrlimit(resource, &limit) == 0, limit.rlim_cur < UInt64(Int.max) {
            metrics.maximumDescriptors = Int(limit.rlim_cur)
        }
        return metrics
    }

    /// From a line of `/proc/<pid>/stat`. The name of the program, in brackets, may hold spaces and brackets.
    init?(
        stat: String, bootSeconds: Double?, ticksPerSecond: Double = Double(sysconf(Int32(_SC_CLK_TCK))),
        pageSize: Int = Int(sysconf(Int32(_SC_PAGESIZE)))
    ) {
        guard let end = stat.lastIndex(of: ")") else { return nil }
        // Field 3 of proc(5) is the first one here.
        let fields = stat[stat.index(after: end)...].split { $0 == " " || $0 == "\n" }
        guard fields.count > 21, let user = Double(fields[11]), let system = Double(fields[12]),
            let start = Double(fields[19]), let virtual = Int(fields[20]), let pages = Int(fields[21])
        else { return nil }
        cpuSeconds = (user + system) / ticksPerSecond
        startSeconds = bootSeconds.map { $0 + start / ticksPerSecond }
        virtualBytes = virtual
        residentBytes = pages * pageSize
    }

    /// It does not change while a process lives.
    private static let bootSeconds: Double? = {
        guard let stat = read("/proc/stat") else { return nil }
        let line = stat.split(separator: "\n").first { $0.hasPrefix("btime ") }
        return line.flatMap { Double($0.dropFirst(6)) }
    }()

    private static func read(_ path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16384)
        while bytes.count < 1 << 20 {
            let count = buffer.withUnsafeMutableBytes { systemRead(descriptor, $0.baseAddress, $0.count) }
            if count <= 0 { break }
            bytes += buffer[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func countDescriptors() -> Int? {
        guard let directory = opendir("/proc/self/fd") else { return nil }
        defer { closedir(directory) }
        var count = 0
        while readdir(directory) != nil { count += 1 }
        // Without `.`, `..` and the descriptor that reads them.
        return count - 3
    }
}

private func systemRead(_ descriptor: Int32, _ bytes: UnsafeMutableRawPointer?, _ count: Int) -> Int {
    read(descriptor, bytes, count)
}
