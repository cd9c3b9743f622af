import Testing

@testable import TaskModel

@Suite("WaitingEvent")
struct WaitingEventTests {
    private func read(_ body: RecordBody) throws -> WaitingEvent {
        try WaitingEvent(key: body.key, value: body.value, headers: body.headers, place: somewhere)
    }

    @Test("it is read back exactly, under its coordinate") func roundTrip() throws {
        var generate = Generate(seed: 30)
        for _ in 0..<2000 {
            let waiting = generate.waiting()
            let body = waiting.encoded()
            #expect(try read(body) == waiting)
            #expect(RetryKey(body.key) == .emission(waiting.event.coordinate))
        }
    }

    @Test("a delay counts from the broker's time of the record, an instant does not") func dueTime() {
        var generate = Generate(seed: 31)
        var waiting = generate.waiting()
        let recorded = Timestamp(milliseconds: 1000)
        waiting.due = .after(milliseconds: 250)
        #expect(waiting.dueTime(recordedAt: recorded).milliseconds == 1250)
        waiting.due = .after(milliseconds: .max)
        #expect(waiting.dueTime(recordedAt: recorded) == .distantFuture)
        waiting.due = .at(Timestamp(milliseconds: 7))
        #expect(waiting.dueTime(recordedAt: recorded).milliseconds == 7)
    }

    @Test("a publisher's headers of our names decide nothing") func impostors() throws {
        var generate = Generate(seed: 32)
        var waiting = generate.waiting()
        waiting.due = .after(milliseconds: 5)
        waiting.event.extraHeaders = [
            RecordHeader("tidemill_at", "9999-01-01T00:00:00Z"), RecordHeader("tidemill_queue", "/etc"),
            RecordHeader("tidemill_delay_ms", "-1"), RecordHeader("x-kept", "1"),
        ]
        let read = try read(waiting.encoded())
        #expect(read.due == .after(milliseconds: 5))
        #expect(read.queue == waiting.queue)
        #expect(read.event.extraHeaders == [RecordHeader("x-kept", "1")])
    }

    @Test(
        "what is missing or wrong is named",
        arguments: [
            ("tidemill_queue", nil, "tidemill_queue"), ("tidemill_queue", "a/b", "tidemill_queue"),
            ("tidemill_delay_ms", nil, "tidemill_delay_ms"), ("tidemill_delay_ms", "-1", "tidemill_delay_ms"),
            ("tidemill_delay_ms", "soon", "tidemill_delay_ms"), ("tidemill_at", "soon", "tidemill_at"),
        ] as [(String, String?, String)])
    func refuses(_ name: String, _ value: String?, _ reason: String) {
        var generate = Generate(seed: 33)
        var waiting = generate.waiting()
        waiting.due = .after(milliseconds: 5)
        var body = waiting.encoded()
        body.headers = body.headers.without([name])
        if let value { body.headers.append(RecordHeader(name, value)) }
        do {
            _ = try read(body)
            Issue.record("\(name): \(value ?? "nil") was read")
        } catch {
            #expect("\(error)".contains(reason))
        }
    }

    @Suite("RetryKey")
    struct RetryKeyTests {
        @Test("keys are read back") func roundTrip() {
            var generate = Generate(seed: 34)
            for _ in 0..<1000 {
                let emission = RetryKey.emission(generate.coordinate())
                let cancel = RetryKey.cancel(generate.fingerprint(), replay: generate.count(from: 0))
                #expect(RetryKey(emission.bytes) == emission)
                #expect(RetryKey(cancel.bytes) == cancel)
                #expect(cancel.fingerprint.hex == String(decoding: cancel.bytes.prefix(32), as: UTF8.self))
            }
        }

        @Test(
            "a key that a tombstone of ours would not reach is none",
            arguments: [
                "", "x", "0000000000000000000000000000000A/0/1", "0000000000000000000000000000000a/00/1",
                "0000000000000000000000000000000a/0/+1", "0000000000000000000000000000000a/cancel/01",
                "0000000000000000000000000000000a/cancel/", "0000000000000000000000000000000a/Cancel/1",
            ])
        func refuses(_ text: String) { #expect(RetryKey(Array(text.utf8)) == nil) }

        @Test("neither is a missing key, or one that is no text") func bytes() {
            #expect(RetryKey(nil) == nil)
            #expect(RetryKey([0xff, 0xfe]) == nil)
        }
    }
}
