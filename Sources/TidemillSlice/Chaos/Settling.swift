import ServiceRuntime
import TaskModel

/// The wait for the end of all that was accepted; gives up when nothing has ended for a while.
struct Settling: Sendable {
    let watch: LogWatch
    private let time = SystemTimeSource()

    /// Milliseconds: a lease of a killed process, a long event behind it, and the machine's own stalls.
    static let patience: Int64 = 90_000

    init(watch: LogWatch) { self.watch = watch }

    /// Returns what went wrong.
    func wait(for accepted: Set<Fingerprint>) async -> [String] {
        var left = accepted
        var progress = time.uptime()
        while true {
            let (missing, waiting, open) = watch.read { state in
                (left.filter { state.ends[WorkKey($0)] == nil }, state.stillWaiting.count, state.open.count)
            }
            if missing.isEmpty, waiting == 0, open == 0 { return [] }
            if missing.count < left.count { progress = time.uptime() }
            left = missing
            if time.uptime() - progress > Self.patience {
                return [
                    "\(missing.count) events without an end, \(waiting) in retry, \(open) undecided; none ended for 90 s"
                ]
            }
            do { try await time.sleep(milliseconds: 500) } catch { return ["the wait was cancelled"] }
        }
    }
}
