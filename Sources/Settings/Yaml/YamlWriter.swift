/// Writes mappings as YAML that ``YamlReader`` reads back to the same values. Nil is left out.
struct YamlWriter {
    private(set) var text = ""
    private var indentation = ""

    mutating func section(_ key: String, _ body: (inout YamlWriter) -> Void) {
        line(key, "")
        indentation += "  "
        let before = text.utf8.count
        body(&self)
        indentation.removeLast(2)
        if text.utf8.count == before { text.replaceSubrange(text.index(before: text.endIndex)..., with: " {}\n") }
    }

    mutating func sections<Value>(
        _ key: String, _ members: [String: Value], _ body: (inout YamlWriter, Value) -> Void
    ) {
        guard !members.isEmpty else { return }
        section(key) { text in
            for (name, value) in members.sorted(by: { $0.key < $1.key }) {
                text.section(Self.scalar(name)) { body(&$0, value) }
            }
        }
    }

    mutating func sections<Value>(_ key: String, _ members: [String: Value], _ show: (String, Value) -> String) {
        guard !members.isEmpty else { return }
        section(key) { text in
            for (name, value) in members.sorted(by: { $0.key < $1.key }) {
                text.value(Self.scalar(name), show(name, value))
            }
        }
    }

    mutating func value(_ key: String, _ value: String?) {
        if let value { line(key, Self.scalar(value)) }
    }

    mutating func value(_ key: String, _ value: Int) { line(key, "\(value)") }
    mutating func value(_ key: String, _ value: Bool) { line(key, "\(value)") }

    mutating func value(_ key: String, _ value: Double) {
        line(key, value == value.rounded() && abs(value) < 1e9 ? "\(Int(value))" : "\(value)")
    }

    mutating func duration(_ key: String, _ milliseconds: Int64) {
        line(key, DurationText.format(.milliseconds(milliseconds)))
    }

    mutating func list(_ key: String, _ values: [String]?) {
        if let values { line(key, "[\(values.map(Self.scalar).joined(separator: ", "))]") }
    }

    mutating func numbers(_ key: String, _ values: [Int]) {
        line(key, "[\(values.map(String.init).joined(separator: ", "))]")
    }

    /// `value` is YAML already.
    mutating func raw(_ key: String, _ value: String) { line(key, value) }

    private mutating func line(_ key: String, _ value: String) {
        text += "\(indentation)\(key):\(value.isEmpty ? "" : " ")\(value)\n"
    }

    /// Plain where nobody can read it as something else, otherwise in double quotes as in JSON.
    private static func scalar(_ text: String) -> String {
        let isPlain =
            text.utf8.first.map {
                $0.isDigit || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0 | 0x20) || $0 == 0x2F
            }
            == true
            && text.utf8.allSatisfy { byte in
                byte.isDigit || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
                    || "./_-".utf8.contains(byte)
            }
            && YamlScalar(text: text, isPlain: true).resolved == .text
        // `yes`, `on` and their like are text to us and booleans to older readers.
        let isOldBoolean = ["y", "n", "yes", "no", "on", "off"].contains(text.lowercased())
        if isPlain && !isOldBoolean { return text }
        var quoted = ""
        // A `${` would be replaced when the text is read again.
        JSONText.append(text.replacing("${", with: "$${"), to: &quoted)
        return quoted
    }
}
