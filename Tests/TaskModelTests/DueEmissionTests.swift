import Testing

@testable import TaskModel

@Suite("DueEmission")
struct DueEmissionTests {
    private let recorded = Timestamp(milliseconds: 1_000_000)

    private func emission(_ body: RecordBody) throws -> DueEmission {
        try DueEmission(
            key: body.key, value: body.value, headers: body.headers, place: somewhere, recordedAt: recorded)
    }

    @Test("its record is that of the event, due when it is") func sameEvent() throws {
        var generate = Generate(seed: 61)
        for _ in 0..<2000 {
            let waiting = generate.waiting()
            let emission = try emission(waiting.encoded())
            var event = waiting.event
            event.dueAt = waiting.dueTime(recordedAt: recorded)
            // Years beyond 9999 are clamped where they are written.
            event.dueAt = event.dueAt.flatMap { Timestamp(rfc3339: $0.rfc3339) }
            #expect(emission.coordinate == event.coordinate)
            #expect(emission.queue == waiting.queue)
            #expect(emission.due == waiting.dueTime(recordedAt: recorded))
            #expect(emission.body.key == event.recordKey)
            #expect(try emission.event(place: somewhere) == event)
            #expect(!emission.body.headers.contains { $0.name.hasPrefix("tidemill_") })
            #expect(emission.body.headers.count { $0.name == "ce_dueat" } == 1)
        }
    }

    @Test("what does not say all of itself is encoded anew, so that it stays the same work") func incomplete() throws {
        var generate = Generate(seed: 62)
        let waiting = generate.waiting()
        var body = waiting.encoded()
        body.headers = body.headers.without(["ce_id"])
        let emission = try emission(body)
        let elsewhere = RecordPlace(topic: "elsewhere", partition: 9, offset: 9)
        #expect(try emission.event(place: elsewhere).id == somewhere.description)
        #expect(try emission.event(place: elsewhere).fingerprint == waiting.event.fingerprint)
    }
}
