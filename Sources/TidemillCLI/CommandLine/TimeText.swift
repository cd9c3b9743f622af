import Settings
import TaskModel

/// Instants as people write them: RFC 3339 with a zone (`2027-01-01T09:00:00Z`, `2027-01-01T10:00:00.250+01:00`), `now`,
/// and relative to now (`-1h`, `+15m`).
enum TimeText: Hashable, Sendable {
    case absolute(Timestamp)
    /// Milliseconds from now; negative for the past.
    case relative(milliseconds: Int64)

    static let accepted = "an RFC 3339 time such as 2027-01-01T09:00:00Z, now, or relative to now such as -1h or +15m"

    func resolved(now: Timestamp) -> Timestamp {
        switch self {
        case .absolute(let time): time
        case .relative(let milliseconds): now + milliseconds
        }
    }

    static func parse(_ text: String) throws(TextError) -> TimeText {
        if text == "now" { return .relative(milliseconds: 0) }
        if text.first == "-" || text.first == "+" {
            let milliseconds = try DurationText.parseMilliseconds(String(text.dropFirst()))
            return .relative(milliseconds: text.first == "-" ? -milliseconds : milliseconds)
        }
        return .absolute(try parseRFC3339(text))
    }

    private static func parseRFC3339(_ text: String) throws(TextError) -> Timestamp {
        if let time = Timestamp(rfc3339: text) { return time }
        if Timestamp(rfc3339: text + "Z") != nil {
            throw TextError("has no time zone: end it with Z or an offset such as +01:00")
        }
        if Timestamp(rfc3339: text + "T00:00:00Z") != nil {
            throw TextError("is a date without a time of day; give \(accepted)")
        }
        throw TextError("is not a time; give \(accepted)")
    }
}
