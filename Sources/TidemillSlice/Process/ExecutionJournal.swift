@preconcurrency import Dispatch
import Foundation
import Synchronization
import TaskModel

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A process's own record of what its handlers did: the side effect that an audit counts.
///
/// A line is in the file before the handler goes on: it outlives the process, however it dies, and with `syncs` the machine
/// too. Lines of handlers that wait together are written, and synced, as one. They then go to standard output, by which the
/// parent hears of them at once. The file is continued in another one before it is long, so that a process that may not
/// write far into a file can still tell what it does.
final class ExecutionJournal: Sendable {
    private struct State {
        var waiting: [(bytes: [UInt8], written: CheckedContinuation<Void, Never>)] = []
        var isWriting = false
    }

    private struct File {
        var descriptor: Int32
        var length = 0
        var part = 1
    }

    /// Bytes.
    static let partLength = 32 << 10

    private let path: String
    private let syncs: Bool
    private let state = Mutex(State())
    private let file: Mutex<File>
    private let queue = DispatchQueue(label: "journal")

    init(path: String, syncs: Bool = false) throws {
        self.path = path
        self.syncs = syncs
        let descriptor = Self.open(path, part: 1)
        guard descriptor >= 0 else { throw SliceFailure("\(path) cannot be written: errno \(errno)") }
        file = Mutex(File(descriptor: descriptor))
    }

    deinit { file.withLock { _ = close($0.descriptor) } }

    private static func open(_ path: String, part: Int) -> Int32 {
        let number = String(part)
        let name = path + "-" + String(repeating: "0", count: max(0, 5 - number.count)) + number
        return systemOpen(name, O_WRONLY | O_APPEND | O_CREAT, 0o644)
    }

    func add(_ line: ExecutionLine) async {
        let bytes = Array((line.text + "\n").utf8)
        await withCheckedContinuation { written in
            let isFirst = state.withLock { state in
                state.waiting.append((bytes, written))
                defer { state.isWriting = true }
                return !state.isWriting
            }
            if isFirst { queue.async { self.writeAll() } }
        }
    }

    private func writeAll() {
        while true {
            let batch = state.withLock { state in
                defer { state.waiting = [] }
                if state.waiting.isEmpty { state.isWriting = false }
                return state.waiting
            }
            guard !batch.isEmpty else { return }
            write(batch.flatMap(\.bytes))
            for item in batch { item.written.resume() }
        }
    }

    /// A run that is not recorded would make the audit wrong: better no run.
    private func write(_ bytes: [UInt8]) {
        file.withLock { file in
            if file.length + bytes.count > Self.partLength {
                close(file.descriptor)
                file = File(descriptor: Self.open(path, part: file.part + 1), part: file.part + 1)
            }
            file.length += bytes.count
            guard systemWrite(file.descriptor, bytes) else { abort() }
            if syncs, fsync(file.descriptor) != 0 { abort() }
        }
        guard systemWrite(STDOUT_FILENO, bytes) else { abort() }
    }
}

private func systemOpen(_ path: String, _ flags: Int32, _ mode: mode_t) -> Int32 { open(path, flags, mode) }

/// All of it.
private func systemWrite(_ descriptor: Int32, _ bytes: [UInt8]) -> Bool {
    var rest = bytes[...]
    while !rest.isEmpty {
        let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { return false }
        rest = rest.dropFirst(count)
    }
    return true
}
