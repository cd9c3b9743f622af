import Foundation
import Synchronization

/// Threads of their own, away from Swift's pool, for work that blocks; and the wait until all of them have ended.
final class Crew: Sendable {
    private struct State {
        var running = 0
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    func start(_ name: String, _ body: @escaping @Sendable () -> Void) {
        state.withLock { $0.running += 1 }
        let thread = Thread {
            body()
            let waiters = self.state.withLock { state in
                state.running -= 1
                guard state.running == 0 else { return [CheckedContinuation<Void, Never>]() }
                defer { state.waiters = [] }
                return state.waiters
            }
            for waiter in waiters { waiter.resume() }
        }
        thread.name = name
        thread.stackSize = 1 << 20
        thread.start()
    }

    /// Returns when no thread of the crew runs any more; who is to end them is the caller's affair.
    func waitUntilAllHaveEnded() async {
        await withCheckedContinuation { continuation in
            let isDone = state.withLock { state in
                guard state.running > 0 else { return true }
                state.waiters.append(continuation)
                return false
            }
            if isDone { continuation.resume() }
        }
    }

    /// Runs a short blocking function on a thread of its own.
    static func run<Value: Sendable>(_ name: String, _ body: @escaping @Sendable () throws -> Value) async throws
        -> Value
    {
        try await withCheckedThrowingContinuation { continuation in
            Crew().start(name) { continuation.resume(with: Result { try body() }) }
        }
    }
}
