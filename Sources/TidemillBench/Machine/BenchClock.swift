import CRawFloor

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Clocks in nanoseconds, the same for all processes of this machine.
enum BenchClock {
    /// Never steps.
    static func monotonic() -> Int64 { raw_floor_clock() }

    /// What due times and broker times are named in.
    static func wall() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    /// Blocks the thread until an instant of ``monotonic()``.
    static func block(until time: Int64) {
        while true {
            let left = time - monotonic()
            guard left > 0 else { return }
            var pause = timespec(tv_sec: Int(left / 1_000_000_000), tv_nsec: Int(left % 1_000_000_000))
            nanosleep(&pause, nil)
        }
    }
}
