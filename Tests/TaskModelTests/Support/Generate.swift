import Foundation

@testable import TaskModel

/// Random values of the model from a seeded generator: the same seed gives the same values on every machine.
struct Generate {
    var random: SplitMix64

    init(seed: UInt64) { random = SplitMix64(seed: seed) }

    mutating func chance(_ share: Double) -> Bool { random.nextUnit() < share }
    mutating func int(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
    mutating func bytes(_ range: ClosedRange<Int>) -> [UInt8] {
        (0..<int(range)).map { _ in UInt8.random(in: 0...255, using: &random) }
    }

    /// Text with what breaks codecs: quotes, escapes, control characters, several bytes to a character, joined scalars.
    mutating func text(_ range: ClosedRange<Int> = 0...24) -> String {
        let pool: [Unicode.Scalar] = [
            "a", "Z", "0", "-", "_", "/", "\"", "\\", " ", "\n", "\t", "\u{1}", "\u{7f}", "é", "e", "\u{301}", "ß", "語",
            "😀",
            "\u{200d}", "\u{0}", "{", "}", ":", ",", "%",
        ]
        var text = String.UnicodeScalarView()
        for _ in 0..<int(range) { text.append(pool[int(0...pool.count - 1)]) }
        return String(text)
    }

    mutating func optional<Value>(_ make: (inout Generate) -> Value) -> Value? { chance(0.5) ? make(&self) : nil }

    /// Within what RFC 3339 can say.
    mutating func time() -> Timestamp {
        switch int(0...3) {
        case 0: Timestamp(milliseconds: Int64.random(in: -62_167_219_200_000...253_402_300_799_999, using: &random))
        case 1: Timestamp(seconds: Int64.random(in: 0...4_000_000_000, using: &random))
        default:
            Timestamp(milliseconds: Int64.random(in: 1_700_000_000_000...1_900_000_000_000, using: &random))
        }
    }

    mutating func fingerprint() -> Fingerprint { Fingerprint(high: random.next(), low: random.next()) }

    /// Often small, sometimes at an edge.
    mutating func count(from low: UInt32 = 1) -> UInt32 {
        switch int(0...9) {
        case 0: UInt32(Int32.max)
        case 1: 65_535
        case 2: 65_536
        default: low + UInt32(int(0...9))
        }
    }

    mutating func coordinate() -> Coordinate {
        Coordinate(fingerprint: fingerprint(), replay: count(from: 0), turn: count())
    }

    mutating func policy() -> RetryPolicy {
        let initial = Int64.random(in: 0...100_000, using: &random)
        return RetryPolicy(
            initial: initial, factor: 1 + Double(int(0...40)) / 8,
            maximum: initial + Int64.random(in: 0...10_000_000, using: &random), jitter: Double(int(0...16)) / 16,
            maxAttempts: count(), maxAge: optional { Int64($0.int(1...1_000_000_000)) })
    }

    mutating func failure() -> AttemptFailure {
        AttemptFailure(
            attempt: count(), turn: count(), replay: count(from: 0), at: time(), worker: text(), code: text(),
            message: text(0...60))
    }

    mutating func history() -> FailureHistory {
        var history = FailureHistory()
        for _ in 0..<(chance(0.5) ? 0 : int(1...20)) { history.append(failure()) }
        return history
    }

    /// Headers that are not ours, as a decoder puts them: unknown attributes by name, then the rest as it came.
    mutating func extraHeaders() -> [RecordHeader] {
        let attributes = Set((0..<int(0...2)).map { _ in "ce_x\(int(0...99))" }).sorted()
        let others = (0..<int(0...3)).map { _ in
            RecordHeader("x-" + text(), chance(0.2) ? nil : bytes(0...12))
        }
        return attributes.map { RecordHeader($0, text()) } + others
    }

    mutating func event() -> TaskEvent {
        var event = TaskEvent(
            id: text(), source: text(), task: text(1...20), payload: bytes(0...80),
            contentType: optional { ["application/json", "text/plain", $0.text(0...8)][$0.int(0...2)] },
            fingerprint: fingerprint())
        event.replay = count(from: 0)
        event.turn = count()
        event.attempt = count()
        event.publishedAt = optional { $0.time() }
        event.dueAt = optional { $0.time() }
        event.firstDueAt = optional { $0.time() }
        event.expiresAt = optional { $0.time() }
        event.partitionKey = optional { $0.text() }
        event.traceParent = optional { $0.text() }
        event.scheduleID = optional { $0.text() }
        event.nominalTime = optional { $0.time() }
        event.standsFor = count()
        event.overlap = OverlapRule.allCases[int(0...OverlapRule.allCases.count - 1)]
        event.overlapLimit = optional { $0.count() }
        event.pausesOnFailure = chance(0.3)
        event.retryPolicy = optional { $0.policy() }
        event.history = history()
        event.isForwarded = chance(0.3)
        event.extraHeaders = extraHeaders()
        return event
    }

    mutating func waiting() -> WaitingEvent {
        WaitingEvent(
            event: event(), queue: ["default", "a.b_c-1", "Q"][int(0...2)],
            due: chance(0.5)
                ? .after(milliseconds: chance(0.1) ? .max : Int64.random(in: 0...1_000_000, using: &random))
                : .at(time()))
    }

    mutating func place() -> RecordPlace {
        RecordPlace(topic: text(), partition: Int32(int(0...99)), offset: Int64.random(in: 0...(.max), using: &random))
    }

    mutating func dead() -> DeadTopicRecord {
        if chance(0.4) {
            return .mark(
                DeadLetterKey(fingerprint: fingerprint(), replay: count(from: 0)),
                DeadLetterMark(
                    kind: DeadLetterMark.Kind.allCases[int(0...2)], by: text(), reason: text(), at: time()))
        }
        var letter = DeadLetter(
            event: event(), queue: text(), reason: DeathReason.allCases[int(0...DeathReason.allCases.count - 1)],
            place: place())
        if chance(0.4) {
            letter.event.task = ""
            letter.raw = DeadLetter.RawRecord(
                key: optional { $0.bytes(0...20) }, headers: RecordHeaders(extraHeaders()), problem: text())
        }
        return .letter(letter)
    }

    mutating func detail(_ outcome: Outcome) -> OutcomeDetail {
        OutcomeDetail(
            outcome, delay: optional { Int64.random(in: 0...Int64.max, using: &$0.random) },
            nextAttempt: optional { $0.count() },
            deathReason: optional { DeathReason.allCases[$0.int(0...DeathReason.allCases.count - 1)] },
            startedAt: optional { $0.time() }, endedAt: optional { $0.time() }, code: optional { $0.text() },
            message: optional { $0.text() })
    }

    mutating func ledgerRecord() -> LedgerRecord {
        let body: LedgerRecord.Body
        switch int(0...9) {
        case 0: body = .leased(Lease(holder: text(), length: Int64(int(0...1_000_000))))
        case 1: body = .released
        case 2: body = .started(alone: chance(0.5))
        case 3: body = .displaced(by: fingerprint())
        default: body = .outcome(detail(Outcome.allCases[int(0...Outcome.allCases.count - 1)]))
        }
        return LedgerRecord(
            coordinate: coordinate(), attempt: count(),
            laneHash: optional { UInt32.random(in: 0...(.max), using: &$0.random) },
            worker: text(), body: body)
    }

    /// A few random edits: bits flipped, bytes lost, doubled or made up.
    mutating func mutated(_ bytes: [UInt8]) -> [UInt8] {
        var result = bytes
        for _ in 0..<int(1...4) {
            guard !result.isEmpty else { return self.bytes(0...40) }
            let index = int(0...result.count - 1)
            switch int(0...5) {
            case 0: result[index] ^= 1 << UInt8(int(0...7))
            case 1: result.remove(at: index)
            case 2: result.insert(UInt8.random(in: 0...255, using: &random), at: index)
            case 3: result.removeSubrange(index...)
            case 4: result[index] = [0, 0xff, 0x7f, 0x80, UInt8(ascii: "\""), UInt8(ascii: "9")][int(0...5)]
            default: result.insert(contentsOf: result[index..<min(result.count, index + int(1...8))], at: index)
            }
        }
        return result
    }
}
