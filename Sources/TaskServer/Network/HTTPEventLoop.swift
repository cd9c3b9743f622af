import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The thread that owns the listener and all connections: it waits in `poll`, moves bytes, and asks the machines what to
/// do. Everything else speaks to it by ``post(_:)``.
final class HTTPEventLoop: Sendable {
    /// A request on its way to the router.
    struct Job: Sendable {
        var connection: UInt64
        var request: HTTPRequest
    }

    enum Command: Sendable {
        case respond(connection: UInt64, HTTPResponse)
        /// No new connections; end when the last one has its response.
        case stop
        /// End now.
        case abort
    }

    private struct Inbox {
        /// At most one response for a connection, and the stops.
        var commands: [Command] = []
        var isOpen = true
    }

    private let limits: HTTPLimits
    private let uptime: @Sendable () -> Int64
    private let handle: @Sendable (Job) -> Void
    private let inbox = Mutex(Inbox())
    private let waker: (reader: Int32, writer: Int32)
    /// Nil once the loop does not listen any more.
    private let listener: Mutex<Int32?>

    /// Takes over `listener`. `handle` is called on the thread and must return at once.
    init(
        listener: Int32, limits: HTTPLimits, uptime: @escaping @Sendable () -> Int64,
        handle: @escaping @Sendable (Job) -> Void
    ) throws(SystemFailure) {
        self.listener = Mutex(listener)
        self.limits = limits
        self.uptime = uptime
        self.handle = handle
        do {
            waker = try Sockets.makePipe()
        } catch {
            close(listener)
            throw error
        }
    }

    deinit {
        close(waker.reader)
        close(waker.writer)
        stopListening()
    }

    /// Who waits in the kernel's queue learns at once that nobody comes.
    private func stopListening() {
        listener.withLock { listener in
            if let descriptor = listener { close(descriptor) }
            listener = nil
        }
    }

    /// May be called from any thread, also when the loop has ended: then nobody cares.
    func post(_ command: Command) {
        inbox.withLock { inbox in
            guard inbox.isOpen else { return }
            inbox.commands.append(command)
            var byte: UInt8 = 0
            // A full pipe wakes the loop as well as one more byte.
            _ = write(waker.writer, &byte, 1)
        }
    }

    /// Runs until stopped. Blocks its thread.
    func run() {
        var world = World(limits: limits, listener: listener.withLock { $0 ?? -1 })
        while true {
            if take(into: &world) || (world.isStopping && world.connections.isEmpty) { break }
            wait(&world)
            let now = uptime()
            for id in world.connections.keys.sorted() {
                serve(id, in: &world, now: now)
            }
            if world.isListenerReady { acceptAll(&world, now: now) }
        }
        stopListening()
        inbox.withLock { $0.isOpen = false }
        for connection in world.connections.values { close(connection.descriptor) }
    }

    // MARK: One round

    private struct Connection {
        let descriptor: Int32
        var machine: ConnectionMachine
        /// What `poll` said last.
        var events: Int16 = 0
    }

    private struct World {
        let limits: HTTPLimits
        let listener: Int32
        var connections: [UInt64: Connection] = [:]
        var nextID: UInt64 = 0
        var isStopping = false
        var isListenerReady = false
        /// Until then nobody is accepted: the process had no descriptor left.
        var acceptsAgain: Int64 = .min
        var buffer = [UInt8](repeating: 0, count: 16 << 10)

        /// A full house does not listen.
        func accepts(now: Int64) -> Bool {
            !isStopping && connections.count < limits.connections && now >= acceptsAgain
        }
    }

    /// True to end now.
    private func take(into world: inout World) -> Bool {
        var drained = [UInt8](repeating: 0, count: 64)
        while read(waker.reader, &drained, drained.count) > 0 {}
        let commands = inbox.withLock { inbox in
            defer { inbox.commands = [] }
            return inbox.commands
        }
        let now = uptime()
        for command in commands {
            switch command {
            case .abort: return true
            case .stop:
                world.isStopping = true
                stopListening()
                for id in world.connections.keys.sorted() {
                    perform(world.connections[id]?.machine.stop(), on: id, in: &world)
                }
            case .respond(let id, let response):
                world.connections[id]?.machine.responded(response, now: now)
                flush(id, in: &world, now: now)
            }
        }
        return false
    }

