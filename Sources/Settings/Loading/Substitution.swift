/// Puts environment variables into scalars: `${NAME}`, `${NAME:-default}`, and `$${` for a literal `${`.
struct Substitution {
    let environment: [String: String]
    private(set) var issues: [ConfigurationIssue] = []

    init(environment: [String: String]) {
        self.environment = environment
    }

    /// `node` with every scalar in it replaced; keys stay as they are.
    mutating func apply(to node: YamlNode, path: [String] = []) -> YamlNode {
        var result = node
        switch node.content {
        case .scalar(var scalar):
            guard scalar.written.contains("${") else { return node }
            do {
                scalar.text = try replaced(scalar.written)
                result.content = .scalar(scalar)
            } catch {
                issues.append(ConfigurationIssue(node.location, KeyPath.text(path), error.description))
                result.content = .refused
            }
        case .sequence(let elements):
            var replacedElements: [YamlNode] = []
            for (index, element) in elements.enumerated() {
                replacedElements.append(apply(to: element, path: path + ["[\(index)]"]))
            }
            result.content = .sequence(replacedElements)
        case .mapping(var entries):
            for index in entries.indices {
                entries[index].value = apply(to: entries[index].value, path: path + [entries[index].key])
            }
            result.content = .mapping(entries)
        case .refused: break
        }
        return result
    }

    private func replaced(_ text: String) throws(TextError) -> String {
        var result = ""
        var rest = text[...]
        while let dollar = rest.firstIndex(of: "$") {
            result += rest[..<dollar]
            rest = rest[dollar...]
            if rest.hasPrefix("$${") {
                result += "${"
                rest = rest.dropFirst(3)
            } else if rest.hasPrefix("${") {
                guard let end = rest.firstIndex(of: "}") else {
                    throw TextError("`${` has no `}`; write `$${` for a literal `${`")
                }
                result += try value(of: rest[rest.index(rest.startIndex, offsetBy: 2)..<end])
                rest = rest[rest.index(after: end)...]
            } else {
                result += "$"
                rest = rest.dropFirst()
            }
        }
        return result + rest
    }

    private func value(of reference: Substring) throws(TextError) -> String {
        let separator = reference.range(of: ":-")
        let name = separator.map { reference[..<$0.lowerBound] } ?? reference
        let isName =
            name.first.map { !($0.isASCII && $0.isNumber) } == true
            && name.utf8.allSatisfy { byte in
                byte.isDigit || byte == UInt8(ascii: "_")
                    || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
            }
        guard isName else {
            throw TextError(
                "`${\(reference)}` does not name an environment variable; give ${NAME} or ${NAME:-default}, "
                    + "or write `$${` for a literal `${`")
        }
        if let value = environment[String(name)], !value.isEmpty || separator == nil { return value }
        guard let separator else {
            throw TextError("the environment variable \(name) is not set; set it, or give a default: ${\(name):-…}")
        }
        return String(reference[separator.upperBound...])
    }
}

extension Substring {
    fileprivate func range(of separator: String) -> Range<Substring.Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(separator) { return start..<index(start, offsetBy: separator.count) }
            start = index(after: start)
        }
        return nil
    }
}

/// The keys that lead to a value.
enum KeyPath {
    /// `tasks.report.exec.command[0]`
    static func text(_ path: [String]) -> String {
        path.reduce(into: "") { text, key in
            text += text.isEmpty || key.hasPrefix("[") ? key : "." + key
        }
    }
}
