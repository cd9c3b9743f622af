#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A note beside the file of who writes now, for those who wait. Advice for people only: SQLite's lock decides.
///
/// Not read from the lock itself: closing a second descriptor of SQLite's own files would drop the locks that this
/// process holds through the first.
struct LockHolder: Sendable {
    private let file: Int32

    /// Opens, or makes, the note `<database>-writer`; without one nothing is noted.
    init(databasePath: String) {
        file = open(databasePath + "-writer", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    }

    /// Notes that this process writes since `uptime`.
    func note(uptime: Int64) {
        write("\(getpid()) \(uptime)\n")
    }

    func clear() { write("-\n") }

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
