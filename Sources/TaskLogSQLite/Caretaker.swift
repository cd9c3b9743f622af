import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The thread that keeps house for a handle: it hears the socket, shows signs of life for the members, and looks at the
/// file at each tick. It has a thread of its own so that a program that blocks Swift's pool does not lose its sessions.
final class Caretaker: Sendable {
    private enum Stage { case idle, running, stopping, ended }

    private let socket: WakeSocket?
    private let readEnd: Int32
    private let writeEnd: Int32
    private let stage = Mutex(Stage.idle)
    private let isPoked = Atomic<Bool>(false)

    init(socket: WakeSocket?) {
        self.socket = socket
        var ends: [Int32] = [-1, -1]
        // Without a pipe (no descriptors left) pokes wait for the tick.
        if pipe(&ends) == 0 {
            for end in ends {
                _ = fcntl(end, F_SETFD, FD_CLOEXEC)
                _ = fcntl(end, F_SETFL, O_NONBLOCK)
            }
        }
        readEnd = ends[0]
        writeEnd = ends[1]
    }

    /// Starts the thread. `work` returns after how many milliseconds it wants to be called again at the latest, or nil
    /// to end. `ended` is called last.
    func start(
        in crew: Crew, work: @escaping @Sendable () -> Int?, ended: @escaping @Sendable () -> Void
    ) {
        let isFirst = stage.withLock { stage in
            guard stage == .idle else { return false }
            stage = .running
            return true
        }
        guard isFirst else { return }
        crew.start("tidemill-caretaker") { [self] in
            var wait = work()
            while let milliseconds = wait, stage.withLock({ $0 == .running }) {
                sleep(milliseconds)
                guard stage.withLock({ $0 == .running }) else { break }
                wait = work()
            }
            cleanUp()
            ended()
        }
    }

    /// Asks for a round soon. Cheap when one has been asked for already.
    func poke() {
        // Under the lock, so that the pipe cannot be closed, and its number used for something else, in between.
        stage.withLock { stage in
            guard stage == .running, !isPoked.exchange(true, ordering: .acquiringAndReleasing) else { return }
            writeByte()
        }
    }

    /// Idempotent; does not wait for the thread.
    func stop() {
        stage.withLock { stage in
            switch stage {
            case .idle:
                stage = .ended
                closeDescriptors()
            case .running:
                stage = .stopping
                writeByte()
            case .stopping, .ended: break
            }
        }
    }

    /// Tells the handles in other processes.
    func announce() {
        stage.withLock { if $0 == .running { socket?.announce() } }
    }

    private func writeByte() {
        var byte: UInt8 = 0
        _ = write(writeEnd, &byte, 1)
    }

    /// Returns when somebody calls, from this process or another, or after this time.
    private func sleep(_ milliseconds: Int) {
        var polled = [
            pollfd(fd: readEnd, events: Int16(POLLIN), revents: 0),
            pollfd(fd: socket?.descriptor ?? -1, events: Int16(POLLIN), revents: 0),
        ]
        guard poll(&polled, 2, Int32(clamping: max(0, milliseconds))) > 0 else { return }
        if polled[0].revents != 0 {
            // In this order: a poke that comes in between is emptied from the pipe, but the round that it asks for is
            // still to come.
            isPoked.store(false, ordering: .releasing)
            var bytes = [UInt8](repeating: 0, count: 64)
            while read(readEnd, &bytes, bytes.count) > 0 {}
        }
        if polled[1].revents != 0 { socket?.drain() }
    }

    private func cleanUp() {
        stage.withLock { stage in
            stage = .ended
            closeDescriptors()
        }
    }

    private func closeDescriptors() {
        socket?.closeAndRemove()
        if readEnd >= 0 { close(readEnd) }
        if writeEnd >= 0 { close(writeEnd) }
    }
}
