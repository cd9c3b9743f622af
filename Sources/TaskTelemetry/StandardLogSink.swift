import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Lines for people, on stderr unless told otherwise.
public struct TextLogSink: LogSink {
    private let output: LineOutput
    private let usesColor: Bool
    private let clock: @Sendable () -> Int64

    /// On stderr; colour only when it is a terminal and `NO_COLOR` is not set.
    public init() {
        self.init(
            descriptor: STDERR_FILENO, usesColor: isatty(STDERR_FILENO) == 1 && !StandardLogSink.refusesColor)
    }

    /// `clock` gives milliseconds since the Unix epoch.
    package init(
        descriptor: Int32, usesColor: Bool, clock: @escaping @Sendable () -> Int64 = StandardLogSink.wallClock
    ) {
        output = LineOutput.shared(descriptor)
        self.usesColor = usesColor
        self.clock = clock
    }

    public func write(_ entry: LogEntry) {
        output.write(LogLine.text(entry, milliseconds: clock(), usesColor: usesColor))
    }
}

/// One JSON object on each line, on stderr unless told otherwise: `ts` (RFC 3339, UTC), `level`, `message`, `fields`.
public struct JSONLogSink: LogSink {
    private let output: LineOutput
    private let clock: @Sendable () -> Int64

    public init() {
        self.init(descriptor: STDERR_FILENO)
    }

    package init(descriptor: Int32, clock: @escaping @Sendable () -> Int64 = StandardLogSink.wallClock) {
        output = LineOutput.shared(descriptor)
        self.clock = clock
    }

    public func write(_ entry: LogEntry) {
        output.write(LogLine.json(entry, milliseconds: clock()))
    }
}

/// The sinks of a program that owns its stderr.
public enum StandardLogSink {
    /// Text on a terminal, JSON elsewhere.
    public static func automatic() -> any LogSink { make(.auto) }

    public static func make(_ format: LogFormat) -> any LogSink {
        switch format {
        case .auto: isatty(STDERR_FILENO) == 1 ? TextLogSink() as any LogSink : JSONLogSink()
        case .text: TextLogSink()
        case .json: JSONLogSink()
        }
    }

    static var refusesColor: Bool {
        guard let value = getenv("NO_COLOR") else { return false }
        return value.pointee != 0
    }

    /// Milliseconds since the Unix epoch.
    package static let wallClock: @Sendable () -> Int64 = {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}

/// A descriptor that takes whole lines from any thread.
///
/// One lock for a descriptor, however many sinks write to it; a line is one `write`, so that lines of several processes
/// on one pipe do not mix either. What cannot be written is dropped: a log must not stop its program.
final class LineOutput: Sendable {
    private static let standardError = LineOutput(STDERR_FILENO)

    private let descriptor: Int32
    private let lock = Mutex(())

    private init(_ descriptor: Int32) {
        self.descriptor = descriptor
    }

    static func shared(_ descriptor: Int32) -> LineOutput {
        descriptor == STDERR_FILENO ? standardError : LineOutput(descriptor)
    }

    func write(_ line: String) {
        var line = line
        line.withUTF8 { bytes in
            lock.withLock { _ in
                var rest = UnsafeRawBufferPointer(bytes)
                while !rest.isEmpty {
                    let written = systemWrite(descriptor, rest.baseAddress, rest.count)
                    if written > 0 {
                        rest = UnsafeRawBufferPointer(rebasing: rest[written...])
                    } else if written < 0 && errno == EAGAIN {
                        // Somebody made the pipe non-blocking: wait for room, as a blocking one would.
                        var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                        if poll(&waiting, 1, 1000) <= 0 { return }
                    } else if written < 0 && errno == EINTR {
                        continue
                    } else {
                        return
                    }
                }
            }
        }
    }
}

private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
    #if canImport(Glibc)
        Glibc.write(descriptor, bytes, count)
    #elseif canImport(Musl)
        Musl.write(descriptor, bytes, count)
    #elseif canImport(Darwin)
        Darwin.write(descriptor, bytes, count)
    #endif
}
