import Foundation
import ServiceRuntime
import Synchronization
import TidemillHarness

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A process of a workload, and what it has said.
final class BenchChild: Sendable {
    let name: String
    private let process: ChildProcess
    private let lines: ChildLines
    private let log: String

    init(_ role: RoleName, _ order: some Encodable, name: String, folder: String) throws {
        let lines = ChildLines()
        let log = "\(folder)/\(name).log"
        self.name = name
        self.log = log
        self.lines = lines
        process = try ChildProcess(
            [role.rawValue, String(decoding: try JSONEncoder().encode(order), as: UTF8.self)], name: name, log: log,
            onLine: { lines.add(String($0)) }, onEnd: { _ in lines.end() })
    }

    var reading: ProcessReading? { ProcessReading(of: process.processID) }

    /// Lines that begin with this word, as far as they have come, without it.
    func said(_ word: String) -> [String] { lines.all(word) }

    /// Waits until it has said so much.
    func wait(for word: String, count: Int, milliseconds: Int64) async throws {
        guard await lines.wait(for: word, count: count, milliseconds: milliseconds) else {
            throw HarnessFailure("\(name) said \"\(word)\" \(said(word).count) times, not \(count)\(lastWords)")
        }
    }

    /// Waits for its end, and reads its summary.
    func summary<Summary: Decodable>(of type: Summary.Type, milliseconds: Int64) async throws -> Summary {
        let end = try await process.waitForEnd(milliseconds: milliseconds)
        // The end may be known before the last line is read.
        _ = await lines.wait(for: ChildLine.summary, count: 1, milliseconds: 5000)
        guard end == .exit(0), let text = said(ChildLine.summary).first else {
            throw HarnessFailure("\(name) ended with \(end)\(lastWords)")
        }
        return try JSONDecoder().decode(Summary.self, from: Data(text.utf8))
    }

    /// Whether it ended although nobody asked it to.
    var hasDied: Bool {
        guard let end = process.end else { return false }
        return end != .exit(0) && !process.isExpectedToEnd
    }

    /// SIGTERM.
    func stop() { process.signal(SIGTERM) }

    func waitForEnd(milliseconds: Int64) async throws { _ = try await process.waitForEnd(milliseconds: milliseconds) }

    /// SIGKILL, unless it has ended.
    func kill() { process.signal(SIGKILL) }

    /// The end of its log, after a separator; empty when there is none.
    var lastWords: String {
        let text = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
        let last = text.split(separator: "\n").suffix(3).joined(separator: " | ")
        return last.isEmpty ? "" : "; \(name): \(last)"
    }
}

/// Lines of a child, and those who wait for some.
private final class ChildLines: Sendable {
    private struct State {
        var lines: [String] = []
        var waiters: [(word: String, count: Int, signal: OneShot)] = []
    }

    private let state = Mutex(State())

    func add(_ line: String) {
        let met = state.withLock { state in
            state.lines.append(line)
            let lines = state.lines
            func isMet(_ word: String, _ count: Int) -> Bool { lines.count { $0.hasPrefix(word) } >= count }
            defer { state.waiters.removeAll { isMet($0.word, $0.count) } }
            return state.waiters.filter { isMet($0.word, $0.count) }.map(\.signal)
        }
        for signal in met { signal.fire() }
    }

    /// It has ended: nobody waits any longer.
    func end() {
        let waiting = state.withLock { state in
            defer { state.waiters = [] }
            return state.waiters.map(\.signal)
        }
        for signal in waiting { signal.fire() }
    }

    func all(_ word: String) -> [String] {
        state.withLock { $0.lines.filter { $0.hasPrefix(word) }.map { String($0.dropFirst(word.count)) } }
    }

    func wait(for word: String, count: Int, milliseconds: Int64) async -> Bool {
        let signal = OneShot()
        let isMet = state.withLock { state in
            if state.lines.count(where: { $0.hasPrefix(word) }) >= count { return true }
            state.waiters.append((word, count, signal))
            return false
        }
        if !isMet { _ = await SystemTimeSource().wait(for: signal, milliseconds: milliseconds) }
        return state.withLock { state in state.lines.count { $0.hasPrefix(word) } >= count }
    }
}
