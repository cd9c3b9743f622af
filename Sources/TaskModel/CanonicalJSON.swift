import Foundation

/// JSON in one form, so that equal values have equal bytes: the form of RFC 8785 (members sorted by UTF-16 code units, no
/// insignificant space, the fewest escapes, doubles as ECMAScript writes them), but integers keep all their digits, since
/// two numbers that a double cannot tell apart are not the same work.
public enum CanonicalJSON {
    /// The canonical form of a JSON text, or nil when it is not JSON.
    public static func canonical(_ json: [UInt8]) -> [UInt8]? {
        guard let value = JSONValue(json) else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(json.count)
        write(value, to: &bytes)
        return bytes
    }

    /// Encodes a value with sorted keys.
    public static func encode(_ value: some Encodable) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(value) else {
            preconditionFailure("our own types always encode: \(type(of: value))")
        }
        return [UInt8](data)
    }

    /// Decodes JSON from anywhere. It is read by our own reader first: Foundation's (Swift 6.0) stops the process at a
    /// member's name that is not UTF-8 or holds half of a surrogate pair.
    public static func decode<Value: Decodable>(_ type: Value.Type, from bytes: [UInt8]) throws -> Value {
        guard JSONValue(bytes) != nil else {
            throw DecodingError.dataCorrupted(
                DecodingError.Context(codingPath: [], debugDescription: "this is not JSON"))
        }
        return try JSONDecoder().decode(type, from: Data(bytes))
    }

    /// The members of an object, each value as its text; nil for what is no object.
    public static func members(_ json: [UInt8]) -> [String: String]? {
        JSONValue(json)?.members?.mapValues { String(decoding: json[$0.range], as: UTF8.self) }
    }

    private static func write(_ value: JSONValue, to bytes: inout [UInt8]) {
        switch value.content {
        case .null: bytes += "null".utf8
        case .bool(let bool): bytes += (bool ? "true" : "false").utf8
        case .number(let literal): bytes += number(literal).utf8
        case .string(let text): write(text, to: &bytes)
        case .array(let elements):
            bytes.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                write(element, to: &bytes)
            }
            bytes.append(UInt8(ascii: "]"))
        case .object(let members):
            bytes.append(UInt8(ascii: "{"))
            // By bytes: as strings, Swift would take two spellings of one letter for the same name.
            let unique = Dictionary(members.map { (Array($0.name.utf8), $0) }) { $1 }.values
            let sorted = unique.sorted { $0.name.utf16.lexicographicallyPrecedes($1.name.utf16) }
            for (index, member) in sorted.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                write(member.name, to: &bytes)
                bytes.append(UInt8(ascii: ":"))
                write(member.value, to: &bytes)
            }
            bytes.append(UInt8(ascii: "}"))
        }
    }

    /// A text with its quotes.
    static func write(_ text: String, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        let isPlain = text.utf8.withContiguousStorageIfAvailable { plain in
            guard plain.allSatisfy({ $0 >= 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }) else {
                return false
            }
            bytes.append(contentsOf: plain)
            return true
        }
        if isPlain != true { writeEscaped(text, to: &bytes) }
        bytes.append(UInt8(ascii: "\""))
    }

    private static func writeEscaped(_ text: String, to bytes: inout [UInt8]) {
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""): bytes += #"\""#.utf8
            case UInt8(ascii: "\\"): bytes += #"\\"#.utf8
            case 0x08: bytes += #"\b"#.utf8
            case 0x09: bytes += #"\t"#.utf8
            case 0x0a: bytes += #"\n"#.utf8
            case 0x0c: bytes += #"\f"#.utf8
            case 0x0d: bytes += #"\r"#.utf8
            case 0..<0x20: bytes += ((byte < 0x10 ? #"\u000"# : #"\u00"#) + String(byte, radix: 16)).utf8
            default: bytes.append(byte)
            }
        }
    }

    private static func number(_ literal: String) -> String {
        if literal == "-0" { return "0" }
        let isInteger = literal.utf8.allSatisfy { $0 == UInt8(ascii: "-") || $0.isDigit }
        // A literal beyond a double's range stays as written: "infinity" is no JSON.
        guard !isInteger, let value = Double(literal), value.isFinite else { return literal }
        return ecmaScript(value)
    }

    /// The shortest digits that read back as `value`, in the notation of ECMAScript's `Number::toString`.
    private static func ecmaScript(_ value: Double) -> String {
        guard value != 0 else { return "0" }
        let parts = value.magnitude.description.split(separator: "e")
        let mantissa = parts[0].split(separator: ".")
        let fraction = mantissa.count > 1 && mantissa[1] != "0" ? mantissa[1] : ""
        let all = String(mantissa[0]) + fraction
        let significant = all.drop { $0 == "0" }
        // value = 0.DIGITS × 10^point
        let point = mantissa[0].count + (parts.count > 1 ? Int(parts[1])! : 0) - (all.count - significant.count)
        let digits = String(significant.reversed().drop { $0 == "0" }.reversed())
        let sign = value < 0 ? "-" : ""
        let count = digits.count
        if count <= point, point <= 21 { return sign + digits + String(repeating: "0", count: point - count) }
        if 0 < point, point <= 21 { return sign + digits.prefix(point) + "." + digits.dropFirst(point) }
        if -6 < point, point <= 0 { return sign + "0." + String(repeating: "0", count: -point) + digits }
        let exponent = point - 1
        let head = digits.prefix(1) + (count > 1 ? "." + digits.dropFirst(1) : "")
        return sign + head + "e" + (exponent < 0 ? "-" : "+") + String(abs(exponent))
    }
}

extension UInt8 {
    fileprivate var isDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }
}
