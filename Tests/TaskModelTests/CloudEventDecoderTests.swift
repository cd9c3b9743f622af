import Foundation
import Testing

@testable import TaskModel

@Suite("CloudEvent decoder")
struct CloudEventDecoderTests {
    private func read(_ value: String, _ headers: [RecordHeader] = []) throws -> TaskEvent {
        try TaskEvent(key: nil, value: Array(value.utf8), headers: RecordHeaders(headers), place: somewhere)
    }

    private func refusal(_ value: String, _ headers: [RecordHeader]) -> String? {
        do {
            _ = try read(value, headers)
            return nil
        } catch {
            return (error as? EventDecodingError)?.description ?? "\(error)"
        }
    }

    @Test("a payload and the task's name are enough", arguments: ["task", "ce_subject"])
    func shortForm(_ name: String) throws {
        let event = try read("hello", [RecordHeader(name, "mail")])
        #expect(event.task == "mail")
        #expect(event.payload == Array("hello".utf8))
        #expect(event.fingerprint == Fingerprint(.place(topic: somewhere.topic, partition: 3, offset: 42)))
        #expect(event.coordinate == Coordinate(fingerprint: event.fingerprint, replay: 0, turn: 1))
        #expect(event.id == "tidemill.due.default[3]@42" && event.source == "kafka")
        #expect(event.extraHeaders.isEmpty)
    }

    @Test("without a value the payload is empty") func noValue() throws {
        let event = try TaskEvent(key: nil, value: nil, headers: [RecordHeader("task", "t")], place: somewhere)
        #expect(event.payload.isEmpty)
    }

    @Test("source and id are the identity when both are there") func identity() throws {
        let headers = [RecordHeader("ce_subject", "t"), RecordHeader("ce_id", "7"), RecordHeader("ce_source", "shop")]
        #expect(try read("", headers).fingerprint == Fingerprint(.event(source: "shop", id: "7")))
        let alone = try read("", Array(headers[..<2]))
        #expect(alone.fingerprint == Fingerprint(.place(topic: somewhere.topic, partition: 3, offset: 42)))
        #expect(alone.id == "7")
    }

    @Test(
        "a bad header is named",
        arguments: [
            ("ce_specversion", "0.3", "header ce_specversion is \"0.3\""),
            ("ce_fingerprint", "abc", "header ce_fingerprint is \"abc\"; it must be 32 hex digits"),
            ("ce_replay", "-1", "header ce_replay is \"-1\"; it must be a whole number"),
            ("ce_turn", "x", "header ce_turn is \"x\"; it must be a whole number"),
            ("ce_turn", "0", "ce_turn, ce_attempt, ce_standsfor and ce_overlaplimit count from 1"),
            ("ce_turn", "2147483648", "header ce_turn is \"2147483648\"; it must be a whole number up to 2147483647"),
            ("ce_attempt", "1.5", "header ce_attempt is"), ("ce_attempt", "0", "ce_attempt"),
            ("ce_attempt", "4294967295", "header ce_attempt is"), ("ce_standsfor", "0", "ce_standsfor"),
            ("ce_standsfor", "", "header ce_standsfor is"), ("ce_time", "now", "header ce_time is \"now\""),
            ("ce_dueat", "2026-13-01T00:00:00Z", "header ce_dueat is"),
            ("ce_firstdueat", "1", "header ce_firstdueat is"),
            ("ce_expiresat", "soon", "header ce_expiresat is"), ("ce_nominaltime", "", "header ce_nominaltime is"),
            ("ce_overlap", "queue", "\"queue\"; known are skip, buffer-one, buffer-all, cancel-other"),
            ("ce_overlaplimit", "0", "count from 1"), ("ce_overlaplimit", "all", "header ce_overlaplimit is \"all\""),
            ("ce_retrypolicy", "{}", "header ce_retrypolicy is not the JSON"),
            (
                "ce_retrypolicy", #"{"factor":0,"initial_ms":1,"jitter":0,"max_attempts":1,"max_ms":1}"#,
                "header ce_retrypolicy: factor must be at least 1"
            ),
            ("ce_history", "[]", "header ce_history is not the JSON"), ("ce_subject", "", "no header ce_subject"),
        ])
    func badHeaders(_ name: String, _ value: String, _ message: String) throws {
        let headers = [RecordHeader("ce_subject", "t"), RecordHeader(name, value)]
        let text = try #require(refusal("", headers))
        #expect(text.contains(message), "\(text)")
    }

