import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Carries the cancellation of an attempt, and the end of its process, to the thread that polls for them.
final class CommandBell: Sendable {
    enum Ring: UInt8 {
        case stop = 1
        case exited = 2
    }

    private enum State {
        /// Nobody listens yet.
        case idle
        /// The stop came before somebody listened.
        case stopped
        /// Rings are written to this descriptor.
        case listening(Int32)
        case closed
    }

    private let state = Mutex(State.idle)

    /// Never blocks; may be called from any thread.
    func ring(_ ring: Ring) {
        state.withLock { state in
            switch state {
            case .idle where ring == .stop:
                state = .stopped
            case .listening(let descriptor):
                var byte = ring.rawValue
                while write(descriptor, &byte, 1) < 0, errno == EINTR {}
            case .idle, .stopped, .closed:
                break
            }
        }
    }

    /// From here on every ring is written to this descriptor. False when the stop came before.
    func listen(_ descriptor: Int32) -> Bool {
        state.withLock { state in
            guard case .idle = state else { return false }
            state = .listening(descriptor)
            return true
        }
    }

    /// To be called before the descriptor is closed.
    func close() { state.withLock { $0 = .closed } }
}
