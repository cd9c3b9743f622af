/// Which refused appends are worth a line: the first of a kind at once, then one every so often for as long as it goes on.
/// A full disk refuses many a second.
struct AppendComplaints: Sendable {
    /// Milliseconds from one line about the same error to the next.
    static let interval: Int64 = 10_000

    private var message = ""
    private var saidAt: Int64?
    private var unsaid = 0

    /// How many were passed over since the last line, when this one is to be said; else nil.
    mutating func say(_ message: String, now: Int64) -> Int? {
        if message == self.message, let saidAt, now - saidAt < Self.interval {
            unsaid += 1
            return nil
        }
        defer { unsaid = 0 }
        self.message = message
        saidAt = now
        return unsaid
    }
}
