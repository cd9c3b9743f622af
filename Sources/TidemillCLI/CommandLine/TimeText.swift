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
        var scanner = Scanner(text: Array(text.utf8))
        guard let year = scanner.number(4), scanner.take("-"), let month = scanner.number(2), scanner.take("-"),
            let day = scanner.number(2)
        else { throw TextError("is not a time; give \(accepted)") }
        if scanner.isAtEnd { throw TextError("is a date without a time of day; give \(accepted)") }
        guard scanner.take("T") || scanner.take("t") || scanner.take(" "), let hour = scanner.number(2),
            scanner.take(":"), let minute = scanner.number(2), scanner.take(":"), let second = scanner.number(2)
        else { throw TextError("is not a time; give \(accepted)") }
        let fraction = scanner.take(".") ? scanner.fractionInMilliseconds() : 0
        guard let fraction else { throw TextError("is not a time; give \(accepted)") }
        if scanner.isAtEnd {
            throw TextError("has no time zone: end it with Z or an offset such as +01:00")
        }
        guard let offset = scanner.zoneOffsetInMinutes(), scanner.isAtEnd else {
            throw TextError("is not a time; give \(accepted)")
        }
        guard (1...12).contains(month), (1...daysIn(month: month, year: year)).contains(day), hour < 24, minute < 60,
            second < 60
        else { throw TextError("names a time that does not exist") }
        let seconds = daysSinceEpoch(year: year, month: month, day: day) * 86400 + hour * 3600 + minute * 60 + second
        return Timestamp(milliseconds: Int64((seconds - offset * 60) * 1000 + fraction))
    }

    private static func daysIn(month: Int, year: Int) -> Int {
        switch month {
        case 4, 6, 9, 11: 30
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        default: 31
        }
    }

    /// Days from 1970-01-01 in the proleptic Gregorian calendar. Years are counted from March, so that the leap day is
    /// the last day of a year.
    private static func daysSinceEpoch(year: Int, month: Int, day: Int) -> Int {
        let shiftedYear = month > 2 ? year : year - 1
        let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
        let leapDays = floorDivide(shiftedYear, 4) - floorDivide(shiftedYear, 100) + floorDivide(shiftedYear, 400)
        return shiftedYear * 365 + leapDays + dayOfYear - 719_468
    }

    private static func floorDivide(_ value: Int, _ divisor: Int) -> Int {
        value >= 0 ? value / divisor : -((-value + divisor - 1) / divisor)
    }

    /// Reads a text from left to right, byte by byte.
    private struct Scanner {
        var text: [UInt8]
        var position = 0

        var isAtEnd: Bool { position == text.count }

        mutating func take(_ character: Unicode.Scalar) -> Bool {
            guard position < text.count, text[position] == UInt8(ascii: character) else { return false }
            position += 1
            return true
        }

        /// Exactly `digits` digits.
        mutating func number(_ digits: Int) -> Int? {
            guard position + digits <= text.count else { return nil }
            var value = 0
            for byte in text[position..<position + digits] {
                guard byte.isDigit else { return nil }
                value = value * 10 + Int(byte - UInt8(ascii: "0"))
            }
            position += digits
            return value
        }

        /// One digit or more; what is finer than a millisecond is cut off.
        mutating func fractionInMilliseconds() -> Int? {
            var value = 0
            var digits = 0
            while position < text.count, text[position].isDigit {
                if digits < 3 { value = value * 10 + Int(text[position] - UInt8(ascii: "0")) }
                digits += 1
                position += 1
            }
            guard digits > 0 else { return nil }
            for _ in 0..<max(0, 3 - digits) { value *= 10 }
            return value
        }

        mutating func zoneOffsetInMinutes() -> Int? {
            if take("Z") || take("z") { return 0 }
            let sign = take("+") ? 1 : take("-") ? -1 : 0
            guard sign != 0, let hours = number(2), take(":"), let minutes = number(2), hours < 24, minutes < 60
            else { return nil }
            return sign * (hours * 60 + minutes)
        }
    }
}
