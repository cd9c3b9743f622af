import Testing

@testable import TaskModel

@Suite("JSONValue")
struct JSONValueTests {
    @Test("a value knows where it lay") func ranges() throws {
        let text = Array(#"{ "a" : [1, 2.50 ] ,"b":"x\n" }"#.utf8)
        let members = try #require(JSONValue(text)?.members)
        #expect(String(decoding: text[members["a"]!.range], as: UTF8.self) == "[1, 2.50 ]")
        #expect(String(decoding: text[members["b"]!.range], as: UTF8.self) == #""x\n""#)
        #expect(members["b"]?.content == .string("x\n"))
        #expect(members["c"] == nil)
    }

    @Test("numbers keep their digits, and only an object has members") func contents() {
        #expect(JSONValue(Array("-12.500e+3".utf8))?.content == .number("-12.500e+3"))
        #expect(JSONValue(Array("[]".utf8))?.members == nil)
    }
}
