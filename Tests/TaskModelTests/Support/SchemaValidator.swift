@testable import TaskModel

/// As much of JSON Schema 2020-12 as our schemas use. A keyword that it does not know is a failure, so that no schema can
/// say more than is checked.
struct SchemaValidator {
    let root: JSONValue

    /// What is wrong with `value`, each with its place; empty when nothing is.
    func problems(_ value: JSONValue) -> [String] { check(value, against: root, at: "$") }

    private func check(_ value: JSONValue, against schema: JSONValue, at place: String) -> [String] {
        if case .bool(let allowed) = schema.content { return allowed ? [] : ["\(place) is not allowed"] }
        guard case .object(let keywords) = schema.content else { return ["the schema at \(place) is no object"] }
        return keywords.flatMap { check(value, $0.name, $0.value, in: schema, at: place) }
    }

    private func check(
        _ value: JSONValue, _ keyword: String, _ rule: JSONValue, in schema: JSONValue, at place: String
    ) -> [String] {
        switch (keyword, rule.content, value.content) {
        case ("$schema", _, _), ("$id", _, _), ("title", _, _), ("description", _, _), ("$defs", _, _),
            ("examples", _, _), ("default", _, _):
            return []
        case ("$ref", .string(let path), _):
            guard let target = resolve(path) else { return ["\(path) is not in the schema"] }
            return check(value, against: target, at: place)
        case ("type", _, _): return types(rule).contains { isOf($0, value) } ? [] : ["\(place) is not \(types(rule))"]
        case ("enum", .array(let allowed), _):
            return allowed.contains { same($0, value) } ? [] : ["\(place) is none of the known values"]
        case ("const", _, _): return same(rule, value) ? [] : ["\(place) is not the constant"]
        case ("pattern", .string(let pattern), .string(let text)):
            guard let regex = try? Regex(pattern) else { return ["pattern \(pattern) is none"] }
            return text.contains(regex) ? [] : ["\(place) is \"\(text)\": no match of \(pattern)"]
        case ("minimum", .number(let limit), .number(let number)):
            return Double(number)! >= Double(limit)! ? [] : ["\(place) is below \(limit)"]
        case ("maximum", .number(let limit), .number(let number)):
            return Double(number)! <= Double(limit)! ? [] : ["\(place) is above \(limit)"]
        case ("minLength", .number(let limit), .string(let text)):
            return text.unicodeScalars.count >= Int(limit)! ? [] : ["\(place) is too short"]
        case ("maxLength", .number(let limit), .string(let text)):
            return text.unicodeScalars.count <= Int(limit)! ? [] : ["\(place) is too long"]
        case ("maxItems", .number(let limit), .array(let items)):
            return items.count <= Int(limit)! ? [] : ["\(place) has too many items"]
        case ("items", _, .array(let items)):
            return items.enumerated().flatMap { check($1, against: rule, at: "\(place)[\($0)]") }
        case ("required", .array(let names), .object):
            return names.compactMap { name in
                guard case .string(let text) = name.content, value.members?[text] == nil else { return nil }
                return "\(place) lacks \(text)"
            }
        case ("properties", .object(let properties), .object):
            return properties.flatMap { property in
                value.members?[property.name].map {
                    check($0, against: property.value, at: "\(place).\(property.name)")
                }
                    ?? []
            }
        case ("additionalProperties", _, .object(let members)):
            let known = schema.members?["properties"]?.members ?? [:]
            return members.filter { known[$0.name] == nil }.flatMap {
                check($0.value, against: rule, at: "\(place).\($0.name)")
            }
        case ("allOf", .array(let parts), _): return parts.flatMap { check(value, against: $0, at: place) }
        case ("oneOf", .array(let parts), _):
            let fitting = parts.filter { check(value, against: $0, at: place).isEmpty }.count
            return fitting == 1 ? [] : ["\(place) fits \(fitting) of its alternatives, not one"]
        case ("pattern", _, _), ("minimum", _, _), ("maximum", _, _), ("minLength", _, _), ("maxLength", _, _),
            ("maxItems", _, _), ("items", _, _), ("required", _, _), ("properties", _, _),
            ("additionalProperties", _, _):
            return []
        default: return ["keyword \(keyword) is not known to this validator"]
        }
    }

    private func resolve(_ path: String) -> JSONValue? {
        guard path.hasPrefix("#/$defs/") else { return nil }
        return root.members?["$defs"]?.members?[String(path.dropFirst(8))]
    }

    private func types(_ rule: JSONValue) -> [String] {
        switch rule.content {
        case .string(let name): [name]
        case .array(let names): names.flatMap(types)
        default: []
        }
    }

    private func isOf(_ type: String, _ value: JSONValue) -> Bool {
        switch (type, value.content) {
        case ("null", .null), ("boolean", .bool), ("number", .number), ("string", .string), ("array", .array),
            ("object", .object):
            true
        case ("integer", .number(let literal)): Int64(literal) != nil
        default: false
        }
    }

    private func same(_ left: JSONValue, _ right: JSONValue) -> Bool { left.content == right.content }
}
