import Foundation
import Testing

@testable import TaskModel

@Suite("CanonicalJSON")
struct CanonicalJSONTests {
    private func canonical(_ text: String) -> String? {
        CanonicalJSON.canonical(Array(text.utf8)).map { String(decoding: $0, as: UTF8.self) }
    }

    @Test(
        "equal values have one form",
        arguments: [
            (" { \"b\" : [ 1 , 2 ] , \"a\" : null } ", #"{"a":null,"b":[1,2]}"#),
            (#"{"a10":1,"a9":2,"A":3,"a":4,"é":5,"😀":6,"ﬃ":7}"#, #"{"A":3,"a":4,"a10":1,"a9":2,"é":5,"😀":6,"ﬃ":7}"#),
            (#"{"a":1,"a":2}"#, #"{"a":2}"#), (#""\u00e9\/\u0001\n\u007f\ud83d\ude00""#, "\"é/\\u0001\\n\u{7f}😀\""),
            ("[]", "[]"), ("{}", "{}"), ("true", "true"), ("\u{feff}1", "1"),
            ("[1.0,1e2,-0,-0.0,0.5,1e-7,1E+21,123e18]", "[1,100,0,0,0.5,1e-7,1e+21,123000000000000000000]"),
            (
                "[0.000001,1.5e-9,5e-324,1.7976931348623157e308,-12.50]",
                "[0.000001,1.5e-9,5e-324,1.7976931348623157e+308,-12.5]"
            ),
            (
                "[9007199254740993,123456789012345678901234567890,1e999]",
                "[9007199254740993,123456789012345678901234567890,1e999]"
            ),
        ])
    func forms(_ text: String, _ expected: String) {
        #expect(canonical(text) == expected)
        #expect(canonical(expected) == expected)
    }

    @Test(
        "what is not JSON has none",
        arguments: [
            "", " ", "{", "[1,]", "{\"a\":1,}", "01", "1.", ".5", "+1", "1e", "'a'", "\"\n\"", #""\x""#, #""\ud800""#,
            #""\udc00""#, "nul", "[1] 2", "NaN", "{1:2}", #"{"a" 1}"#, "\"", #""\u12g4""#, #"{"a":}"#,
        ])
    func refuses(_ text: String) { #expect(canonical(text) == nil) }

    @Test("bytes that are not UTF-8, and texts without end of nesting, are refused") func hostile() {
        #expect(CanonicalJSON.canonical([0x22, 0xff, 0x22]) == nil)
        #expect(canonical(String(repeating: "[", count: 1_000_000)) == nil)
        #expect(canonical(String(repeating: "{\"a\":", count: 1_000_000)) == nil)
        let deepest = String(repeating: "[", count: 257) + String(repeating: "]", count: 257)
        #expect(canonical(deepest) == deepest)
        #expect(canonical("[" + deepest + "]") == nil)
    }

    @Test("a double's form is the very same double") func doubles() throws {
        var generate = Generate(seed: 10)
        for _ in 0..<5000 {
            let value = Double(bitPattern: generate.random.next())
            guard value.isFinite else { continue }
            let form = try #require(canonical(value.description))
            #expect(Double(form) == value, "\(value) as \(form)")
        }
    }

    @Test("Foundation reads in the form what it reads in the text") func agrees() throws {
        var generate = Generate(seed: 9)
        for _ in 0..<2000 {
            let text = Self.json(&generate, depth: 0)
            let form = try #require(CanonicalJSON.canonical(Array(text.utf8)), "\(text)")
            let left = try JSONSerialization.jsonObject(with: Data(text.utf8), options: [.fragmentsAllowed])
            let right = try JSONSerialization.jsonObject(with: Data(form), options: [.fragmentsAllowed])
            #expect(Self.same(left, right), "\(text)")
            #expect(CanonicalJSON.canonical(form) == form)
        }
    }

    @Test(
        "a name that is no text is an error, not the end of the process",
        arguments: [#"{"\ud800":1}"#, "{\"~\":1}", #"{"a":{"\udc00":"x"}}"#, "{\"a\":\"~\"}", "~", ""])
    func decodesHostileNames(_ text: String) {
        // `~` stands for a byte that no UTF-8 has.
        let bytes = text.utf8.map { $0 == UInt8(ascii: "~") ? 0xff : $0 }
        #expect(throws: DecodingError.self) { try CanonicalJSON.decode([String: Int].self, from: bytes) }
        #expect(throws: DecodingError.self) { try CanonicalJSON.decode(FailureHistory.self, from: bytes) }
    }

    private static func same(_ left: Any, _ right: Any) -> Bool {
        switch (left, right) {
        case (let left as [Any], let right as [Any]):
            left.count == right.count && zip(left, right).allSatisfy { same($0, $1) }
        case (let left as [String: Any], let right as [String: Any]):
            left.count == right.count && left.allSatisfy { name, value in right[name].map { same(value, $0) } == true }
        // Foundation reads numbers with an exponent through a decimal, and is then off by the last bit.
        case (let left as NSNumber, let right as NSNumber):
            abs(left.doubleValue - right.doubleValue) <= abs(left.doubleValue) * 1e-15
        default: (left as? NSObject) == (right as? NSObject)
        }
    }

    private static func json(_ generate: inout Generate, depth: Int) -> String {
        switch generate.int(0...(depth > 3 ? 4 : 6)) {
        case 0: return ["true", "false", "null"][generate.int(0...2)]
        case 1: return String(Int64.random(in: .min...(.max), using: &generate.random) >> Int64(generate.int(0...63)))
        case 2: return "\((generate.random.nextUnit() - 0.5) * pow(10, Double(generate.int(-20...20))))"
        case 3, 4: return String(decoding: CanonicalJSON.encode(generate.text()), as: UTF8.self)
        case 5:
            return "[ "
                + (0..<generate.int(0...4)).map { _ in json(&generate, depth: depth + 1) }.joined(separator: " ,")
                + "]"
        default:
            let members = (0..<generate.int(0...4)).map {
                "\"\($0)\(generate.int(0...9))\":" + json(&generate, depth: depth + 1)
            }
            return "{" + members.joined(separator: ", ") + "\n}"
        }
    }
}
