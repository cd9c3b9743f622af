/// How lines look.
public enum LogFormat: String, Sendable, CaseIterable {
    /// Text on a terminal, JSON elsewhere.
    case auto
    /// For people: time, level, message, `name=value`.
    case text
    /// For programs: one JSON object on each line.
    case json
}

/// Turns an entry into one line of text, ending in a line break. Pure: the time is an argument.
///
/// Whatever a message or value holds, it stays one line and cannot drive a terminal: control characters, line
/// separators and marks that turn the direction of text are escaped. A value longer than ``longestValue`` is cut.
enum LogLine {
    /// Bytes of UTF-8 that a message or a value may take.
    static let longestValue = 16384

    static func text(_ entry: LogEntry, milliseconds: Int64, usesColor: Bool) -> String {
        var line = UTCText.format(milliseconds: milliseconds)
        line += " "
        let level = name(of: entry.level)
        line += usesColor ? "\u{1B}[\(color(of: entry.level))m\(level)\u{1B}[0m" : level
        line += " "
        append(cut(entry.message), quoted: false, to: &line)
        for field in entry.fields {
            line += usesColor ? " \u{1B}[2m" : " "
            append(field.name, quoted: false, to: &line)
            line += usesColor ? "=\u{1B}[0m" : "="
            append(cut(field.value), quoted: needsQuotes(field.value), to: &line)
        }
        return line + "\n"
    }

    static func json(_ entry: LogEntry, milliseconds: Int64) -> String {
        var line = "{\"ts\":\"\(UTCText.format(milliseconds: milliseconds))\",\"level\":\"\(entry.level)\",\"message\":"
        appendJSON(cut(entry.message), to: &line)
        if !entry.fields.isEmpty {
            line += ",\"fields\":{"
            // A name that comes twice would be invalid for many readers: the last value counts.
            var last: [String: Int] = [:]
            for (index, field) in entry.fields.enumerated() { last[field.name] = index }
            var isFirst = true
            for (index, field) in entry.fields.enumerated() where last[field.name] == index {
                if !isFirst { line += "," }
                isFirst = false
                appendJSON(field.name, to: &line)
                line += ":"
                appendJSON(cut(field.value), to: &line)
            }
            line += "}"
        }
        return line + "}\n"
    }

    private static func name(of level: LogLevel) -> String {
        switch level {
        case .trace: "TRACE"
        case .debug: "DEBUG"
        case .info: "INFO "
        case .warning: "WARN "
        case .error: "ERROR"
        }
    }

    private static func color(of level: LogLevel) -> String {
        switch level {
        case .trace, .debug: "2"
        case .info: "32"
        case .warning: "33"
        case .error: "31"
        }
    }

    private static func cut(_ text: String) -> String {
        guard text.utf8.count > longestValue else { return text }
        return String(decoding: text.utf8.prefix(longestValue), as: UTF8.self) + "…"
    }

    private static func needsQuotes(_ text: String) -> Bool {
        text.isEmpty || text.utf8.contains { $0 <= 0x20 || $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "=") }
    }

    private static func append(_ text: String, quoted: Bool, to line: inout String) {
        if quoted { line += "\"" }
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n": line += "\\n"
            case "\r": line += "\\r"
            case "\t": line += "\\t"
            case "\"" where quoted: line += "\\\""
            case "\\" where quoted: line += "\\\\"
            case _ where isUnsafe(scalar): line += "\\u{\(String(scalar.value, radix: 16))}"
            default: line.unicodeScalars.append(scalar)
            }
        }
        if quoted { line += "\"" }
    }

    private static func appendJSON(_ text: String, to line: inout String) {
        line += "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": line += "\\\""
            case "\\": line += "\\\\"
            case "\n": line += "\\n"
            case "\r": line += "\\r"
            case "\t": line += "\\t"
            case _ where isUnsafe(scalar):
                let digits = String(scalar.value, radix: 16)
                line += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: line.unicodeScalars.append(scalar)
            }
        }
        line += "\""
    }

    /// All of them fit into four hexadecimal digits.
    private static func isUnsafe(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7F..<0xA0, 0x2028, 0x2029, 0x202A...0x202E, 0x2066...0x2069: true
        default: false
        }
    }
}

/// Instants as RFC 3339 in UTC with milliseconds.
enum UTCText {
    static func format(milliseconds: Int64) -> String {
        let day = floorDivide(milliseconds, 86_400_000)
        let time = Int(milliseconds - day * 86_400_000)
        let date = civil(day: day)
        return "\(padded(date.year, 4))-\(padded(date.month, 2))-\(padded(date.day, 2))"
            + "T\(padded(time / 3_600_000, 2)):\(padded(time / 60000 % 60, 2)):\(padded(time / 1000 % 60, 2))"
            + ".\(padded(time % 1000, 3))Z"
    }

    private static func floorDivide(_ value: Int64, _ divisor: Int64) -> Int64 {
        let quotient = value / divisor
        return value % divisor < 0 ? quotient - 1 : quotient
    }

    /// The Gregorian date of a day counted from 1970-01-01; years are counted from March, in eras of 400 years.
    private static func civil(day: Int64) -> (year: Int, month: Int, day: Int) {
        let shifted = day + 719_468
        let era = floorDivide(shifted, 146_097)
        let dayOfEra = Int(shifted - era * 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let month = (5 * dayOfYear + 2) / 153
        let year = Int(era) * 400 + yearOfEra + (month >= 10 ? 1 : 0)
        return (year, month < 10 ? month + 3 : month - 9, dayOfYear - (153 * month + 2) / 5 + 1)
    }

    private static func padded(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
