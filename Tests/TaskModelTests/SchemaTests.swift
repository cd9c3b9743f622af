import Foundation
import Testing

@testable import TaskModel

/// The formats of `schemas/`: every sample is valid and read as it says, and what the code writes is valid.
@Suite("Schemas")
struct SchemaTests {
    /// A golden sample: one record as its bytes lie in a topic.
    struct Sample: Decodable {
        /// Text where it is text, base64 where it is not.
        struct Blob: Decodable {
            var text: String?
            var base64: Data?
            var bytes: [UInt8]? { text.map { Array($0.utf8) } ?? base64.map { [UInt8]($0) } }
        }
        struct Header: Decodable {
            var name: String
            var value: String?
        }
        var title: String
        /// The schema of its headers as one object, or of its value for `"of": "value"`.
        var schema: String
        var of: String?
        var key: Blob?
        var value: Blob?
        var headers: [Header]
        /// Whether our encoder writes these very bytes.
        var writes: Bool?
        var task: String?
        var fingerprint: String?
        var payload: Blob?

        var recordHeaders: [RecordHeader] { headers.map { RecordHeader($0.name, $0.value.map { Array($0.utf8) }) } }
    }

    static let samples = [
        "event-binary", "event-second-turn", "event-scheduled", "event-overlap", "event-short", "event-structured",
        "event-structured-base64", "retry-delay", "retry-at", "dead-letter", "dead-letter-undecodable", "dead-mark",
    ]

    private func validator(_ schema: String) throws -> SchemaValidator {
        SchemaValidator(root: try Schemas.object("\(schema).schema.json"))
    }

    private func object(_ headers: some Sequence<RecordHeader>) throws -> JSONValue {
        let object = Dictionary(headers.map { ($0.name, $0.text) }) { $1 }
        return try #require(JSONValue([UInt8](JSONEncoder().encode(object))))
    }

    private func check(_ headers: some Sequence<RecordHeader>, _ schema: String) throws {
        #expect(try validator(schema).problems(object(headers)) == [])
        for (name, part) in [("ce_history", "failure-history-v1"), ("ce_retrypolicy", "retry-policy-v1")] {
            guard let value = RecordHeaders(headers).last(named: name)?.value else { continue }
            #expect(try validator(part).problems(#require(JSONValue(value))) == [])
        }
    }

    @Test("a sample is valid, read as it says, and written byte for byte", arguments: samples)
    func golden(_ name: String) throws {
        let sample = try Schemas.decode(Sample.self, "samples/\(name).json")
        let value = sample.value?.bytes
        if sample.of == "value" {
            #expect(try validator(sample.schema).problems(#require(JSONValue(value ?? []))) == [])
        } else {
            try check(sample.recordHeaders, sample.schema)
        }
        let body = RecordBody(key: sample.key?.bytes, value: value, headers: RecordHeaders(sample.recordHeaders))
        let written: RecordBody
        switch name.prefix(5) {
        case "event":
            let event = try TaskEvent(key: body.key, value: body.value, headers: body.headers, place: somewhere)
            if let task = sample.task { #expect(event.task == task) }
            if let fingerprint = sample.fingerprint { #expect(event.fingerprint.hex == fingerprint) }
            if let payload = sample.payload { #expect(event.payload == payload.bytes) }
            written = event.encoded()
        case "retry":
            written = try WaitingEvent(key: body.key, value: body.value, headers: body.headers, place: somewhere)
                .encoded()
        default:
            written = try DeadTopicRecord(key: body.key, value: body.value, headers: body.headers, place: somewhere)
                .encoded()
        }
        if sample.writes == true { #expect(written == body) }
    }

    @Test("what the code writes is valid") func written() throws {
        var generate = Generate(seed: 110)
        for _ in 0..<60 {
            try check(generate.event().encoded().headers, "event-v1")
            try check(generate.waiting().encoded().headers, "retry-v1")
            let dead = generate.dead()
            switch dead {
            case .letter: try check(dead.encoded().headers, "dead-letter-v1")
            case .mark:
                let value = try #require(dead.encoded().value.flatMap { JSONValue($0) })
                #expect(try validator("dead-mark-v1").problems(value) == [])
            }
        }
    }

    @Test(
        "a schema refuses what it should",
        arguments: [
            ("event-v1", "{}"), ("event-v1", #"{"ce_subject":""}"#), ("event-v1", #"{"ce_subject":"t","task":"t"}"#),
            ("event-v1", #"{"ce_subject":"t","ce_turn":"x"}"#), ("event-v1", #"{"ce_subject":"t","ce_time":"now"}"#),
            ("event-v1", #"{"ce_subject":"t","ce_fingerprint":"12"}"#), ("event-v1", "[]"),
            ("task-event-v1", #"{"specversion":"1.0"}"#),
            ("task-event-v1", #"{"specversion":"1.0","subject":"t","x":{}}"#),
            ("retry-policy-v1", #"{"factor":0.5,"initial_ms":1,"max_ms":1,"jitter":0,"max_attempts":1}"#),
            ("retry-policy-v1", #"{"factor":1,"initial_ms":1.5,"max_ms":1,"jitter":0,"max_attempts":1}"#),
            ("retry-policy-v1", #"{"factor":1,"initial_ms":1,"max_ms":1,"jitter":2,"max_attempts":1}"#),
            ("failure-history-v1", #"{"failures":[{}],"omitted":0}"#), ("failure-history-v1", #"{"failures":[]}"#),
            ("dead-mark-v1", #"{"kind":"lost","by":"","reason":"","at":0}"#),
        ])
    func refuses(_ schema: String, _ json: String) throws {
        let value = try #require(JSONValue(Array(json.utf8)))
        #expect(try !validator(schema).problems(value).isEmpty)
    }

    @Test("a keyword that the validator does not know is a failure") func unknownKeyword() throws {
        let schema = try #require(JSONValue(Array(#"{"multipleOf":2}"#.utf8)))
        let value = try #require(JSONValue(Array("3".utf8)))
        #expect(!SchemaValidator(root: schema).problems(value).isEmpty)
    }
}
