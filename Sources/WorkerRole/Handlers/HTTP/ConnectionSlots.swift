import Synchronization

/// Bounds the requests that are under way, first come first served. Foundation on Linux takes the limit of connections in
/// its configuration and does not keep it.
final class ConnectionSlots: Sendable {
    private struct State {
        var free: Int
        var nextNumber = 0
        var waiters: [(number: Int, continuation: CheckedContinuation<Void, any Error>)] = []
    }

    private let state: Mutex<State>

    init(_ count: Int) {
        precondition(count > 0)
        state = Mutex(State(free: count))
    }

    /// Runs `body` in a slot, waiting for one. Throws `CancellationError` when cancelled while it waits.
    func run<Value: Sendable>(_ body: () async throws -> Value) async throws -> Value {
        try await acquire()
        defer { release() }
        return try await body()
    }

    /// How many nobody has.
    var free: Int { state.withLock { $0.free } }

    /// How many wait.
    var waiting: Int { state.withLock { $0.waiters.count } }

    private func acquire() async throws {
        let number = state.withLock { state in
            state.nextNumber += 1
            return state.nextNumber
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                let answer = state.withLock { state -> Result<Void, any Error>? in
                    // A cancellation after this line finds the waiter; one before it is seen here.
                    if Task.isCancelled { return .failure(CancellationError()) }
                    if state.free > 0 {
                        state.free -= 1
                        return .success(())
                    }
                    state.waiters.append((number, continuation))
                    return nil
                }
                if let answer { continuation.resume(with: answer) }
            }
        } onCancel: {
            let waiter = state.withLock { state in
                state.waiters.firstIndex { $0.number == number }.map { state.waiters.remove(at: $0) }
            }
            waiter?.continuation.resume(throwing: CancellationError())
        }
    }

    /// Hands the slot to the first who waits.
    private func release() {
        let next = state.withLock { state in
            guard !state.waiters.isEmpty else {
                state.free += 1
                return nil as CheckedContinuation<Void, any Error>?
            }
            return state.waiters.removeFirst().continuation
        }
        next?.resume()
    }
}
