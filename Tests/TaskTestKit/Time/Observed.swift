import Synchronization

/// A value under a lock that tests can wait on: `wait` returns when an update makes its condition true, without polling.
package final class Observed<Value: Sendable>: Sendable {
    private struct Waiter {
        var condition: @Sendable (Value) -> Bool
        var continuation: CheckedContinuation<Value, any Error>
    }

    private struct State {
        var value: Value
        var nextID: UInt64 = 0
        var waiters: [UInt64: Waiter] = [:]
    }

    private let state: Mutex<State>

    package init(_ value: Value) {
        state = Mutex(State(value: value))
    }

    package var value: Value { state.withLock { $0.value } }

    /// Changes the value and wakes those whose condition now holds.
    @discardableResult
    package func update<Result: Sendable>(_ body: (inout Value) throws -> Result) rethrows -> Result {
        let (result, value, woken) = try state.withLock { state in
            let result = try body(&state.value)
            guard !state.waiters.isEmpty else { return (result, state.value, [Waiter]()) }
            let value = state.value
            let woken = state.waiters.filter { $0.value.condition(value) }
            for id in woken.keys { state.waiters[id] = nil }
            return (result, value, Array(woken.values))
        }
        for waiter in woken { waiter.continuation.resume(returning: value) }
        return result
    }

    /// The value as of the first moment at which `condition` holds (perhaps now). Throws `CancellationError`.
    @discardableResult
    package func wait(until condition: @escaping @Sendable (Value) -> Bool) async throws -> Value {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let result: Result<Value, any Error>? = state.withLock { state in
                    if Task.isCancelled { return .failure(CancellationError()) }
                    if condition(state.value) { return .success(state.value) }
                    state.waiters[id] = Waiter(condition: condition, continuation: continuation)
                    return nil
                }
                if let result { continuation.resume(with: result) }
            }
        } onCancel: {
            let waiter = state.withLock { $0.waiters.removeValue(forKey: id) }
            waiter?.continuation.resume(throwing: CancellationError())
        }
    }
}
