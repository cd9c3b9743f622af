internal import ServiceRuntime
import Synchronization
package import TaskModel

/// Clocks that stand still until a test moves them.
///
/// A sleeper wakes when `advance` reaches its deadline, never by itself. A test first waits for its subject to sleep
/// (``waitForSleepers(count:)``), then advances: no real time passes.
package final class ManualTimeSource: TimeSource {
    private struct Sleeper {
        var deadline: Int64
        var continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var wall: Timestamp
        var uptime: Int64
        var nextID: UInt64 = 0
        var sleepers: [UInt64: Sleeper] = [:]
        var watchers: [UInt64: (count: Int, continuation: CheckedContinuation<Void, any Error>)] = [:]
        var observers: [@Sendable () -> Void] = []
    }

    private let state: Mutex<State>

    /// Default: 2026-01-01T00:00:00Z, one hour after boot.
    package init(now: Timestamp = Timestamp(seconds: 1_767_225_600), uptime: Int64 = 3_600_000) {
        state = Mutex(State(wall: now, uptime: uptime))
    }

    package func now() -> Timestamp { state.withLock { $0.wall } }

    package func uptime() -> Int64 { state.withLock { $0.uptime } }

    /// Zero and less return at once.
    package func sleep(milliseconds: Int64) async throws {
        try Task.checkCancellation()
        guard milliseconds > 0 else { return }
        let id = nextID()
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                fallAsleep(id, milliseconds: milliseconds, continuation)
            }
        } onCancel: {
            state.withLock { $0.sleepers.removeValue(forKey: id)?.continuation }?.resume(throwing: CancellationError())
        }
    }

    /// Moves both clocks forward, tells the observers, and wakes the sleepers whose time has come, earliest first.
    package func advance(milliseconds: Int64) {
        precondition(milliseconds >= 0, "time goes forward; stepWall moves the wall clock back")
        let (due, observers) = state.withLock { state in
            state.wall = state.wall + milliseconds
            state.uptime += milliseconds
            let due = state.sleepers.filter { $0.value.deadline <= state.uptime }
                .sorted { ($0.value.deadline, $0.key) < ($1.value.deadline, $1.key) }
            for (id, _) in due { state.sleepers[id] = nil }
            return (due, state.observers)
        }
        for observer in observers { observer() }
        for (_, sleeper) in due { sleeper.continuation.resume() }
    }

    /// Steps the wall clock alone, as an administrator or NTP does. Wakes nobody.
    package func stepWall(by milliseconds: Int64) {
        state.withLock { $0.wall = $0.wall + milliseconds }
    }

    /// Tasks that sleep now.
    package var sleeperCount: Int { state.withLock { $0.sleepers.count } }

    /// Milliseconds until the first sleeper is due; nil when nobody sleeps.
    package var millisecondsToNextSleeper: Int64? {
        state.withLock { state in state.sleepers.values.map(\.deadline).min().map { $0 - state.uptime } }
    }

    /// Returns once at least `count` tasks sleep, or throws `CancellationError`.
    package func waitForSleepers(count: Int) async throws {
        let id = nextID()
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation {
                (continuation: CheckedContinuation<Void, any Error>) in
                let result: Result<Void, any Error>? = state.withLock { state in
                    if Task.isCancelled { return .failure(CancellationError()) }
                    if state.sleepers.count >= count { return .success(()) }
                    state.watchers[id] = (count, continuation)
                    return nil
                }
                if let result { continuation.resume(with: result) }
            }
        } onCancel: {
            state.withLock { $0.watchers.removeValue(forKey: id)?.continuation }?.resume(throwing: CancellationError())
        }
    }

    /// Calls `observer` after each advance, before sleepers wake, on the task that advances. It lives as long as this clock.
    package func onAdvance(_ observer: @escaping @Sendable () -> Void) {
        state.withLock { $0.observers.append(observer) }
    }

    private func nextID() -> UInt64 {
        state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
    }

    private func fallAsleep(
        _ id: UInt64, milliseconds: Int64, _ continuation: CheckedContinuation<Void, any Error>
    ) {
        let watchers: [CheckedContinuation<Void, any Error>]? = state.withLock { state in
            if Task.isCancelled { return nil }
            let (deadline, overflow) = state.uptime.addingReportingOverflow(milliseconds)
            state.sleepers[id] = Sleeper(deadline: overflow ? .max : deadline, continuation: continuation)
            let satisfied = state.watchers.filter { $0.value.count <= state.sleepers.count }
            for id in satisfied.keys { state.watchers[id] = nil }
            return satisfied.values.map(\.continuation)
        }
        guard let watchers else { return continuation.resume(throwing: CancellationError()) }
        for watcher in watchers { watcher.resume() }
    }
}
