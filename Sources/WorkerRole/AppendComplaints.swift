internal import TaskLog

/// Which refused appends are worth a line: the first of a kind at once, then one every so often for as long as it goes on.
/// A full disk refuses many a second.
struct AppendComplaints: Sendable {
    /// Milliseconds from one line about errors of a kind to the next.
    static let interval: Int64 = 10_000

    private struct Line {
        var saidAt: Int64
        var unsaid = 0
    }

    private var lines: [LogError.Code: Line] = [:]

    /// How many were passed over since the last line, when this one is to be said; else nil.
    mutating func say(_ code: LogError.Code, now: Int64) -> Int? {
        guard let line = lines[code], now - line.saidAt < Self.interval else {
            return lines.updateValue(Line(saidAt: now), forKey: code)?.unsaid ?? 0
        }
        lines[code]?.unsaid += 1
        return nil
    }
}
