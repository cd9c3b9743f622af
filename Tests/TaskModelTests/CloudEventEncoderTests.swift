import Foundation
import Testing

@testable import TaskModel

@Suite("CloudEvent encoder")
struct CloudEventEncoderTests {
    @Test("every event is read back exactly") func roundTrip() throws {
        var generate = Generate(seed: 20)
        for _ in 0..<3000 {
            let event = generate.event()
            let body = event.encoded()
            let read = try TaskEvent(key: body.key, value: body.value, headers: body.headers, place: somewhere)
            #expect(read == event)
            #expect(read.encoded() == body)
        }
    }

    @Test("there is room for the longest of each attribute", arguments: [0, 1, 126, 127, 128, 16_383, 300_000])
    func longest(length: Int) {
        let text = String(repeating: "x", count: length)
        var event = TaskEvent(
            id: text, source: text, task: text, payload: [], contentType: text,
            fingerprint: Fingerprint(high: .max, low: .max))
        (event.replay, event.turn, event.attempt) = (.max, .max - 1, .max - 2)
        event.publishedAt = Timestamp(milliseconds: 253_402_300_799_999)
        event.dueAt = event.publishedAt
        let expected = [
            RecordHeader("ce_specversion", "1.0"), RecordHeader("ce_id", text), RecordHeader("ce_source", text),
            RecordHeader("ce_type", "tidemill.task.due"), RecordHeader("ce_subject", text),
            RecordHeader("ce_fingerprint", String(repeating: "f", count: 32)), RecordHeader("content-type", text),
            RecordHeader("ce_time", "9999-12-31T23:59:59.999Z"), RecordHeader("ce_replay", "4294967295"),
            RecordHeader("ce_turn", "4294967294"), RecordHeader("ce_attempt", "4294967293"),
            RecordHeader("ce_dueat", "9999-12-31T23:59:59.999Z"),
        ]
        #expect(event.encoded().headers == RecordHeaders(expected))
        event.isForwarded = true
        #expect(event.encoded().headers == RecordHeaders(expected + [RecordHeader("ce_forwarded", "1")]))
    }

    @Test("what has its default is not written") func defaults() throws {
        let event = TaskEvent(
            id: "1", source: "shop", task: "mail", payload: [1, 2], fingerprint: Fingerprint(high: 0, low: 255))
        let body = event.encoded()
        #expect(body.value == [1, 2])
        #expect(body.key == Fingerprint(high: 0, low: 255).bytes)
        #expect(
            body.headers == [
                RecordHeader("ce_specversion", "1.0"), RecordHeader("ce_id", "1"), RecordHeader("ce_source", "shop"),
                RecordHeader("ce_type", "tidemill.task.due"), RecordHeader("ce_subject", "mail"),
                RecordHeader("ce_fingerprint", "000000000000000000000000000000ff"),
            ])
    }

    @Test("a lane is the record's key") func lane() {
        var event = TaskEvent(
            id: "1", source: "s", task: "t", payload: [], fingerprint: Fingerprint(high: 1, low: 2))
        #expect(event.laneHash == nil)
        event.partitionKey = "customer-7"
        #expect(event.encoded().key == Array("customer-7".utf8))
        #expect(event.laneHash == Murmur2.hash(Array("customer-7".utf8)))
    }

    @Test("a payload that is itself a structured event stays the payload") func envelopeAsPayload() throws {
        let payload = Array(#"{"specversion":"1.0","id":"inner","source":"s","subject":"other","type":"t"}"#.utf8)
        let event = TaskEvent(
            id: "outer", source: "s", task: "forward", payload: payload, contentType: "application/cloudevents+json",
            fingerprint: Fingerprint(high: 3, low: 4))
        let body = event.encoded()
        #expect(try TaskEvent(key: body.key, value: body.value, headers: body.headers, place: somewhere) == event)
    }
}
