internal import TaskModel

extension YamlNode {
    /// The value as canonical JSON, or nil when a part of it has no JSON form; what is wrong is added to `issues`.
    func canonicalJSON(path: String, issues: inout [ConfigurationIssue]) -> [UInt8]? {
        let before = issues.count
        var text = ""
        appendJSON(to: &text, path: path, issues: &issues)
        guard issues.count == before else { return nil }
        return CanonicalJSON.canonical(Array(text.utf8))
    }

    private func appendJSON(to text: inout String, path: String, issues: inout [ConfigurationIssue]) {
        switch content {
        case .refused: text += "null"
        case .scalar(let scalar):
            switch scalar.resolved {
            case .null: text += "null"
            case .boolean(let value): text += "\(value)"
            case .integer(let value): text += "\(value)"
            case .number(let value): text += "\(value)"
            case .text: JSONText.append(scalar.text, to: &text)
            case .ambiguous(let why):
                issues.append(
                    ConfigurationIssue(
                        location, path, "`\(scalar.written)` cannot be read as a number: \(why); quote it"))
            }
        case .sequence(let elements):
            text += "["
            for (index, element) in elements.enumerated() {
                if index > 0 { text += "," }
                element.appendJSON(to: &text, path: "\(path)[\(index)]", issues: &issues)
            }
            text += "]"
        case .mapping(let entries):
            text += "{"
            for (index, entry) in entries.enumerated() {
                if index > 0 { text += "," }
                JSONText.append(entry.key, to: &text)
                text += ":"
                entry.value.appendJSON(to: &text, path: "\(path).\(entry.key)", issues: &issues)
            }
            text += "}"
        }
    }
}

enum JSONText {
    /// Adds `value` as a JSON string.
    static func append(_ value: String, to text: inout String) {
        text += "\""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: text.unicodeScalars.append(scalar)
            }
        }
        text += "\""
    }
}
