import Foundation
import Testing

@testable import TaskModel

@Suite("DeadLetter")
struct DeadLetterTests {
    private func read(_ body: RecordBody) throws -> DeadTopicRecord {
        try DeadTopicRecord(key: body.key, value: body.value, headers: body.headers, place: somewhere)
    }

    @Test("letters and marks are read back exactly") func roundTrip() throws {
        var generate = Generate(seed: 40)
        for _ in 0..<2000 {
            let record = generate.dead()
            #expect(try read(record.encoded()) == record)
        }
    }

    @Test("the outline says what the whole letter says; a mark has none") func outlines() throws {
        var generate = Generate(seed: 42)
        for _ in 0..<2000 {
            let record = generate.dead()
            let body = record.encoded()
            let outline = DeadLetterOutline(key: body.key, headers: body.headers)
            guard case .letter(let letter) = record else {
                #expect(outline == nil)
                continue
            }
            #expect(outline?.key == DeadLetterKey(fingerprint: letter.event.fingerprint, replay: letter.event.replay))
            #expect(outline?.task == letter.event.task && outline?.queue == letter.queue)
            #expect(outline?.reason == letter.reason)
        }
    }

    @Test("a letter and its marks have one key") func keys() {
        var generate = Generate(seed: 41)
        let event = generate.event()
        let letter = DeadLetter(event: event, queue: "q", reason: .fatal, place: somewhere)
        #expect(
            DeadLetterKey(letter.encoded().key) == DeadLetterKey(fingerprint: event.fingerprint, replay: event.replay))
        #expect(DeadLetterKey(Array("\(event.fingerprint)/1/2".utf8)) == nil)
        #expect(DeadLetterKey(Array("\(event.fingerprint)/x".utf8)) == nil)
        #expect(DeadLetterKey(nil) == nil && DeadLetterKey([0xff]) == nil)
    }

    @Test("a record that could not be read is kept whole: value, key and headers, in bytes") func undecodable() throws {
        let place = RecordPlace(topic: "tidemill.due.default", partition: 1, offset: 5)
        var event = TaskEvent(
            id: place.description, source: "kafka", task: "", payload: [0xff, 0, 1],
            fingerprint: Fingerprint(.place(topic: place.topic, partition: 1, offset: 5)))
        event.history.append(
            AttemptFailure(attempt: 1, turn: 1, replay: 0, at: .epoch, worker: "w", code: "undecodable", message: "m"))
        let raw = DeadLetter.RawRecord(
            key: [0xfe], headers: [RecordHeader("ce_turn", [0xff]), RecordHeader("tidemill_kind", nil)],
            problem: "header ce_turn is not UTF-8 text")
        let letter = DeadLetter(event: event, queue: "default", reason: .undecodable, place: place, raw: raw)
        guard case .letter(let read) = try read(letter.encoded().self) else {
            Issue.record("no letter")
            return
        }
        #expect(read == letter)
        #expect(read.event.payload == [0xff, 0, 1])
        #expect(read.raw?.key == Data([0xfe]))
        #expect(read.raw?.headers.map(\.value) == [Data([0xff]), nil])
    }

    @Test("a publisher's headers of our names do not speak for the letter") func impostors() throws {
        var generate = Generate(seed: 42)
        var event = generate.event()
        event.extraHeaders = [
            RecordHeader("tidemill_raw", #"{"headers":[]}"#), RecordHeader("tidemill_kind", "discarded"),
            RecordHeader("tidemill_reason", "x"), RecordHeader("x-kept", "1"),
        ]
        let letter = DeadLetter(event: event, queue: "q", reason: .tooOld, place: somewhere)
        guard case .letter(let read) = try read(letter.encoded()) else {
            Issue.record("no letter")
            return
        }
        #expect(read.raw == nil && read.reason == .tooOld)
        #expect(read.event.extraHeaders == [RecordHeader("x-kept", "1")])
    }

    @Test(
        "what is wrong is named",
        arguments: [
            ("tidemill_kind", "x", "tidemill_kind"), ("tidemill_kind", nil, "tidemill_kind"),
            ("tidemill_reason", "bored", "tidemill_reason"), ("tidemill_place", "{}", "tidemill_place"),
            ("tidemill_place", nil, "tidemill_place"), ("ce_fingerprint", "x", "ce_fingerprint"),
        ] as [(String, String?, String)])
    func refuses(_ name: String, _ value: String?, _ reason: String) {
        var generate = Generate(seed: 43)
        var body = DeadLetter(event: generate.event(), queue: "q", reason: .fatal, place: somewhere).encoded()
        body.headers = body.headers.without([name])
        if let value { body.headers.append(RecordHeader(name, value)) }
        do {
            _ = try read(body)
            Issue.record("\(name) was read")
        } catch {
            #expect("\(error)".contains(reason), "\(error)")
        }
    }

    @Test("a mark without its JSON, or a record without its key, is refused") func badMarks() {
        let key = Array("0000000000000000000000000000000a/0".utf8)
        let kind: RecordHeaders = [RecordHeader("tidemill_kind", "replayed")]
        #expect(throws: EventDecodingError.self) {
            try DeadTopicRecord(key: key, value: nil, headers: kind, place: somewhere)
        }
        #expect(throws: EventDecodingError.self) {
            try DeadTopicRecord(key: nil, value: Array("{}".utf8), headers: kind, place: somewhere)
        }
    }

    @Test("replayed is below discarded and resolved, which are equal") func markOrder() {
        #expect(DeadLetterMark.Kind.replayed < .discarded)
        #expect(DeadLetterMark.Kind.replayed < .resolved)
        #expect(!(DeadLetterMark.Kind.discarded < .resolved) && !(DeadLetterMark.Kind.resolved < .discarded))
    }

    @Suite("size")
    struct Size {
        private static let due = 1024 * 1024
        private static let allowance = 256 * 1024

        private func size(_ body: RecordBody) -> Int {
            body.headers.reduce((body.key?.count ?? 0) + (body.value?.count ?? 0)) {
                $0 + $1.name.utf8.count + ($1.value?.count ?? 0)
            }
        }

        /// Text that JSON writes six times as long.
        private let control = String(repeating: "\u{1}", count: 100_000)

        @Test("an event as large as a due topic takes still fits when it has failed until it died") func failures() {
            var event = TaskEvent(
                id: String(repeating: "i", count: 200), source: "s", task: "t", payload: [],
                fingerprint: Fingerprint(high: 1, low: 1))
            event.partitionKey = String(repeating: "k", count: 1000)
            event.retryPolicy = RetryPolicy(maxAttempts: 40)
            event.payload = [UInt8](repeating: 7, count: Self.due - size(event.encoded()))
            #expect(size(event.encoded()) == Self.due)

            var time = Timestamp(seconds: 1_800_000_000)
            var decision: Decision?
            while decision?.detail.outcome != .dead {
                if let decision {
                    event = decision.nextTurn(of: event, recordTime: time)
                    let waiting = WaitingEvent(event: event, queue: String(repeating: "q", count: 100), due: .at(time))
                    #expect(size(waiting.encoded()) <= Self.due + Self.allowance)
                    #expect(size(event.encoded()) <= Self.due + Self.allowance)
                }
                time = time + 1000
                let detail = OutcomePolicy().outcome(
                    of: .failed(code: control, message: control), event: event, firstDue: time, startedAt: time,
                    now: time)
                decision = Decision(
                    coordinate: event.coordinate, attempt: event.attempt, worker: control, laneHash: nil,
                    detail: detail)
                #expect(decision!.record.encoded().count < 8 * 1024)
            }
            #expect(event.attempt == 40)
            let letter = DeadLetter(
                event: decision!.lastTurn(of: event), queue: String(repeating: "q", count: 100),
                reason: .attemptsExhausted, place: RecordPlace(topic: "t", partition: .max, offset: .max))
            #expect(letter.event.history.failures.count == 16)
            #expect(size(letter.encoded()) <= Self.due + Self.allowance)
        }

        @Test(
            "so does a record that cannot be read, wherever its bytes are",
            arguments: ["value", "key", "one header", "names", "many headers", "empty headers"])
        func undecodable(_ shape: String) throws {
            let all = Self.due
            var value: [UInt8] = []
            var key: [UInt8]?
            var headers: [RecordHeader] = []
            switch shape {
            case "value": value = [UInt8](repeating: 0xff, count: all)
            case "key": key = [UInt8](repeating: 0xff, count: all)
            case "one header": headers = [RecordHeader("h", [UInt8](repeating: 0xff, count: all))]
            case "names": headers = (0..<all / 100_000).map { _ in RecordHeader(control, nil) }
            case "many headers":
                headers = (0..<all / 1001).map { _ in RecordHeader("h", [UInt8](repeating: 1, count: 1000)) }
            default: headers = (0..<all / 7).map { _ in RecordHeader("", nil) }
            }
            let event = TaskEvent(
                id: "1", source: "kafka", task: "", payload: value, fingerprint: Fingerprint(high: 1, low: 1))
            let raw = DeadLetter.RawRecord(key: key, headers: RecordHeaders(headers), problem: control)
            let letter = DeadLetter(event: event, queue: "q", reason: .undecodable, place: somewhere, raw: raw)
            #expect(size(letter.encoded()) <= Self.due + Self.allowance)
            #expect(raw.headers.count + (raw.omittedHeaders ?? 0) == headers.count)
        }
    }
}
