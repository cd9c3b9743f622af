import Synchronization

/// Says when the next round of upkeep is due, one at a time.
final class UpkeepClock: Sendable {
    private enum State {
        case waiting(since: Int64)
        case running
        case off
    }

    let interval: Int64
    private let state: Mutex<State>

    /// Nil: never due.
    init(interval: Int64?, from uptime: Int64) {
        self.interval = interval ?? 0
        state = Mutex(interval == nil ? .off : .waiting(since: uptime))
    }

    /// True when a round is due; `finish` must follow.
    func begin(uptime: Int64) -> Bool {
        state.withLock { state in
            guard case .waiting(let since) = state, uptime - since >= interval else { return false }
            state = .running
            return true
        }
    }

    func finish(uptime: Int64) {
        state.withLock { if case .running = $0 { $0 = .waiting(since: uptime) } }
    }
}
