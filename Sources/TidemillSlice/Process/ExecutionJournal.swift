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
/// Each line is one `write` to a file opened for appending, before the handler goes on: once written it outlives the
/// process, however it dies (only a loss of the machine would need more). The same line goes to standard output, by which
/// the parent hears of it at once.
final class ExecutionJournal: Sendable {
    private let descriptor: Int32
    private let lock = Mutex(())

    init(path: String) throws {
        descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT, 0o644)
        guard descriptor >= 0 else { throw SliceFailure("\(path) cannot be written: errno \(errno)") }
    }

    deinit { close(descriptor) }

    func add(_ line: ExecutionLine) {
        let bytes = Array((line.text + "\n").utf8)
        lock.withLock { _ in
            for target in [descriptor, STDOUT_FILENO] where write(target, bytes, bytes.count) != bytes.count {
                // A run that is not recorded would make the audit wrong: better no run.
                abort()
            }
        }
    }
}
