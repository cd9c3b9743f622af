import Testing

@testable import TaskModel

/// Random and mutated bytes for every decoder: an error or a value, never a crash; and what was read is written readably.
@Suite("Fuzz")
struct FuzzTests {
    /// For each of the five decoders.
    static let rounds = 40_000

    private func mutated(_ body: RecordBody, _ generate: inout Generate) -> RecordBody {
        var body = body
        var headers = Array(body.headers)
        switch generate.int(0...4) {
        case 0: body.key = body.key.map { generate.mutated($0) }
        case 1: body.value = body.value.map { generate.mutated($0) }
        case 2 where !headers.isEmpty: headers.remove(at: generate.int(0...headers.count - 1))
        case 3 where !headers.isEmpty:
            let from = headers[generate.int(0...headers.count - 1)]
            headers[generate.int(0...headers.count - 1)].value = from.value
        default:
            guard !headers.isEmpty else { break }
            let index = generate.int(0...headers.count - 1)
            headers[index].value = headers[index].value.map { generate.mutated($0) }
        }
        body.headers = RecordHeaders(headers)
        return body
    }

    /// Mutations of one body after another, so that edits add up.
    private func bodies(
        _ generate: inout Generate, _ make: (inout Generate) -> RecordBody, _ check: (RecordBody) -> Void
    ) {
        var body = make(&generate)
        for round in 0..<Self.rounds {
            if round % 8 == 0 { body = make(&generate) }
            body = mutated(body, &generate)
            check(body)
        }
    }

    private func structured(_ generate: inout Generate) -> RecordBody {
        let event = generate.event()
        let members = event.encoded().headers.filter { $0.name.hasPrefix("ce_") }.map {
            "\"\($0.name.dropFirst(3))\":\(String(decoding: CanonicalJSON.encode($0.text ?? ""), as: UTF8.self))"
        }
        let json = "{" + (members + [#""data":{"a":[1,2.5e3,"x"]}"#]).joined(separator: ",") + "}"
        return RecordBody(
            key: nil, value: Array(json.utf8),
            headers: [RecordHeader("content-type", "application/cloudevents+json")])
    }

    @Test("events") func events() {
        var generate = Generate(seed: 100)
        var read = 0
        bodies(&generate) {
            $0.chance(0.3) ? structured(&$0) : $0.event().encoded()
        } _: { body in
            guard
                let event = try? TaskEvent(key: body.key, value: body.value, headers: body.headers, place: somewhere)
            else { return }
            read += 1
            let again = event.encoded()
            let second = try? TaskEvent(key: again.key, value: again.value, headers: again.headers, place: somewhere)
            #expect(second == event)
            // Whatever a record claims, its next turn can be made.
            let detail = OutcomePolicy().outcome(
                of: .failed(code: "c", message: "m"), event: event, firstDue: event.firstDueAt ?? .epoch,
                startedAt: nil, now: .distantFuture)
            let decision = Decision(
                coordinate: event.coordinate, attempt: event.attempt, worker: "w", laneHash: nil, detail: detail)
            #expect(decision.nextTurn(of: event, recordTime: .epoch).turn == event.turn + 1)
        }
        #expect(read > Self.rounds / 10 && read < Self.rounds)
    }

    @Test("waiting events") func waiting() {
        var generate = Generate(seed: 101)
        var read = 0
        bodies(&generate) {
            $0.waiting().encoded()
        } _: { body in
            _ = RetryKey(body.key)
            guard
                let value = try? WaitingEvent(key: body.key, value: body.value, headers: body.headers, place: somewhere)
            else { return }
            read += 1
            let again = value.encoded()
            #expect(
                (try? WaitingEvent(key: again.key, value: again.value, headers: again.headers, place: somewhere))
                    == value)
            _ = value.dueTime(recordedAt: .distantFuture)
        }
        #expect(read > Self.rounds / 10 && read < Self.rounds)
    }

    @Test("dead letters and their marks") func dead() {
        var generate = Generate(seed: 102)
        var read = 0
        bodies(&generate) {
            $0.dead().encoded()
        } _: { body in
            guard
                let value = try? DeadTopicRecord(
                    key: body.key, value: body.value, headers: body.headers, place: somewhere)
            else { return }
            read += 1
            let again = value.encoded()
            #expect(
                (try? DeadTopicRecord(key: again.key, value: again.value, headers: again.headers, place: somewhere))
                    == value)
        }
        #expect(read > Self.rounds / 20 && read < Self.rounds)
    }

    @Test("ledger values") func ledger() {
        var generate = Generate(seed: 103)
        var fold = LedgerFold(maximumEntries: 1000)
        var read = 0
        for round in 0..<Self.rounds {
            let record = generate.ledgerRecord()
            let value = generate.chance(0.2) ? generate.bytes(0...60) : generate.mutated(record.encoded())
            let fingerprint = Fingerprint(high: 0, low: UInt64(generate.int(0...50)))
            guard let result = try? LedgerRecord(fingerprint: fingerprint, value: value) else { continue }
            read += 1
            #expect((try? LedgerRecord(fingerprint: fingerprint, value: result.encoded())) == result)
            _ = fold.apply(result, time: generate.chance(0.01) ? .distantFuture : generate.time())
            _ = fold.judge(result.coordinate)
            if round % 1000 == 0 { _ = fold.evict(before: generate.time(), refreshBefore: generate.time()) }
        }
        #expect(read > Self.rounds / 10 && read < Self.rounds)
    }

    @Test("commit metadata") func metadata() {
        var generate = Generate(seed: 104)
        let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=".utf8)
        var read = 0
        for _ in 0..<Self.rounds {
            let offset =
                generate.chance(0.1) ? Int64.max - Int64(generate.int(0...9)) : Int64(generate.int(0...1_000_000))
            let holes = (0..<generate.int(0...9)).map { min(offset, .max - 10_000) + Int64($0 * 300) }
            let whole = CommitMetadata(highMark: min(offset, .max - 10_000) + 9000, holes: holes, isClean: true)
                .encoded(offset: min(offset, .max - 10_000))
            let isMutated = generate.chance(0.5)
            let noise: [UInt8] = (0..<generate.int(0...40)).map { _ in digits[generate.int(0...64)] }
            let text = isMutated ? generate.mutated(Array(whole.utf8)) : Array("AQA".utf8) + noise
            guard let value = CommitMetadata(offset: offset, metadata: String(decoding: text, as: UTF8.self)) else {
                continue
            }
            read += 1
            #expect(value.highMark >= offset && value.holes.allSatisfy { $0 >= offset && $0 < value.highMark })
            #expect(value.holes == value.holes.sorted() && Set(value.holes).count == value.holes.count)
            #expect(CommitMetadata(offset: offset, metadata: value.encoded(offset: offset)) == value)
        }
        #expect(read > 1000 && read < Self.rounds)
    }

    @Test("JSON") func json() {
        var generate = Generate(seed: 105)
        for _ in 0..<10_000 {
            let text = generate.mutated(CanonicalJSON.encode(generate.history()))
            guard let form = CanonicalJSON.canonical(text) else { continue }
            #expect(CanonicalJSON.canonical(form) == form)
        }
    }
}
