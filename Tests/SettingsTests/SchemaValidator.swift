import Foundation

/// The part of JSON Schema 2020-12 that our schemas use. A keyword that it does not know is an error, so that a schema
/// cannot promise what no test checks.
struct SchemaValidator {
    private static let annotations: Set<String> = [
        "$schema", "$id", "$defs", "title", "description", "default", "examples",
    ]

    let root: [String: Any]

    init(contentsOf file: URL) throws {
        let object = try JSONSerialization.jsonObject(with: Data(contentsOf: file))
        guard let root = object as? [String: Any] else { throw CocoaError(.fileReadCorruptFile) }
        self.root = root
    }

    /// What is wrong with `value`, each with its place; empty when it is valid.
    func problems(of value: Any) -> [String] { problems(of: value, in: root, at: "") }

    /// Paths of all keys that the schema describes, `*` for names of the user's choice.
    var keys: Set<String> {
        var keys: Set<String> = []
        collectKeys(of: root, at: "", into: &keys)
        return keys
    }

    private func collectKeys(of schema: [String: Any], at path: String, into keys: inout Set<String>) {
        let schema = resolved(schema)
        func add(_ name: String, _ child: [String: Any]) {
            let place = path.isEmpty ? name : "\(path).\(name)"
            if name != "*" { keys.insert(place) }
            if name == "*", resolved(child)["type"] as? String != "object" { keys.insert(place) }
            collectKeys(of: child, at: place, into: &keys)
        }
        for (name, child) in schema["properties"] as? [String: [String: Any]] ?? [:] { add(name, child) }
        if let child = schema["additionalProperties"] as? [String: Any] { add("*", child) }
    }

    private func resolved(_ schema: [String: Any]) -> [String: Any] {
        guard let reference = schema["$ref"] as? String, reference.hasPrefix("#/$defs/"),
            let definitions = root["$defs"] as? [String: [String: Any]],
            let target = definitions[String(reference.dropFirst(8))]
        else { return schema }
        return target
    }

    private func problems(of value: Any, in schema: [String: Any], at path: String) -> [String] {
        schema.sorted { $0.key < $1.key }.flatMap { keyword, rule -> [String] in
            if Self.annotations.contains(keyword) { return [] }
            return check(keyword, rule, value, schema, path)
        }
    }

    private func check(
        _ keyword: String, _ rule: Any, _ value: Any, _ schema: [String: Any], _ path: String
    ) -> [String] {
        func fail(_ isFine: Bool, _ message: String) -> [String] { isFine ? [] : ["\(path): \(message)"] }
        func matching(_ rule: Any) -> Int {
            (rule as? [[String: Any]] ?? []).filter { problems(of: value, in: $0, at: path).isEmpty }.count
        }
        switch keyword {
        case "$ref": return problems(of: value, in: resolved(schema), at: path)
        case "type":
            let types = rule as? [String] ?? [rule as? String ?? ""]
            return fail(types.contains { Self.has(value, type: $0) }, "is not \(types)")
        case "enum":
            let words = rule as? [String] ?? []
            return fail((value as? String).map(words.contains) == true, "is not one of \(words)")
        case "pattern":
            guard let text = value as? String, let pattern = rule as? String else { return [] }
            return fail(text.range(of: pattern, options: .regularExpression) != nil, "does not match \(pattern)")
        case "minLength": return fail((value as? String).map { !$0.isEmpty } ?? true, "is empty")
        case "minimum":
            return fail(Self.number(value).map { $0 >= rule as? Double ?? 0 } ?? true, "is below \(rule)")
        case "maximum":
            return fail(Self.number(value).map { $0 <= rule as? Double ?? 0 } ?? true, "is above \(rule)")
        case "minItems": return fail((value as? [Any]).map { $0.count >= rule as? Int ?? 0 } ?? true, "is too short")
        case "oneOf": return fail(matching(rule) == 1, "matches \(matching(rule)) of oneOf")
        case "anyOf": return fail(matching(rule) > 0, "matches none of anyOf")
        case "not":
            return fail(!problems(of: value, in: rule as? [String: Any] ?? [:], at: path).isEmpty, "matches not")
        case "required":
            guard let object = value as? [String: Any] else { return [] }
            return (rule as? [String] ?? []).filter { object[$0] == nil }.map { "\(path): lacks \($0)" }
        case "properties", "additionalProperties", "propertyNames", "items":
            return checkChildren(keyword, rule, value, schema, path)
        default: return ["the schema uses \(keyword), which nothing here checks"]
        }
    }

    private func checkChildren(
        _ keyword: String, _ rule: Any, _ value: Any, _ schema: [String: Any], _ path: String
    ) -> [String] {
        if keyword == "items", let elements = value as? [Any], let item = rule as? [String: Any] {
            return elements.enumerated().flatMap { problems(of: $1, in: item, at: "\(path)[\($0)]") }
        }
        guard let object = value as? [String: Any] else { return [] }
        let known = schema["properties"] as? [String: [String: Any]] ?? [:]
        return object.sorted { $0.key < $1.key }.flatMap { name, member -> [String] in
            let place = path.isEmpty ? name : "\(path).\(name)"
            switch keyword {
            case "properties": return known[name].map { problems(of: member, in: $0, at: place) } ?? []
            case "propertyNames": return problems(of: name, in: rule as? [String: Any] ?? [:], at: place)
            case "additionalProperties" where known[name] == nil:
                if let schema = rule as? [String: Any] { return problems(of: member, in: schema, at: place) }
                return ["\(place): is not accepted"]
            default: return []
            }
        }
    }

    private static func has(_ value: Any, type: String) -> Bool {
        switch type {
        case "object": value is [String: Any]
        case "array": value is [Any]
        case "string": value is String
        case "boolean": isBoolean(value)
        case "number": number(value) != nil
        case "integer": number(value).map { $0 == $0.rounded() } ?? false
        case "null": value is NSNull
        default: false
        }
    }

    private static func isBoolean(_ value: Any) -> Bool {
        // `as? Bool` would take 0 and 1 too.
        (value as? NSNumber).map { String(cString: $0.objCType) == "c" } ?? false
    }

    private static func number(_ value: Any) -> Double? {
        isBoolean(value) ? nil : (value as? NSNumber)?.doubleValue
    }
}
