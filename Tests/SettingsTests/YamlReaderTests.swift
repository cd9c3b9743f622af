import Testing

@testable import Settings

struct YamlReaderTests {
    private func read(_ text: String) -> (node: YamlNode?, issues: [String]) {
        var issues: [ConfigurationIssue] = []
        let node = YamlReader.read(Array(text.utf8), file: "f", issues: &issues)
        return (node, issues.map(\.description))
    }

    private func json(_ text: String) -> String {
        var issues: [ConfigurationIssue] = []
        let node = YamlReader.read(Array(text.utf8), file: "f", issues: &issues)
        let bytes = node?.canonicalJSON(path: "p", issues: &issues)
        return bytes.map { String(decoding: $0, as: UTF8.self) } ?? issues.map(\.description).joined(separator: "|")
    }

    @Test func nodesKnowTheirPlace() throws {
        let root = try #require(read("a: 1\nb:\n  - x\n  - {c: d}\n").node)
        guard case .mapping(let entries) = root.content, case .sequence(let elements) = entries[1].value.content else {
            Issue.record("not a mapping with a list")
            return
        }
        #expect(entries[0].value.location == .file("f", line: 1, column: 4))
        #expect(entries[1].keyLocation == .file("f", line: 2, column: 1))
        #expect(elements[1].location == .file("f", line: 4, column: 5))
    }

    @Test(arguments: [
        ("yes", "\"yes\""), ("on", "\"on\""), ("no", "\"no\""), ("true", "true"), ("False", "false"), ("~", "null"),
        ("", "null"), ("null", "null"), ("12", "12"), ("-3", "-3"), ("0x1F", "31"), ("0o17", "15"), ("1.5", "1.5"),
        ("1e3", "1000"), (".5", "0.5"), ("1.2.3", "\"1.2.3\""), ("1_000", "\"1_000\""), ("12:30:45", "\"12:30:45\""),
        ("'12'", "\"12\""), ("\"true\"", "\"true\""), ("2026-11-21", "\"2026-11-21\""), ("0", "0"), ("-", "[null]"),
        ("=", "\"=\""), ("1e", "\"1e\""), (".", "\".\""), ("'a\\b'", "\"a\\\\b\""), ("\"a\\u0001\"", "\"a\\u0001\""),
    ])
    func scalarsByTheCoreSchema(yaml: String, expected: String) {
        #expect(json("v: \(yaml == "-" ? "\n  -" : yaml)") == "{\"v\":\(expected)}")
    }

    @Test(arguments: ["010", "-007", ".inf", "-.INF", ".nan", "1e999", "99999999999999999999"])
    func numbersThatNobodyAgreesOn(yaml: String) {
        let result = json("v: \(yaml)")
        #expect(result.hasPrefix("f:1:4: p.v: `\(yaml)` cannot be read as a number"))
        #expect(json("v: '\(yaml)'") == "{\"v\":\"\(yaml)\"}")
    }

    @Test func keysAreSortedInJSON() {
        #expect(json("{b: [1, {z: 1, a: 2}], a: x}") == #"{"a":"x","b":[1,{"a":2,"z":1}]}"#)
    }

    @Test(arguments: [
        ("a: 1\na: 2", "f:2:1: the key `a` is here twice; the first is at f:1:1"),
        ("a: &x 1", "f:1:4: anchors (`&name`) are not accepted"),
        ("a: *x", "f:1:4: aliases (`*name`) are not accepted"),
        ("a: !!str 1", "f:1:4: tags (`!name`) are not accepted"),
        ("a: 1\n---\nb: 2", "f:2:1: a second document begins here"),
        ("? [a]\n: b", "f:1:3: a key must be text"),
    ])
    func refused(text: String, message: String) {
        let issues = read(text).issues
        #expect(issues.contains { $0.hasPrefix(message) }, "\(issues)")
    }

    @Test(arguments: ["a: [1", "a: b: c", "\t- x: [", "a: \"x", "a: \u{1}"])
    func brokenTextNamesAPlace(text: String) {
        let (node, issues) = read(text)
        #expect(node == nil)
        #expect(issues.count == 1)
        #expect(issues.first?.hasPrefix("f:") == true)
    }

    @Test func allDuplicatesAreFound() {
        #expect(read("a: 1\na: 2\nb: {c: 1, c: 2}").issues.count == 2)
    }

    @Test func nothingIsADocument() {
        #expect(read("").node == nil)
        #expect(read("# only words\n").node == nil)
        #expect(read("").issues.isEmpty)
    }

    @Test func depthAndSizeAreBounded() {
        let deep = String(repeating: "[", count: 2000)
        #expect(read(deep).issues.contains { $0.contains("nested deeper than 32 levels") })
        let wide = "[" + String(repeating: "1,", count: YamlReader.maximumNodes + 1) + "]"
        #expect(read(wide).issues.contains { $0.contains("has more than 100000 values") })
        let long = "# " + String(repeating: "x", count: YamlReader.maximumBytes)
        #expect(read(long).issues == ["f:1:1: is larger than 4MiB"])
    }

    @Test func writerAndReaderAgree() throws {
        var writer = YamlWriter()
        let texts = ["plain", "yes", "12", "a: b", "", "${X}", "é", "-", "null", "a\nb", "010", "/bin/ls", "#x", "1.5"]
        writer.list("texts", texts)
        writer.section("empty") { _ in }
        let root = Substitution.applied(to: try #require(read(writer.text).node))
        guard case .mapping(let entries) = root.content, case .sequence(let elements) = entries[0].value.content else {
            Issue.record("not a list")
            return
        }
        let read = elements.map { node -> String in
            if case .scalar(let scalar) = node.content, scalar.resolved == .text { scalar.text } else { "not text" }
        }
        #expect(read == texts)
    }
}

extension Substitution {
    fileprivate static func applied(to node: YamlNode) -> YamlNode {
        var substitution = Substitution(environment: [:])
        return substitution.apply(to: node)
    }
}
