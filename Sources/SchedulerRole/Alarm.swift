internal import ServiceRuntime
import Synchronization

/// Rings once when an uptime comes. Setting an earlier time moves it forward; a later one is set after the ring.
final class Alarm: Sendable {
    private struct State {
        var deadline: Int64?
        var changed: CheckedContinuation<Void, Never>?
        var isClosed = false
    }

    private let time: any TimeSource
    private let state = Mutex(State())

    init(time: any TimeSource) {
        self.time = time
    }

    func set(_ deadline: Int64) {
        let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard deadline < state.deadline ?? .max else { return nil }
            state.deadline = deadline
            defer { state.changed = nil }
            return state.changed
        }
        waiter?.resume()
    }

    /// Ends `run`.
    func close() {
        let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
            state.isClosed = true
            defer { state.changed = nil }
            return state.changed
        }
        waiter?.resume()
    }

    /// Calls `ring` at each deadline until closed or cancelled. `arming` hears of each sleep just before it begins.
    func run(arming: @Sendable (Int64) -> Void, ring: @Sendable () -> Void) async {
        while true {
            let (deadline, isClosed) = state.withLock { ($0.deadline, $0.isClosed) }
            if isClosed || Task.isCancelled { return }
            guard let deadline else {
                await change(from: nil)
                continue
            }
            arming(deadline)
            await sleep(until: deadline)
            let isDue = state.withLock { state in
                guard let current = state.deadline, current <= time.uptime() else { return false }
                state.deadline = nil
                return true
            }
            if isDue { ring() }
        }
    }

    /// Returns at the deadline, or earlier when it is moved.
    private func sleep(until deadline: Int64) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { try? await self.time.sleep(milliseconds: deadline - self.time.uptime()) }
            group.addTask { await self.change(from: deadline) }
            await group.next()
            group.cancelAll()
        }
    }

    /// Returns when the deadline is another one than `known`, or on close or cancellation.
    private func change(from known: Int64?) async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    if Task.isCancelled || state.isClosed || state.deadline != known { return true }
                    state.changed = continuation
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            state.withLock { state -> CheckedContinuation<Void, Never>? in
                defer { state.changed = nil }
                return state.changed
            }?.resume()
        }
    }
}
