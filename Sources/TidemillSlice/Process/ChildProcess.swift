import Foundation
import ServiceRuntime
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// This program again, as a worker or a scheduler.
final class ChildProcess: Sendable {
    /// How a process ended.
    enum End: Hashable, Sendable {
        case exit(Int32)
        case signal(Int32)
    }

    let name: String
    let processID: Int32
    private let ended = OneShot()
    private let state: Mutex<State>

    private struct State {
        var end: End?
        var isExpectedToEnd = false
        /// Kept open for as long as the child is to live.
        var input: Pipe?
    }

    /// `onLine` gets what the child prints, line by line, in order; `onEnd` is called once.
    init(
        _ command: SliceArguments.Command, name: String, place: RunPlace, log: String,
        onLine: @escaping @Sendable (Substring) -> Void, onEnd: @escaping @Sendable (ChildProcess) -> Void
    ) throws {
        guard FileManager.default.createFile(atPath: log, contents: nil),
            let errors = FileHandle(forWritingAtPath: log)
        else { throw SliceFailure("\(log) cannot be written") }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: Bundle.main.executablePath ?? CommandLine.arguments[0])
        process.arguments = [command.rawValue, "--id", name, "--place", try place.json]
        let input = Pipe()
        let output = Pipe()
        process.standardInput = input
        process.standardOutput = output
        let complaints = Pipe()
        process.standardError = complaints
        // By way of this process, so that a child whose own writes fail can still say so.
        complaints.fileHandleForReading.readabilityHandler = { handle in
            let data = handle.availableData
            if data.isEmpty { handle.readabilityHandler = nil }
            errors.write(data)
        }
        let lines = LineBuffer()
        output.fileHandleForReading.readabilityHandler = { handle in
            let data = handle.availableData
            if data.isEmpty { handle.readabilityHandler = nil }
            for line in lines.add(data) { onLine(line) }
        }
        let reference = Reference()
        let ended = ended
        process.terminationHandler = { process in
            let status = process.terminationStatus
            reference.set(process.terminationReason == .exit ? .exit(status) : .signal(status))
            ended.fire()
        }
        try process.run()
        self.name = name
        processID = process.processIdentifier
        state = Mutex(State(input: input))
        reference.connect { [weak self] end in
            guard let self else { return }
            state.withLock {
                $0.end = end
                $0.input = nil
            }
            onEnd(self)
        }
    }

    var end: End? { state.withLock { $0.end } }
    var isExpectedToEnd: Bool { state.withLock { $0.isExpectedToEnd } }

    /// `expectEnd`: that it ends after this is no news.
    func signal(_ signal: Int32, expectEnd: Bool = true) {
        state.withLock { state in
            if expectEnd { state.isExpectedToEnd = true }
            // A process that has ended may have left its number to another.
            if state.end == nil { kill(processID, signal) }
        }
    }

    /// A line for ``RoleControls`` of the child. It is read when the child runs again, if it does not now.
    func send(_ line: String) {
        let bytes = Array((line + "\n").utf8)
        // What a child that has just ended no longer reads is no loss.
        state.withLock { state in
            guard let input = state.input else { return }
            _ = write(input.fileHandleForWriting.fileDescriptor, bytes, bytes.count)
        }
    }

    func expectEnd() { state.withLock { $0.isExpectedToEnd = true } }

    /// Waits for the end, at most this long.
    func waitForEnd(milliseconds: Int64) async throws -> End {
        guard await SystemTimeSource().wait(for: ended, milliseconds: milliseconds), let end else {
            throw SliceFailure("\(name) (process \(processID)) did not end within \(milliseconds / 1000) s")
        }
        return end
    }
}

/// Carries the end of a process to an object that may not be there yet.
private final class Reference: Sendable {
    private struct State {
        var end: ChildProcess.End?
        var receiver: (@Sendable (ChildProcess.End) -> Void)?
    }

    private let state = Mutex(State())

    func set(_ end: ChildProcess.End) {
        let receiver = state.withLock { state in
            state.end = end
            return state.receiver
        }
        receiver?(end)
    }

    func connect(_ receiver: @escaping @Sendable (ChildProcess.End) -> Void) {
        let end = state.withLock { state in
            state.receiver = receiver
            return state.end
        }
        if let end { receiver(end) }
    }
}

/// Cuts a stream into lines.
final class LineBuffer: Sendable {
    private let rest = Mutex("")

    func add(_ data: Data) -> [Substring] {
        rest.withLock { rest in
            rest += String(decoding: data, as: UTF8.self)
            var lines = rest.split(separator: "\n", omittingEmptySubsequences: false)
            rest = String(lines.removeLast())
            return lines
        }
    }
}