    @Test("bytes that are no text are refused in our headers, and kept in others") func nonText() throws {
        let bad = RecordHeader("ce_id", [0xff])
        #expect(refusal("", [RecordHeader("task", "t"), bad]) == "header ce_id is not UTF-8 text")
        #expect(
            refusal("", [RecordHeader("task", "t"), RecordHeader("Content-Type", nil)])?.contains("Content-Type")
                == true)
        let kept = [RecordHeader("x-trace", [0xff, 0]), RecordHeader("x-trace", nil), RecordHeader("", [])]
        #expect(try read("", [RecordHeader("task", "t")] + kept).extraHeaders == kept)
    }

    @Test("unknown attributes are kept") func unknownAttributes() throws {
        let event = try read(
            "", [RecordHeader("ce_subject", "t"), RecordHeader("ce_zone", "eu"), RecordHeader("ce_a", "")])
        #expect(event.extraHeaders == [RecordHeader("ce_a", ""), RecordHeader("ce_zone", "eu")])
    }

    @Test("a long bad value is cut in the message") func longValues() throws {
        let text = refusal(
            "", [RecordHeader("task", "t"), RecordHeader("ce_turn", String(repeating: "9", count: 9000))])
        #expect(try #require(text).utf8.count < 200)
    }

    @Suite("structured mode")
    struct Structured {
        private let structured = RecordHeader("Content-Type", "application/cloudevents+json; charset=utf-8")

        private func read(_ json: String, _ headers: [RecordHeader]) throws -> TaskEvent {
            try TaskEvent(key: nil, value: Array(json.utf8), headers: RecordHeaders(headers), place: somewhere)
        }

        @Test("the payload is the bytes of data, as they lie there") func data() throws {
            let event = try read(
                #"""
                {"specversion": "1.0", "id": "7", "source": "shop", "type": "x", "subject": "mail", "turn": 3,
                 "data": {"b": 1.50,  "a": 12345678901234567890123 }, "dueat": "2026-11-21T09:30:00Z",
                 "flag": true, "nothing": null, "partitionkey": "c"}
                """#, [structured, RecordHeader("x-kept", [1]), RecordHeader("ce_dropped", "1")])
            #expect(event.task == "mail" && event.id == "7" && event.turn == 3 && event.partitionKey == "c")
            #expect(event.payload == Array(#"{"b": 1.50,  "a": 12345678901234567890123 }"#.utf8))
            #expect(event.contentType == "application/json")
            #expect(event.dueAt?.milliseconds == 1_795_253_400_000)
            #expect(event.fingerprint == Fingerprint(.event(source: "shop", id: "7")))
            #expect(event.extraHeaders == [RecordHeader("ce_flag", "true"), RecordHeader("x-kept", [1])])
        }

        @Test("what it is without the header: an object with specversion and no task named") func unmarked() throws {
            #expect(try read(#" {"specversion":"1.0","subject":"mail"}"#, []).task == "mail")
            let payload = #"{"specversion":"1.0","subject":"mail"}"#
            let named = try read(payload, [RecordHeader("task", "other")])
            #expect(named.task == "other" && named.payload == Array(payload.utf8))
        }

        @Test(
            "data of other types",
            arguments: [
                (#""data_base64":"AAH/""#, nil, [0, 1, 255]),
                (#""datacontenttype":"image/png","data_base64":"AAH/""#, "image/png", [0, 1, 255]),
                (#""datacontenttype":"text/plain","data":"a\nb""#, "text/plain", Array("a\nb".utf8)),
                (
                    #""datacontenttype":"Application/X+JSON; v=1","data":"a""#, "Application/X+JSON; v=1",
                    Array(#""a""#.utf8)
                ),
                (#""data":"a""#, "application/json", Array(#""a""#.utf8)),
                (#""data":null"#, "application/json", Array("null".utf8)), (#""x":"y""#, nil, []),
            ] as [(String, String?, [UInt8])])
        func types(_ members: String, _ contentType: String?, _ payload: [UInt8]) throws {
            let event = try read(#"{"specversion":"1.0","subject":"t",\#(members)}"#, [structured])
            #expect(event.payload == payload)
            #expect(event.contentType == contentType)
        }

        @Test(
            "what is none is refused with its reason",
            arguments: [
                ("", "not a JSON object"), ("[]", "not a JSON object"), ("{", "not a JSON object"),
                (#"{"specversion":"1.0"}"#, "ce_subject"), (#"{"subject":"t","specversion":"2"}"#, "ce_specversion"),
                (#"{"subject":"t","ext":{}}"#, "member ext"), (#"{"subject":"t","ext":[1]}"#, "member ext"),
                (#"{"subject":"t","data_base64":"*"}"#, "member data_base64"),
                (#"{"subject":"t","data_base64":1}"#, "member data_base64"),
                (#"{"subject":"t","turn":1.5}"#, "ce_turn"), (#"{"subject":"t","turn":true}"#, "ce_turn"),
                (#"{"subject":"t","datacontenttype":1}"#, "member datacontenttype"),
            ])
        func refuses(_ json: String, _ reason: String) {
            #expect(throws: EventDecodingError.self) { try read(json, [structured]) }
            do { _ = try read(json, [structured]) } catch { #expect("\(error)".contains(reason), "\(error)") }
        }

        @Test("an event written as structured JSON by somebody else is the same event") func sameEvent() throws {
            var generate = Generate(seed: 21)
            for _ in 0..<500 {
                var event = generate.event()
                event.extraHeaders = []
                var object: [String: String] = [
                    "specversion": "1.0", "data_base64": Data(event.payload).base64EncodedString(),
                ]
                for header in event.encoded().headers where header.name.hasPrefix("ce_") {
                    object[String(header.name.dropFirst(3))] = header.text
                }
                object["datacontenttype"] = event.contentType
                let json = String(decoding: CanonicalJSON.encode(object), as: UTF8.self)
                #expect(try read(json, [structured]) == event)
            }
        }
    }
}
