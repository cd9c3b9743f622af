/// When a process is asked to stop, killed, and given up waiting for. Pure: `now` is milliseconds of uptime.
///
/// ```
/// running ── exit ──────────────────────────────► draining ── output ended, or time ──► finished
///    └ stop: TERM ─► stopping ── exit ─► orphaned ── output ended: KILL ──────────────► finished
///                        └ time: KILL ─► killed     └ time: KILL ─► draining
///                                          └ exit ─► draining
/// ```
/// Signals go to the whole process group, and its number is safe to use until the process is reaped, which is done once the
/// state is `finished`. After a stop, what the process left behind in its group has the rest of the time to end by itself,
/// and is killed then: an attempt that was cancelled leaves nothing running in its group. After an exit of its own accord
/// it may leave something running.
struct CommandLifecycle: Equatable {
    enum State: Equatable {
        case running
        /// SIGTERM was sent.
        case stopping(killAt: Int64)
        /// SIGKILL was sent.
        case killed
        /// The process ended after SIGTERM; somebody in its group still holds the output.
        case orphaned(killAt: Int64)
        /// The process ended; the output is read for a short time more.
        case draining(until: Int64)
        case finished
    }

    enum Input {
        /// The attempt was cancelled.
        case stop
        case exited
        /// Both output streams are at their end.
        case outputEnded
        /// Time has passed.
        case time
    }

    enum Action: Equatable { case terminate, kill }

    private(set) var state = State.running
    /// A stop was asked for before the process ended by itself.
    private(set) var wasStopped = false
    private var isOutputOpen = true
    private let killAfter: Int64
    private let drain: Int64

    init(killAfter: Int64, drain: Int64) {
        self.killAfter = killAfter
        self.drain = drain
    }

    /// When to call with `time`, if nothing else happens before.
    var wakeAt: Int64? {
        switch state {
        case .stopping(let instant), .orphaned(let instant), .draining(let instant): instant
        case .running, .killed, .finished: nil
        }
    }

    mutating func handle(_ input: Input, now: Int64) -> [Action] {
        switch input {
        case .stop:
            guard state == .running else { return [] }
            wasStopped = true
            state = .stopping(killAt: Self.sum(now, killAfter))
            return [.terminate]
        case .exited: return exited(now)
        case .outputEnded: return outputEnded()
        case .time: return timePassed(now)
        }
    }

    private mutating func exited(_ now: Int64) -> [Action] {
        switch state {
        case .running, .killed:
            state = isOutputOpen ? .draining(until: Self.sum(now, drain)) : .finished
            return []
        case .stopping(let killAt):
            state = isOutputOpen ? .orphaned(killAt: killAt) : .finished
            return isOutputOpen ? [] : [.kill]
        case .orphaned, .draining, .finished:
            return []
        }
    }

    private mutating func outputEnded() -> [Action] {
        isOutputOpen = false
        switch state {
        case .orphaned:
            state = .finished
            return [.kill]
        case .draining:
            state = .finished
            return []
        case .running, .stopping, .killed, .finished:
            return []
        }
    }

    private mutating func timePassed(_ now: Int64) -> [Action] {
        switch state {
        case .stopping(let instant) where now >= instant:
            state = .killed
            return [.kill]
        case .orphaned(let instant) where now >= instant:
            state = .draining(until: Self.sum(now, drain))
            return [.kill]
        case .draining(let instant) where now >= instant:
            state = .finished
            return []
        default:
            return []
        }
    }

    private static func sum(_ now: Int64, _ delay: Int64) -> Int64 {
        let (sum, overflow) = now.addingReportingOverflow(delay)
        return overflow ? .max : sum
    }
}
