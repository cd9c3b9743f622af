import Synchronization

/// A flag that one task waits for and anybody raises. Raised before the wait, it is not lost; raised twice, it counts once.
final class Signal: Sendable {
    private enum State {
        case idle
        case raised
        case waited(CheckedContinuation<Void, Never>)
    }

    private let state = Mutex(State.idle)

    func raise() {
        let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard case .waited(let continuation) = state else {
                state = .raised
                return nil
            }
            state = .idle
            return continuation
        }
        waiter?.resume()
    }

    /// Returns once raised, and lowers the flag; also returns when the task is cancelled.
    func wait() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isRaised = state.withLock { state in
                    switch state {
                    case .raised:
                        state = .idle
                        return true
                    case .idle:
                        state = .waited(continuation)
                        return false
                    case .waited:
                        preconditionFailure("one task at a time may wait for the next records")
                    }
                }
                if isRaised { continuation.resume() }
            }
        } onCancel: {
            raise()
        }
    }
}
