/// How much a line matters.
public enum LogLevel: Int, Sendable, Comparable, CaseIterable {
    case trace, debug, info, warning, error

    public init?(name: String) {
        guard let level = Self.allCases.first(where: { "\($0)" == name.lowercased() }) else { return nil }
        self = level
    }

    public static func < (left: LogLevel, right: LogLevel) -> Bool { left.rawValue < right.rawValue }
}

/// One structured line: a message and fields, in the order they were given. Secrets never belong in either.
public struct LogEntry: Sendable {
    public var level: LogLevel
    public var message: String
    public var fields: [(name: String, value: String)]

    public init(level: LogLevel, message: String, fields: [(name: String, value: String)]) {
        self.level = level
        self.message = message
        self.fields = fields
    }
}

/// Where lines go. An app that has its own logging passes a sink that forwards to it.
public protocol LogSink: Sendable {
    func write(_ entry: LogEntry)
}

/// Drops everything; the default of the library, so that an app hears nothing it did not ask for.
public struct SilentLogSink: LogSink {
    public init() {}
    public func write(_ entry: LogEntry) {}
}

/// A value that writes structured lines at or above a level to a sink, with the fields of its context in front.
public struct Logger: Sendable {
    public var level: LogLevel
    public var sink: any LogSink
    private var context: [(name: String, value: String)] = []

    public init(level: LogLevel = .info, sink: any LogSink = SilentLogSink()) {
        self.level = level
        self.sink = sink
    }

    /// A logger whose lines also carry these fields.
    public func with(_ fields: KeyValuePairs<String, String>) -> Logger {
        var copy = self
        copy.context += fields.map { ($0.key, $0.value) }
        return copy
    }

    public func log(
        _ level: LogLevel, _ message: @autoclosure () -> String,
        _ fields: @autoclosure () -> KeyValuePairs<String, String> = [:]
    ) {
        guard level >= self.level else { return }
        sink.write(LogEntry(level: level, message: message(), fields: context + fields().map { ($0.key, $0.value) }))
    }

    public func trace(
        _ message: @autoclosure () -> String, _ fields: @autoclosure () -> KeyValuePairs<String, String> = [:]
    ) {
        log(.trace, message(), fields())
    }
    public func debug(
        _ message: @autoclosure () -> String, _ fields: @autoclosure () -> KeyValuePairs<String, String> = [:]
    ) {
        log(.debug, message(), fields())
    }
    public func info(
        _ message: @autoclosure () -> String, _ fields: @autoclosure () -> KeyValuePairs<String, String> = [:]
    ) {
        log(.info, message(), fields())
    }
    public func warning(
        _ message: @autoclosure () -> String, _ fields: @autoclosure () -> KeyValuePairs<String, String> = [:]
    ) {
        log(.warning, message(), fields())
    }
    public func error(
        _ message: @autoclosure () -> String, _ fields: @autoclosure () -> KeyValuePairs<String, String> = [:]
    ) {
        log(.error, message(), fields())
    }
}
