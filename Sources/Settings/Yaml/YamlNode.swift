/// A value of a YAML document, and where it was written.
struct YamlNode: Hashable, Sendable {
    indirect enum Content: Hashable, Sendable {
        case scalar(YamlScalar)
        case sequence([YamlNode])
        case mapping([Entry])
        /// What stood here was refused; the issue has been reported, and nobody needs to report another one.
        case refused
    }

    struct Entry: Hashable, Sendable {
        var key: String
        var keyLocation: SourceLocation
        var value: YamlNode
    }

    var content: Content
    var location: SourceLocation

    /// What it is, in words for an error message.
    var kind: String {
        switch content {
        case .scalar(let scalar): scalar.kind
        case .sequence: "a list"
        case .mapping: "a mapping"
        case .refused: "refused"
        }
    }

    var isEmpty: Bool {
        if case .scalar(let scalar) = content, scalar.resolved == .null { true } else { false }
    }
}

/// A scalar: its text, and whether the text alone decides what it means.
struct YamlScalar: Hashable, Sendable {
    /// What a plain scalar means by the core schema of YAML 1.2. Everything else is text: `yes`, `no` and `on` too.
    enum Resolved: Hashable, Sendable {
        case null
        case boolean(Bool)
        case integer(Int64)
        case number(Double)
        /// Digits whose meaning depends on the version of YAML (`010`), or a number that JSON cannot hold.
        case ambiguous(why: String)
        case text
    }

    /// With `${…}` replaced.
    var text: String
    /// As it stands in the file: what a message may show.
    var written: String
    /// Neither quoted nor a block.
    var isPlain: Bool

    /// Text that came out of the environment by `${…}`.
    var isSubstituted: Bool { text != written }

    init(text: String, isPlain: Bool) {
        self.text = text
        written = text
        self.isPlain = isPlain
    }

    var kind: String {
        switch resolved {
        case .null: "empty"
        case .boolean: "a boolean"
        case .integer, .number, .ambiguous: "a number"
        case .text: "text"
        }
    }

    /// By the text as written: what the environment puts in is always text.
    var resolved: Resolved {
        guard isPlain, !isSubstituted else { return .text }
        switch text {
        case "", "~", "null", "Null", "NULL": return .null
        case "true", "True", "TRUE": return .boolean(true)
        case "false", "False", "FALSE": return .boolean(false)
        case ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF", ".nan", ".NaN", ".NAN":
            return .ambiguous(why: "JSON has no such number")
        default: return Self.number(text)
        }
    }

    private static func number(_ text: String) -> Resolved {
        let unsigned = text.first == "-" || text.first == "+" ? text.dropFirst() : text[...]
        if unsigned.hasPrefix("0o") || unsigned.hasPrefix("0x") {
            let digits = unsigned.dropFirst(2)
            guard unsigned == text[...],
                let value = Int64(digits, radix: unsigned.hasPrefix("0o") ? 8 : 16), digits.first != "-"
            else { return .text }
            return .integer(value)
        }
        let whole = unsigned.prefix { $0.isASCII && $0.isNumber }
        let isInteger = whole.count == unsigned.count && !whole.isEmpty
        if isInteger {
            if whole.count > 1, whole.first == "0" {
                return .ambiguous(why: "a number with a leading zero means different things to different readers")
            }
            return Int64(text).map { .integer($0) } ?? .ambiguous(why: "the number has too many digits")
        }
        guard isFloat(unsigned), let value = Double(text) else { return .text }
        return value.isFinite ? .number(value) : .ambiguous(why: "the number is too large")
    }

    /// `( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?`
    private static func isFloat(_ text: Substring) -> Bool {
        func dropDigits(_ text: Substring) -> Substring { text.drop { $0.isASCII && $0.isNumber } }
        var rest = dropDigits(text)
        let hasWhole = rest.count < text.count
        if rest.first == "." {
            let fraction = rest.dropFirst()
            rest = dropDigits(fraction)
            guard hasWhole || rest.count < fraction.count else { return false }
        } else if !hasWhole {
            return false
        }
        guard let exponent = rest.first else { return true }
        guard exponent == "e" || exponent == "E" else { return false }
        rest = rest.dropFirst()
        if rest.first == "-" || rest.first == "+" { rest = rest.dropFirst() }
        return !rest.isEmpty && dropDigits(rest).isEmpty
    }
}
