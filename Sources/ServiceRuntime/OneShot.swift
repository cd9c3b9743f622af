import Synchronization

/// Something that happens once. Waiting ends when it has happened, or when the waiter is cancelled.
package final class OneShot: Sendable {
    private struct State {
        var hasFired = false
        var waiters: [UInt64: CheckedContinuation<Void, Never>] = [:]
        var nextID: UInt64 = 0
    }

    private let state = Mutex(State())

    package init() {}

    package func fire() {
        let waiters = state.withLock { state in
            state.hasFired = true
            defer { state.waiters = [:] }
            return state.waiters.values.map { $0 }
        }
        for waiter in waiters { waiter.resume() }
    }

    package var hasFired: Bool { state.withLock { $0.hasFired } }

    /// Returns whether it has fired (false: cancelled).
    @discardableResult
    package func wait() async -> Bool {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let resumeNow = state.withLock { state in
                    guard !state.hasFired && !Task.isCancelled else { return true }
                    state.waiters[id] = continuation
                    return false
                }
                if resumeNow { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: id) }?.resume()
        }
        return hasFired
    }
}

extension TimeSource {
    /// Waits for `signal`, at most this long. Returns whether it fired.
    package func wait(for signal: OneShot, milliseconds: Int64) async -> Bool {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await signal.wait() }
            group.addTask { try? await sleep(milliseconds: milliseconds) }
            await group.next()
            group.cancelAll()
        }
        return signal.hasFired
    }
}
