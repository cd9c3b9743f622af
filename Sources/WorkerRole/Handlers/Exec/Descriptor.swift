#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A file descriptor with one owner, closed at the latest with it. Used by one thread.
final class Descriptor {
    /// -1 once closed, which `poll` passes over.
    private(set) var number: Int32

    init(_ number: Int32) { self.number = number }

    deinit { close() }

    var isOpen: Bool { number >= 0 }

    func close() {
        guard number >= 0 else { return }
        _ = systemClose(number)
        number = -1
    }

    func setNonBlocking() {
        _ = fcntl(number, F_SETFL, fcntl(number, F_GETFL) | O_NONBLOCK)
    }

    /// A pipe with numbers above the three that a child's own streams have. Close-on-exec, so that children which other
    /// code starts do not hold it open; our own children close everything anyway.
    static func pipe() throws(SpawnError) -> (read: Descriptor, write: Descriptor) {
        var numbers: [Int32] = [-1, -1]
        guard systemPipe(&numbers) == 0 else { throw .system("pipe", errno) }
        for number in numbers {
            _ = fcntl(number, F_SETFD, FD_CLOEXEC)
            #if canImport(Darwin)
                _ = fcntl(number, F_SETNOSIGPIPE, 1)
            #endif
        }
        let ends = (read: Descriptor(numbers[0]), write: Descriptor(numbers[1]))
        try ends.read.moveAboveStandardStreams()
        try ends.write.moveAboveStandardStreams()
        return ends
    }

    /// A worker may itself run with closed standard streams; then a pipe could get one of their numbers.
    private func moveAboveStandardStreams() throws(SpawnError) {
        guard number <= 2 else { return }
        let higher = fcntl(number, F_DUPFD_CLOEXEC, 3)
        guard higher >= 0 else { throw .system("dup", errno) }
        close()
        number = higher
    }
}

private func systemClose(_ number: Int32) -> Int32 { close(number) }
private func systemPipe(_ numbers: inout [Int32]) -> Int32 { pipe(&numbers) }
