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
    func longest(length: Int) throws {
        let text = String(repeating: "x", count: max(1, length))
        var event = TaskEvent(
            id: text, source: text, task: text, payload: [], contentType: text,
            fingerprint: Fingerprint(high: .max, low: .max))
        (event.replay, event.turn, event.attempt) = (2_147_483_647, 2_147_483_647, 2_147_483_647)
        event.publishedAt = Timestamp(milliseconds: 253_402_300_799_999)
        event.dueAt = event.publishedAt
        let body = event.encoded()
        #expect(body.headers.count == 12)
        #expect(try TaskEvent(key: body.key, value: body.value, headers: body.headers, place: somewhere) == event)
        event.expiresAt = Timestamp(milliseconds: 1)
        let longer = event.encoded().headers
        #expect(Array(longer.prefix(12)) == Array(body.headers) && longer.count == 13)
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
