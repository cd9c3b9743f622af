internal import ServiceRuntime

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Moves the bytes of one process and follows its life, on a thread of its own: one loop around `poll`.
final class CommandPump {
    static let tailLimit = 1024

    private let command: Command
    private let bell: CommandBell
    private let emit: @Sendable (CommandLine) -> Void
    private let time = SystemTimeSource()
    private var lifecycle: CommandLifecycle
    private var written = 0
    private var tail = OutputTail(limit: tailLimit)
    private var buffer = [UInt8](repeating: 0, count: 65_536)

    init(_ command: Command, _ bell: CommandBell, _ emit: @escaping @Sendable (CommandLine) -> Void) {
        self.command = command
        self.bell = bell
        self.emit = emit
        lifecycle = CommandLifecycle(killAfter: command.killAfter, drain: command.drain)
    }

    /// Our ends of the pipes.
    private struct Ends {
        let bell: Descriptor
        let input: Descriptor
        var output: Stream
        var errors: Stream

        var isOutputOpen: Bool { output.descriptor.isOpen || errors.descriptor.isOpen }
    }

    private struct Stream {
        let kind: CommandLine.Stream
        let descriptor: Descriptor
        var lines: OutputLines
    }

    func run() throws -> ProcessResult {
        let wake = try Descriptor.pipe()
        wake.read.setNonBlocking()
        wake.write.setNonBlocking()
        // Explicit, for the bell knows only a number, and after it is closed: a ring into a pipe that nobody reads any more
        // would be SIGPIPE for whoever cancels.
        defer {
            wake.write.close()
            wake.read.close()
        }
        guard bell.listen(wake.write.number) else { throw CancellationError() }
        defer { bell.close() }
        var (process, ends) = try start(bellEnd: wake.read)
        let number = process.number
        let bell = self.bell
        let error = DetachedThread.start {
            ChildProcess.awaitEnd(of: number)
            bell.ring(.exited)
        }
        guard error == 0 else {
            process.send(SIGKILL)
            _ = process.reap()
            throw SpawnError.system("pthread_create", error)
        }
        pump(process, &ends)
        finish(&ends.output)
        finish(&ends.errors)
        return ProcessResult(end: process.reap(), wasStopped: lifecycle.wasStopped, errorTail: tail.text)
    }

    /// The child's ends are closed here when the process has its own copies.
    private func start(bellEnd: Descriptor) throws(SpawnError) -> (ChildProcess, Ends) {
        let (input, output, errors) = (try Descriptor.pipe(), try Descriptor.pipe(), try Descriptor.pipe())
        let process = try ChildProcess(command, input: input.read, output: output.write, errors: errors.write)
        for end in [input.read, output.write, errors.write] { end.close() }
        for end in [input.write, output.read, errors.read] { end.setNonBlocking() }
        let lines = OutputLines(budget: command.outputLimit)
        return (
            process,
            Ends(
                bell: bellEnd, input: input.write,
                output: Stream(kind: .output, descriptor: output.read, lines: lines),
                errors: Stream(kind: .errors, descriptor: errors.read, lines: lines))
        )
    }

    private func pump(_ process: ChildProcess, _ ends: inout Ends) {
        feed(ends.input)
        while lifecycle.state != .finished {
            var polled = [
                pollfd(fd: ends.bell.number, events: Int16(POLLIN), revents: 0),
                pollfd(fd: ends.input.number, events: Int16(POLLOUT), revents: 0),
                pollfd(fd: ends.output.descriptor.number, events: Int16(POLLIN), revents: 0),
                pollfd(fd: ends.errors.descriptor.number, events: Int16(POLLIN), revents: 0),
            ]
            let wait = lifecycle.wakeAt.map { Int32(clamping: max(0, $0 - time.uptime())) } ?? -1
            guard poll(&polled, nfds_t(polled.count), wait) >= 0 || errno == EINTR else {
                // Not possible with valid arguments but for lack of kernel memory: the process must not outlive its pump.
                process.send(SIGKILL)
                return
            }
            if polled[0].revents != 0 { answerBell(ends, process) }
            if polled[1].revents != 0 { feed(ends.input) }
            let wasOpen = ends.isOutputOpen
            if polled[2].revents != 0 { read(&ends.output) }
            if polled[3].revents != 0 { read(&ends.errors) }
            if wasOpen, !ends.isOutputOpen { handle(.outputEnded, process) }
            handle(.time, process)
        }
    }

    private func answerBell(_ ends: Ends, _ process: ChildProcess) {
        var byte: UInt8 = 0
        while systemRead(ends.bell.number, &byte, 1) == 1 {
            switch CommandBell.Ring(rawValue: byte) {
            case .stop:
                handle(.stop, process)
            case .exited:
                ends.input.close()
                handle(.exited, process)
            case nil:
                preconditionFailure("the bell rang \(byte)")
            }
        }
    }

    private func handle(_ input: CommandLifecycle.Input, _ process: ChildProcess) {
        for action in lifecycle.handle(input, now: time.uptime()) {
            switch action {
            case .terminate: process.send(SIGTERM)
            case .kill: process.send(SIGKILL)
            }
        }
    }

    /// Writes as much of the payload as the pipe takes. A closed pipe means that the program wants no more of it.
    private func feed(_ input: Descriptor) {
        while input.isOpen, written < command.input.count {
            let count = command.input.withUnsafeBytes {
                write(input.number, $0.baseAddress! + written, $0.count - written)
            }
            guard count < 0 else {
                written += count
                continue
            }
            switch errno {
            case EINTR: continue
            case EAGAIN: return
            default: input.close()
            }
        }
        input.close()
    }

    /// Reads once, so that one stream cannot starve the other one.
    private func read(_ stream: inout Stream) {
        let count = systemRead(stream.descriptor.number, &buffer, buffer.count)
        guard count > 0 else {
            if count == 0 || (errno != EAGAIN && errno != EINTR) { stream.descriptor.close() }
            return
        }
        let bytes = buffer[..<count]
        if stream.kind == .errors { tail.append(bytes) }
        for line in stream.lines.append(bytes) { emit(CommandLine(stream: stream.kind, text: line)) }
    }

    private func finish(_ stream: inout Stream) {
        stream.descriptor.close()
        for line in stream.lines.finish() { emit(CommandLine(stream: stream.kind, text: line)) }
        guard stream.lines.omitted > 0 else { return }
        emit(CommandLine(stream: stream.kind, text: "… \(stream.lines.omitted) bytes of output are not shown"))
    }
}

private func systemRead(_ descriptor: Int32, _ buffer: UnsafeMutableRawPointer, _ count: Int) -> Int {
    read(descriptor, buffer, count)
}
