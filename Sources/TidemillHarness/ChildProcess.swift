internal import Foundation
internal import ServiceRuntime
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// This program again, in another role.
package final class ChildProcess: Sendable {
    /// How a process ended.
    package enum End: Hashable, Sendable {
        case exit(Int32)
        case signal(Int32)
    }

    package let name: String
    package let processID: Int32
    private let log: String
    private let ended = OneShot()
    private let state: Mutex<State>

    private struct State {
        package var end: End?
        var isExpectedToEnd = false
        /// Kept open for as long as the child is to live.
        var input: Pipe?
    }

    /// Starts it with these arguments. `log` is a file for what it writes to standard error; `onLine` gets what it prints,
    /// line by line, in order; `onEnd` is called once.
    package init(
        _ arguments: [String], name: String, log: String,
        onLine: @escaping @Sendable (Substring) -> Void, onEnd: @escaping @Sendable (ChildProcess) -> Void
    ) throws {
        guard FileManager.default.createFile(atPath: log, contents: nil),
            let errors = FileHandle(forWritingAtPath: log)
        else { throw HarnessFailure("\(log) cannot be written") }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: Bundle.main.executablePath ?? CommandLine.arguments[0])
        process.arguments = arguments
        let input = Pipe()
        let output = Pipe()
        process.standardInput = input
        process.standardOutput = output
        let complaints = Pipe()
        process.standardError = complaints
        let reference = Reference()
        let ended = ended
        process.terminationHandler = { process in
            let status = process.terminationStatus
            reference.set(process.terminationReason == .exit ? .exit(status) : .signal(status))
            ended.fire()
        }
        try process.run()
        // By way of this process, so that a child whose own writes fail can still say so.
        let complaining = complaints.fileHandleForReading
        Thread.detachNewThread {
            while true {
                let data = complaining.availableData
                if data.isEmpty { return }
                try? errors.write(contentsOf: data)
            }
        }
        // A thread, for a readability handler may miss what a child says right before its end.
        let reading = output.fileHandleForReading
        Thread.detachNewThread {
            var lines = LineBuffer()
            while true {
                let data = reading.availableData
                if data.isEmpty { return }
                for line in lines.add(data) { onLine(line) }
            }
        }
        self.name = name
        self.log = log
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

    /// Whether its log is empty: a process that was only about to start.
    package var hasSaidNothing: Bool {
        (try? FileManager.default.attributesOfItem(atPath: log)[.size] as? Int) == 0
    }

    package var end: End? { state.withLock { $0.end } }
    package var isExpectedToEnd: Bool { state.withLock { $0.isExpectedToEnd } }

    /// `expectEnd`: that it ends after this is no news.
    package func signal(_ signal: Int32, expectEnd: Bool = true) {
        state.withLock { state in
            if expectEnd { state.isExpectedToEnd = true }
            // A process that has ended may have left its number to another.
            if state.end == nil { kill(processID, signal) }
        }
    }

    /// A line on the child's standard input. It is read when the child runs again, if it does not now.
    package func send(_ line: String) {
        let bytes = Array((line + "\n").utf8)
        // What a child that has just ended no longer reads is no loss.
        state.withLock { state in
            guard let input = state.input else { return }
            _ = write(input.fileHandleForWriting.fileDescriptor, bytes, bytes.count)
        }
    }

    package func expectEnd() { state.withLock { $0.isExpectedToEnd = true } }

    /// Waits for the end, at most this long.
    package func waitForEnd(milliseconds: Int64) async throws -> End {
        guard await SystemTimeSource().wait(for: ended, milliseconds: milliseconds), let end else {
            throw HarnessFailure("\(name) (process \(processID)) did not end within \(milliseconds / 1000) s")
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
struct LineBuffer {
    private var rest = ""

    mutating func add(_ data: Data) -> [Substring] {
        rest += String(decoding: data, as: UTF8.self)
        var lines = rest.split(separator: "\n", omittingEmptySubsequences: false)
        rest = String(lines.removeLast())
        return lines
    }
}
