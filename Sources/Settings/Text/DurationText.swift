/// Durations as people write them: `500ms`, `10s`, `5m`, `1h30m`, `2d`, `1w`.
///
/// Whole numbers with a unit, larger units first, each unit once. A number without a unit is refused, because nobody can
/// tell seconds from milliseconds by looking at it.
package enum DurationText {
    /// What the syntax takes, for error messages and help.
    package static let accepted = "a duration such as 500ms, 10s, 5m, 1h30m or 2d"

    private static let units: [(name: String, milliseconds: Int64)] = [
        ("w", 604_800_000), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1),
    ]

    /// Parses `text`, or throws ``TextError`` with what is wrong and what is accepted.
    package static func parse(_ text: String) throws(TextError) -> Duration {
        .milliseconds(try parseMilliseconds(text))
    }

    package static func parseMilliseconds(_ text: String) throws(TextError) -> Int64 {
        if text == "0" { return 0 }
        if !text.isEmpty, text.utf8.allSatisfy({ $0.isDigit }) {
            throw TextError("needs a unit: did you mean \(text)s? Give \(accepted)")
        }
        var rest = Substring(text)
        var total: Int64 = 0
        var lastUnit = -1
        guard !rest.isEmpty else { throw TextError("is empty; give \(accepted)") }
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            rest = rest.dropFirst(digits.count)
            let letters = rest.prefix { $0.isASCII && $0.isLetter }
            rest = rest.dropFirst(letters.count)
            guard !digits.isEmpty, let unit = units.firstIndex(where: { $0.name == letters }) else {
                throw TextError("is not a duration; give \(accepted)")
            }
            guard unit > lastUnit else { throw TextError("must name larger units first, each once; give \(accepted)") }
            lastUnit = unit
            guard let count = Int64(digits) else { throw TextError("is too long a duration") }
            let (part, overflow) = count.multipliedReportingOverflow(by: units[unit].milliseconds)
            let (sum, overflowOfSum) = total.addingReportingOverflow(part)
            guard !overflow, !overflowOfSum else { throw TextError("is too long a duration") }
            total = sum
        }
        return total
    }

    /// The shortest text that `parse` reads back to the same duration (to the millisecond).
    package static func format(_ duration: Duration) -> String {
        var rest = duration.inMilliseconds
        guard rest > 0 else { return rest == 0 ? "0s" : "-" + format(.milliseconds(-rest)) }
        var text = ""
        for unit in units where rest >= unit.milliseconds && unit.name != "w" {
            text += "\(rest / unit.milliseconds)\(unit.name)"
            rest %= unit.milliseconds
        }
        return text
    }
}

extension Duration {
    /// Whole milliseconds, rounded towards zero, saturating.
    package var inMilliseconds: Int64 {
        let (seconds, attoseconds) = components
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        if overflow { return seconds > 0 ? .max : .min }
        let (sum, overflowOfSum) = whole.addingReportingOverflow(attoseconds / 1_000_000_000_000_000)
        return overflowOfSum ? (seconds > 0 ? .max : .min) : sum
    }
}

/// Why a text is not a value of some syntax. Reads after the text itself: "`10` needs a unit: …".
package struct TextError: Error, Hashable, Sendable, CustomStringConvertible {
    package var description: String

    package init(_ description: String) {
        self.description = description
    }
}

extension UInt8 {
    package var isDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }
}
