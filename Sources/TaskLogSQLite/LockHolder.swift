import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A file beside the log: a note of who writes now, for people, and the place where the next writer stands. Advice only:
/// SQLite's lock decides.
///
/// Not read from the lock itself: closing a second descriptor of SQLite's own files would drop the locks that this
/// process holds through the first.
final class LockHolder: Sendable {
    private let file: Int32
    /// The place in line was taken for too long when it was last waited for.
    private let goesRound = Atomic(false)

    /// Opens, or makes, the note `<database>-writer`; without one nothing is noted, and nobody stands in line.
    init(databasePath: String) {
        file = open(databasePath + "-writer", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    }

    /// Notes that this process writes since `uptime`.
    func note(uptime: Int64) {
        write("\(getpid()) \(uptime)\n")
    }

    func clear() { write("-\n") }

    /// Waits until no other handle stands in line; false when that took longer than ``courtesy``.
    ///
    /// Without it a handle that commits again and again takes the lock anew before anybody who looks for it now and then
    /// can, dozens of times. Whoever waits for SQLite's lock stands here, one at a time and in no order, and whoever has
    /// just written has to wait for that one. A process that was stopped here must hold nobody up: who has waited for it
    /// once only looks until the place is free again.
    func queueUp() -> Bool {
        guard file >= 0 else { return false }
        let end = ContinuousClock.now + Self.courtesy
        while flock(file, LOCK_EX | LOCK_NB) != 0 {
            // A file system without such locks has no line.
            guard errno == EWOULDBLOCK, !goesRound.load(ordering: .relaxed), ContinuousClock.now < end else {
                goesRound.store(true, ordering: .relaxed)
                return false
            }
            usleep(100)
        }
        goesRound.store(false, ordering: .relaxed)
        return true
    }

    /// Gives the place in line to the next one.
    func stepForward() { _ = flock(file, LOCK_UN) }

    /// The longest wait for a place in line.
    static let courtesy = Duration.milliseconds(20)

    func close() {
        if file >= 0 { _ = closeDescriptor(file) }
    }

    /// Who holds the lock, in words for a log line.
    func describe(uptime: Int64) -> String {
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = file >= 0 ? pread(file, &bytes, bytes.count, 0) : 0
        let line = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self).prefix { $0 != "\n" }
        let words = line.split(separator: " ").compactMap { Int64($0) }
        guard words.count == 2 else { return "a program that is not tidemill, or one that has just begun" }
        let process = words[0] == Int64(getpid()) ? "this process" : "process \(words[0])"
        return "\(process), for \(max(0, uptime - words[1])) ms"
    }

    private func write(_ text: String) {
        guard file >= 0 else { return }
        // Fixed width: a shorter note must cover a longer one, and readers stop at the end of the line.
        let bytes = Array(text.utf8) + Array(repeating: 0x20, count: max(0, 48 - text.utf8.count))
        _ = pwrite(file, bytes, bytes.count, 0)
    }
}

private func closeDescriptor(_ file: Int32) -> Int32 { close(file) }
