import Synchronization

/// What a wait that should have ended long ago throws.
package struct TimedOut: Error, CustomStringConvertible {
    package var waitedFor: String
    package var seconds: Int

    package var description: String { "gave up after \(seconds) s: \(waitedFor)" }
}

/// Runs `operation`, and throws ``TimedOut`` if it takes longer than `seconds` of real time.
///
/// This is a failure path only: a test that passes never waits for this clock, and no test may count on it. It is the
/// one place under Tests that sleeps. An operation that ignores its cancellation is left behind, so that even then the
/// test run goes on and says which wait hung.
@discardableResult
package func withTimeout<Value: Sendable>(
    seconds: Int = 60, _ waitedFor: String = "operation",
    _ operation: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    let race = Race<Value>()
    let work = Task {
        do { race.finish(.success(try await operation())) } catch { race.finish(.failure(error)) }
    }
    let alarm = Task {
        try await Task.sleep(for: .seconds(seconds * patience))
        race.finish(.failure(TimedOut(waitedFor: waitedFor, seconds: seconds * patience)))
        work.cancel()
    }
    defer { alarm.cancel() }
    return try await withTaskCancellationHandler {
        try await withCheckedThrowingContinuation { race.attach($0) }
    } onCancel: {
        work.cancel()
    }
}

/// Callers state seconds of an idle machine; on a shared one, with other suites on the same cores, all takes longer.
private let patience = 6

/// The first result wins; later ones are dropped.
private final class Race<Value: Sendable>: Sendable {
    private enum State {
        case running(CheckedContinuation<Value, any Error>?)
        case ended(Result<Value, any Error>)
        case delivered
    }

    private let state = Mutex(State.running(nil))

    func attach(_ continuation: CheckedContinuation<Value, any Error>) {
        let early: Result<Value, any Error>? = state.withLock { state in
            guard case .ended(let result) = state else {
                state = .running(continuation)
                return nil
            }
            state = .delivered
            return result
        }
        if let early { continuation.resume(with: early) }
    }

    func finish(_ result: Result<Value, any Error>) {
        let waiting: CheckedContinuation<Value, any Error>? = state.withLock { state in
            guard case .running(let continuation) = state else { return nil }
            state = continuation == nil ? .ended(result) : .delivered
            return continuation
        }
        waiting?.resume(with: result)
    }
}
