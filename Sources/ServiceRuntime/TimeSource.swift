package import TaskModel

/// The clocks that a role may read, injected so that a test can hold them.
package protocol TimeSource: Sendable {
    /// Wall time. It may step; use it for what people named (a nominal time), never to measure a lease.
    func now() -> Timestamp

    /// Milliseconds on a clock that only goes forward and counts suspend (Linux CLOCK_BOOTTIME). For leases and timeouts.
    func uptime() -> Int64

    /// Returns after at least this many milliseconds of uptime, or throws `CancellationError`.
    func sleep(milliseconds: Int64) async throws
}