    private func wait(_ world: inout World) {
        let now = uptime()
        let ids = world.connections.keys.sorted()
        var descriptors = [pollfd(fd: waker.reader, events: Int16(POLLIN), revents: 0)]
        let accepts = world.accepts(now: now)
        descriptors.append(pollfd(fd: accepts ? world.listener : -1, events: Int16(POLLIN), revents: 0))
        var deadlines = world.acceptsAgain > now ? [world.acceptsAgain] : []
        for id in ids {
            guard let connection = world.connections[id] else { continue }
            let machine = connection.machine
            let events = (machine.wantsRead ? POLLIN : 0) | (machine.pending.isEmpty ? 0 : POLLOUT)
            descriptors.append(pollfd(fd: connection.descriptor, events: Int16(events), revents: 0))
            if let deadline = machine.deadline { deadlines.append(deadline) }
        }
        let timeout = deadlines.min().map { Int32(clamping: max(0, $0 - now)) } ?? -1
        let count = poll(&descriptors, nfds_t(descriptors.count), timeout)
        world.isListenerReady = count > 0 && descriptors[1].revents != 0
        for (index, id) in ids.enumerated() {
            world.connections[id]?.events = count > 0 ? descriptors[index + 2].revents : 0
        }
    }

    private func serve(_ id: UInt64, in world: inout World, now: Int64) {
        guard let connection = world.connections[id] else { return }
        let events = Int32(connection.events)
        if connection.machine.wantsRead && events & (POLLIN | POLLHUP | POLLERR) != 0 {
            receive(id, in: &world, now: now)
        } else if events & (POLLHUP | POLLERR) != 0 {
            // Nobody is there to take a response.
            return drop(id, in: &world)
        } else if events & POLLOUT != 0 {
            flush(id, in: &world, now: now)
        }
        perform(world.connections[id]?.machine.elapsed(now: now), on: id, in: &world)
        flush(id, in: &world, now: now)
    }

    private func receive(_ id: UInt64, in world: inout World, now: Int64) {
        guard let descriptor = world.connections[id]?.descriptor else { return }
        let transfer = world.buffer.withUnsafeMutableBytes { Sockets.read(descriptor, into: $0) }
        switch transfer {
        case .wouldBlock: return
        case .failed: drop(id, in: &world)
        case .ended: perform(world.connections[id]?.machine.ended(), on: id, in: &world)
        case .bytes(let count):
            let action = world.connections[id]?.machine.received(world.buffer[..<count], now: now)
            perform(action, on: id, in: &world)
        }
    }

    /// Writes what is pending until there is nothing left or the socket is full.
    private func flush(_ id: UInt64, in world: inout World, now: Int64) {
        while let connection = world.connections[id], !connection.machine.pending.isEmpty {
            let transfer = connection.machine.pending.withUnsafeBytes { Sockets.write(connection.descriptor, $0) }
            switch transfer {
            case .wouldBlock: return
            case .failed, .ended: return drop(id, in: &world)
            case .bytes(let count):
                perform(world.connections[id]?.machine.wrote(count, now: now), on: id, in: &world)
            }
        }
    }

    private func perform(_ action: ConnectionMachine.Action?, on id: UInt64, in world: inout World) {
        switch action {
        case nil: return
        case .handle(let request): handle(Job(connection: id, request: request))
        case .finishWriting:
            if let connection = world.connections[id] { shutdown(connection.descriptor, Int32(SHUT_WR)) }
        case .close: drop(id, in: &world)
        }
    }

    private func drop(_ id: UInt64, in world: inout World) {
        guard let connection = world.connections.removeValue(forKey: id) else { return }
        close(connection.descriptor)
    }

    private func acceptAll(_ world: inout World, now: Int64) {
        while world.accepts(now: now) {
            guard let descriptor = Sockets.accept(world.listener) else {
                if errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR && errno != ECONNABORTED {
                    world.acceptsAgain = now + 1000
                }
                return
            }
            world.connections[world.nextID] = Connection(
                descriptor: descriptor, machine: ConnectionMachine(limits: limits, now: now))
            world.nextID += 1
        }
    }
}
