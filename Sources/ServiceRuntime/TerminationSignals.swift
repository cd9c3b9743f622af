@preconcurrency import Dispatch
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The signals that ask a process to end.
public enum TerminationSignal: String, Sendable, Hashable, CaseIterable {
    case interrupt = "SIGINT"
    case terminate = "SIGTERM"

    package var number: Int32 {
        switch self {
        case .interrupt: SIGINT
        case .terminate: SIGTERM
        }
    }
}

/// SIGINT and SIGTERM of this process as a stream, for as long as it is installed. One at a time.
///
/// The signals are caught by a handler, not ignored or blocked: what `exec` starts gets back the default handling of a
/// caught signal, while it would inherit the other two and could then not be stopped. For the same reason SIGPIPE goes to
/// a handler that does nothing; a write to a closed pipe then fails with EPIPE. The handler does nothing but write a byte
/// to a pipe.
package final class TerminationSignals: Sendable {
    package let stream: AsyncStream<TerminationSignal>
    private let previous: [(signal: Int32, action: sigaction)]
    private let isActive = Mutex(true)

    /// Nil when they are installed already.
    package static func install() -> TerminationSignals? {
        let isFree = isInstalled.withLock { isInstalled in
            defer { isInstalled = true }
            return !isInstalled
        }
        return isFree ? TerminationSignals() : nil
    }

    private static let isInstalled = Mutex(false)

    private init() {
        let (stream, continuation) = AsyncStream.makeStream(
            of: TerminationSignal.self, bufferingPolicy: .bufferingOldest(8))
        self.stream = stream
        SignalPipe.shared.hand(to: continuation)
        previous =
            TerminationSignal.allCases.map { Self.handle($0.number) { writeSignal($0) } }
            + [Self.handle(SIGPIPE) { _ in }]
    }

    /// Gives the signals back to who had them before; the next one meets the old handling.
    package func restore() {
        let wasActive = isActive.withLock { isActive in
            defer { isActive = false }
            return isActive
        }
        guard wasActive else { return }
        for (signal, action) in previous {
            var action = action
            sigaction(signal, &action, nil)
        }
        SignalPipe.shared.hand(to: nil)
        Self.isInstalled.withLock { $0 = false }
    }

    deinit { restore() }

    private static func handle(
        _ signal: Int32, by handler: @escaping @convention(c) (Int32) -> Void
    ) -> (signal: Int32, action: sigaction) {
        var action = sigaction()
        #if canImport(Darwin)
            action.__sigaction_u.__sa_handler = handler
        #else
            action.__sigaction_handler.sa_handler = handler
        #endif
        action.sa_flags = SA_RESTART
        var old = sigaction()
        sigaction(signal, &action, &old)
        return (signal, old)
    }
}

/// The pipe between the handler and whoever has the signals.
///
/// Opened once and kept for the life of the process: a handler that runs late never meets a closed or foreign descriptor,
/// and there is one reader. Were there one for each, a reader that was just cancelled could still take a signal that is
/// the next one's.
private final class SignalPipe: Sendable {
    typealias Receiver = AsyncStream<TerminationSignal>.Continuation

    static let shared = SignalPipe()

    private let reader: Int32
    private let source: any DispatchSourceRead
    private let receiver = Mutex<Receiver?>(nil)

    /// Neither end ever waits: a handler must not, and a full pipe holds signals enough.
    private init() {
        var ends: [Int32] = [-1, -1]
        precondition(pipe(&ends) == 0, "no descriptors are left for a pipe")
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        reader = ends[0]
        pipeWriter = ends[1]
        source = DispatchSource.makeReadSource(
            fileDescriptor: reader, queue: DispatchQueue(label: "tidemill.signals"))
        source.setEventHandler { SignalPipe.shared.forward() }
        source.activate()
    }

    /// From now on the signals are this one's; who had them gets those that came before, and then the end of its stream.
    func hand(to next: Receiver?) {
        receiver.withLock { receiver in
            forward(to: receiver)
            receiver?.finish()
            receiver = next
        }
    }

    private func forward() { receiver.withLock { forward(to: $0) } }

    private func forward(to receiver: Receiver?) {
        var byte: UInt8 = 0
        while read(reader, &byte, 1) == 1 {
            if let signal = TerminationSignal.allCases.first(where: { $0.number == Int32(byte) }) {
                receiver?.yield(signal)
            }
        }
    }
}

// Set before the first handler is, and never again: the handler may read it without a lock, which it could not take.
nonisolated(unsafe) private var pipeWriter: Int32 = -1

/// Runs inside a signal handler: nothing but `write`, with `errno` put back.
func writeSignal(_ signal: Int32) {
    let saved = errno
    var byte = UInt8(truncatingIfNeeded: signal)
    _ = write(pipeWriter, &byte, 1)
    errno = saved
}
