/// A JSON text as it was written: numbers keep their digits, objects their order, and each value knows where it lay.
///
/// Foundation's reader turns numbers into doubles and forgets places; a payload inside an envelope must come out untouched.
struct JSONValue: Hashable, Sendable {
    enum Content: Hashable, Sendable {
        case null
        case bool(Bool)
        /// The literal.
        case number(String)
        case string(String)
        case array([JSONValue])
        /// In order; of a name that repeats, the last one counts.
        case object([Member])
    }

    struct Member: Hashable, Sendable {
        var name: String
        var value: JSONValue
    }

    var content: Content
    /// The bytes of the text that are this value, without the space around it.
    var range: Range<Int>

    /// Deeper texts are refused: nobody writes them, and reading is recursive.
    static let maximumDepth = 256

    /// Reads one JSON text (RFC 8259, UTF-8); nil when it is none.
    init?(_ text: [UInt8]) {
        var reader = JSONReader(text)
        guard let value = reader.document() else { return nil }
        self = value
    }

    init(_ content: Content, range: Range<Int>) {
        self.content = content
        self.range = range
    }

    /// The members of an object by name, or nil for another value.
    var members: [String: JSONValue]? {
        guard case .object(let members) = content else { return nil }
        return Dictionary(members.map { ($0.name, $0.value) }) { $1 }
    }
}

private struct JSONReader {
    private let text: [UInt8]
    private var position = 0

    init(_ text: [UInt8]) { self.text = text }

    mutating func document() -> JSONValue? {
        if text.starts(with: [0xef, 0xbb, 0xbf]) { position = 3 }
        guard let value = value(depth: 0) else { return nil }
        skipSpace()
        return position == text.count ? value : nil
    }

    private var next: UInt8? { position < text.count ? text[position] : nil }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x09 || byte == 0x0a || byte == 0x0d { position += 1 }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard next == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func value(depth: Int) -> JSONValue? {
        guard depth <= JSONValue.maximumDepth else { return nil }
        skipSpace()
        let start = position
        guard let first = next else { return nil }
        let content: JSONValue.Content?
        switch first {
        case UInt8(ascii: "{"): content = object(depth: depth)
        case UInt8(ascii: "["): content = array(depth: depth)
        case UInt8(ascii: "\""): content = string().map { .string($0) }
        case UInt8(ascii: "t"): content = word("true") ? .bool(true) : nil
        case UInt8(ascii: "f"): content = word("false") ? .bool(false) : nil
        case UInt8(ascii: "n"): content = word("null") ? .null : nil
        default: content = number()
        }
        return content.map { JSONValue($0, range: start..<position) }
    }

    private mutating func word(_ word: String) -> Bool {
        guard text[position...].starts(with: word.utf8) else { return false }
        position += word.utf8.count
        return true
    }

    private mutating func object(depth: Int) -> JSONValue.Content? {
        position += 1
        var members: [JSONValue.Member] = []
        skipSpace()
        if take("}") { return .object([]) }
        repeat {
            skipSpace()
            guard next == UInt8(ascii: "\""), let name = string() else { return nil }
            skipSpace()
            guard take(":"), let value = value(depth: depth + 1) else { return nil }
            members.append(JSONValue.Member(name: name, value: value))
            skipSpace()
        } while take(",")
        return take("}") ? .object(members) : nil
    }

    private mutating func array(depth: Int) -> JSONValue.Content? {
        position += 1
        var elements: [JSONValue] = []
        skipSpace()
        if take("]") { return .array([]) }
        repeat {
            guard let value = value(depth: depth + 1) else { return nil }
            elements.append(value)
            skipSpace()
        } while take(",")
        return take("]") ? .array(elements) : nil
    }

    private mutating func number() -> JSONValue.Content? {
        let start = position
        _ = take("-")
        guard let leading = next else { return nil }
        let integerDigits = digits()
        guard integerDigits == 1 || (integerDigits > 1 && leading != UInt8(ascii: "0")) else { return nil }
        if take(".") {
            guard digits() > 0 else { return nil }
        }
        if take("e") || take("E") {
            if !take("+") { _ = take("-") }
            guard digits() > 0 else { return nil }
        }
        return .number(String(decoding: text[start..<position], as: UTF8.self))
    }

    private mutating func digits() -> Int {
        let start = position
        while let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { position += 1 }
        return position - start
    }

    private mutating func string() -> String? {
        position += 1
        var bytes: [UInt8] = []
        while let byte = next {
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return String(validating: bytes, as: UTF8.self)
            case UInt8(ascii: "\\"):
                guard let scalar = escape() else { return nil }
                bytes.append(contentsOf: UTF8.encode(scalar)!)
            case 0..<0x20: return nil
            default: bytes.append(byte)
            }
        }
        return nil
    }

    private mutating func escape() -> Unicode.Scalar? {
        guard let byte = next else { return nil }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{c}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): return unicodeEscape()
        default: return nil
        }
    }

    private mutating func unicodeEscape() -> Unicode.Scalar? {
        guard let unit = codeUnit() else { return nil }
        guard (0xd800..<0xdc00).contains(unit) else { return Unicode.Scalar(unit) }
        guard take("\\"), take("u"), let low = codeUnit(), (0xdc00..<0xe000).contains(low) else { return nil }
        return Unicode.Scalar(0x10000 + (unit - 0xd800) << 10 + (low - 0xdc00))
    }

    private mutating func codeUnit() -> UInt32? {
        guard position + 4 <= text.count else { return nil }
        var unit: UInt32 = 0
        for byte in text[position..<position + 4] {
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else { return nil }
            unit = unit << 4 | UInt32(digit)
        }
        position += 4
        return unit
    }
}
