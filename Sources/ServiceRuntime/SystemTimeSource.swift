package import TaskModel

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The machine's clocks.
package struct SystemTimeSource: TimeSource {
    package init() {}

    package func now() -> Timestamp {
        Timestamp(milliseconds: Self.read(CLOCK_REALTIME))
    }

    package func uptime() -> Int64 {
        #if canImport(Darwin)
            Self.read(CLOCK_MONOTONIC_RAW)
        #else
            Self.read(CLOCK_BOOTTIME)
        #endif
    }

    package func sleep(milliseconds: Int64) async throws {
        try await Task.sleep(for: .milliseconds(Int(max(0, milliseconds))), clock: .continuous)
    }

    private static func read(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}
