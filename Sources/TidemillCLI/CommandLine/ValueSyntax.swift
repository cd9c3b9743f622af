import Settings
import TaskModel

/// What a value on the command line must look like. Checked while parsing, so that a command starts only with values
/// that it can use.
enum ValueSyntax: Sendable, Hashable {
    case text
    case path
    /// A whole number within bounds.
    case integer(ClosedRange<Int>)
    case number
    /// `10s`, `1h30m`.
    case duration
    /// RFC 3339, `now`, or relative to now: `-1h`, `+15m`.
    case time
    /// `1MiB`.
    case size
    /// One of these words.
    case choice([String])
    /// `NAME=VALUE`.
    case pair

    /// One of the raw values of an enum.
    static func choice<Choice: RawRepresentable & CaseIterable>(of type: Choice.Type) -> ValueSyntax
    where Choice.RawValue == String {
        .choice(Choice.allCases.map(\.rawValue))
    }

    /// The word for such a value in a usage line.
    var placeholder: String {
        switch self {
        case .text: "TEXT"
        case .path: "PATH"
        case .integer: "N"
        case .number: "NUMBER"
        case .duration: "DURATION"
        case .time: "TIME"
        case .size: "SIZE"
        case .choice(let words): words.joined(separator: "|")
        case .pair: "NAME=VALUE"
        }
    }

    /// Throws what is wrong with `text` and what is accepted.
    func check(_ text: String) throws(TextError) {
        switch self {
        case .text: return
        case .path: if text.isEmpty { throw TextError("is empty; give a path") }
        case .integer(let range): _ = try Self.integer(text, in: range)
        case .number: _ = try Self.number(text)
        case .duration: _ = try DurationText.parse(text)
        case .time: _ = try TimeText.parse(text)
        case .size: _ = try ByteSizeText.parse(text)
        case .choice(let words): try Self.check(text, among: words)
        case .pair: _ = try Self.pair(text)
        }
    }

    static func integer(_ text: String, in range: ClosedRange<Int>) throws(TextError) -> Int {
        guard let value = Int(text), range.contains(value) else {
            let bounds =
                switch (range.lowerBound, range.upperBound) {
                case (.min, .max): "a whole number"
                case (let low, .max): "a whole number of at least \(low)"
                case (.min, let high): "a whole number of at most \(high)"
                case (let low, let high): "a whole number from \(low) to \(high)"
                }
            throw TextError("is not \(bounds)")
        }
        return value
    }

    static func number(_ text: String) throws(TextError) -> Double {
        guard let value = Double(text), value.isFinite else { throw TextError("is not a number") }
        return value
    }

    static func pair(_ text: String) throws(TextError) -> (name: String, value: String) {
        guard let separator = text.firstIndex(of: "="), separator > text.startIndex else {
            throw TextError("is not NAME=VALUE")
        }
        return (String(text[..<separator]), String(text[text.index(after: separator)...]))
    }

    private static func check(_ text: String, among words: [String]) throws(TextError) {
        guard !words.contains(text) else { return }
        let hint = Suggestion.closest(to: text, among: words).map { "; did you mean \($0)?" } ?? ""
        throw TextError("is not one of \(words.joined(separator: ", "))\(hint)")
    }
}
