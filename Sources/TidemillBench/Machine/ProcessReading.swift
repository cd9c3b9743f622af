import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// What the kernel says about a process: CPU time so far, and its peak of resident memory.
struct ProcessReading: Codable, Hashable, Sendable {
    var cpuMicroseconds: Double
    var peakKibibytes: Double

    /// Of a running process, from `/proc`, in steps of 10 ms; nil where there is none (macOS), or when it has ended.
    init?(of processID: Int32) {
        guard let stat = Self.read("/proc/\(processID)/stat"), let status = Self.read("/proc/\(processID)/status")
        else {
            return nil
        }
        self.init(stat: stat, status: status, ticksPerSecond: Double(sysconf(Int32(_SC_CLK_TCK))))
    }

    /// The name of the program, in brackets in `stat`, may hold spaces and brackets. Field 3 of proc(5) is the first behind it.
    init?(stat: String, status: String, ticksPerSecond: Double) {
        guard let end = stat.lastIndex(of: ")") else { return nil }
        let fields = stat[stat.index(after: end)...].split { $0 == " " || $0 == "\n" }
        guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]),
            let kibibytes = Self.peak(status)
        else { return nil }
        cpuMicroseconds = (user + system) / ticksPerSecond * 1e6
        peakKibibytes = kibibytes
    }

    /// In KiB, from a `status` of `/proc`.
    private static func peak(_ status: String) -> Double? {
        status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }?
            .split { $0 == " " || $0 == "\t" }.dropFirst().first.flatMap { Double($0) }
    }

    /// Of this process, now.
    static func own() -> ProcessReading {
        var usage = rusage()
        #if canImport(Glibc)
            getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        #else
            getrusage(RUSAGE_SELF, &usage)
        #endif
        #if canImport(Darwin)
            let unit = 1024.0
        #else
            let unit = 1.0
        #endif
        func microseconds(_ time: timeval) -> Double { Double(time.tv_sec) * 1e6 + Double(time.tv_usec) }
        return ProcessReading(
            cpuMicroseconds: microseconds(usage.ru_utime) + microseconds(usage.ru_stime),
            // The resource usage's own peak counts that of the program before it, from between fork and exec.
            peakKibibytes: read("/proc/self/status").flatMap(peak) ?? Double(usage.ru_maxrss) / unit)
    }

    init(cpuMicroseconds: Double, peakKibibytes: Double) {
        self.cpuMicroseconds = cpuMicroseconds
        self.peakKibibytes = peakKibibytes
    }

    private static func read(_ path: String) -> String? {
        guard let file = FileHandle(forReadingAtPath: path), let data = try? file.readToEnd() else { return nil }
        return String(decoding: data, as: UTF8.self)
    }
}
