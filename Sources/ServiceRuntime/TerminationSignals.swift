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
/// to a pipe, from which a dispatch source reads.
package final class TerminationSignals: Sendable {
    package let stream: AsyncStream<TerminationSignal>
    private let previous: [(signal: Int32, action: sigaction)]
    private let source: any DispatchSourceRead
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
        let reader = Self.openPipe()
        let (stream, continuation) = AsyncStream.makeStream(
            of: TerminationSignal.self, bufferingPolicy: .bufferingOldest(8))
        self.stream = stream
        let source = DispatchSource.makeReadSource(
            fileDescriptor: reader, queue: DispatchQueue(label: "tidemill.signals"))
        source.setEventHandler {
            var byte: UInt8 = 0
            while read(reader, &byte, 1) == 1 {
                if let signal = TerminationSignal.allCases.first(where: { $0.number == Int32(byte) }) {
                    continuation.yield(signal)
                }
            }
        }
        source.setCancelHandler { continuation.finish() }
        source.activate()
        self.source = source
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
        source.cancel()
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

    /// Opened once and kept for the life of the process: a handler that runs late never meets a closed or foreign
    /// descriptor. Both ends never wait: a handler must not, and a full pipe holds signals enough.
    private static func openPipe() -> Int32 {
        if pipeReader >= 0 { return pipeReader }
        var ends: [Int32] = [-1, -1]
        precondition(pipe(&ends) == 0, "no descriptors are left for a pipe")
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        pipeReader = ends[0]
        pipeWriter = ends[1]
        return ends[0]
    }
}

// Set under `isInstalled` before the handler is, and never again: the handler may read it without a lock, which it could
// not take.
nonisolated(unsafe) private var pipeWriter: Int32 = -1
nonisolated(unsafe) private var pipeReader: Int32 = -1

/// Runs inside a signal handler: nothing but `write`, with `errno` put back.
private func writeSignal(_ signal: Int32) {
    let saved = errno
    var byte = UInt8(truncatingIfNeeded: signal)
    _ = write(pipeWriter, &byte, 1)
    errno = saved
}
