import Foundation

/// What a scalar must look like, and how it becomes a value.
struct ScalarSyntax<Value> {
    /// Which plain scalars a text value may be without quotes.
    enum Strictness {
        /// The text decides: `10` is as good as `"10"`.
        case text
        /// A name or other words: a number or boolean without quotes is more likely a mistake.
        case words
        /// `true` or `false` without quotes.
        case boolean
    }

    var strictness: Strictness
    var parse: (String) throws(TextError) -> Value

    init(_ strictness: Strictness = .text, _ parse: @escaping (String) throws(TextError) -> Value) {
        self.strictness = strictness
        self.parse = parse
    }
}

extension ScalarSyntax where Value == String {
    /// Any text but none.
    static var text: ScalarSyntax {
        ScalarSyntax(.words) { text throws(TextError) in
            guard !text.isEmpty else { throw TextError("is empty") }
            return text
        }
    }

    /// Text for which `check` holds.
    static func text(_ accepted: String, _ check: @escaping (String) -> Bool) -> ScalarSyntax {
        ScalarSyntax(.words) { text throws(TextError) in
            guard check(text) else { throw TextError("is not \(accepted)") }
            return text
        }
    }

    static var timeZone: ScalarSyntax {
        ScalarSyntax(.words) { text throws(TextError) in
            if TimeZone(identifier: text) != nil, text.contains("/") || text == "UTC" { return text }
            let hint = Suggestion.closest(to: text, among: TimeZone.knownTimeZoneIdentifiers)
            throw TextError(
                "is not an IANA time zone such as Europe/Berlin or UTC" + (hint.map { "; did you mean \($0)?" } ?? ""))
        }
    }
}

extension ScalarSyntax where Value == Bool {
    static var boolean: ScalarSyntax {
        ScalarSyntax(.boolean) { text throws(TextError) in
            switch text {
            case "true", "True", "TRUE": return true
            case "false", "False", "FALSE": return false
            default: throw TextError("is not true or false")
            }
        }
    }
}

extension ScalarSyntax where Value == Int {
    static func integer(_ range: ClosedRange<Int>) -> ScalarSyntax {
        ScalarSyntax { text throws(TextError) in
            guard let value = Int(text), range.contains(value) else {
                throw TextError("is not a whole number from \(range.lowerBound) to \(range.upperBound)")
            }
            return value
        }
    }

    /// Bytes.
    static func size(_ range: ClosedRange<Int>) -> ScalarSyntax {
        ScalarSyntax { text throws(TextError) in
            let value = try ByteSizeText.parse(text)
            guard range.contains(value) else {
                throw TextError(
                    "is out of bounds; give a size from \(ByteSizeText.format(range.lowerBound)) to "
                        + ByteSizeText.format(range.upperBound))
            }
            return value
        }
    }
}

extension ScalarSyntax where Value == Double {
    static func number(_ range: ClosedRange<Double>) -> ScalarSyntax {
        ScalarSyntax { text throws(TextError) in
            guard let value = Double(text), range.contains(value) else {
                throw TextError("is not a number from \(range.lowerBound) to \(range.upperBound)")
            }
            return value
        }
    }
}

extension ScalarSyntax where Value == Int64 {
    /// Milliseconds.
    static func duration(_ range: ClosedRange<Int64>) -> ScalarSyntax {
        ScalarSyntax { text throws(TextError) in
            let value = try DurationText.parseMilliseconds(text)
            guard range.contains(value) else {
                throw TextError(
                    "is out of bounds; give a duration from \(DurationText.format(.milliseconds(range.lowerBound))) to "
                        + DurationText.format(.milliseconds(range.upperBound)))
            }
            return value
        }
    }
}

extension ScalarSyntax where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
    /// One of an enum's raw values.
    static var choice: ScalarSyntax {
        ScalarSyntax { text throws(TextError) in
            if let value = Value(rawValue: text) { return value }
            let words = Value.allCases.map(\.rawValue)
            let hint = Suggestion.closest(to: text, among: words).map { "; did you mean \($0)?" } ?? ""
            throw TextError("is not one of \(words.joined(separator: ", "))\(hint)")
        }
    }
}
