import Testing

@testable import TaskModel

/// What each fire writes is written by hand: the bytes must be those of the encoder.
struct FireRecordTests {
    @Test func aStateIsWrittenAsTheEncoderWouldWriteIt() {
        var generate = Generate(seed: 71)
        for _ in 0..<1000 {
            var state = ScheduleState(
                cursor: generate.time(), lastFired: generate.optional { $0.time() }, fires: generate.random.next(),
                misfires: UInt64(generate.count(from: 0)))
            state.definedAt = generate.optional { $0.time() }
            if generate.chance(0.3) {
                state.catchUp = CatchUpProgress(since: generate.time(), last: Timestamp(milliseconds: .min))
            }
            #expect(state.json == CanonicalJSON.encode(state))
        }
    }

    @Test func anEntryIsWrittenAsTheEncoderWouldWriteIt() {
        var generate = Generate(seed: 72)
        for _ in 0..<1000 {
            let entry = JournalEntry(
                subject: generate.text(), kind: generate.element(JournalEntry.Kind.allCases), at: generate.time(),
                author: generate.text(), reason: generate.text() + "\u{1}\u{1f}\"\\/\n\u{7f}é",
                fingerprint: generate.optional { $0.fingerprint() }, nominal: generate.optional { $0.time() },
                count: generate.optional { $0.int(-5...5) },
                span: generate.optional { .init(after: Timestamp(milliseconds: .min), through: $0.time()) })
            #expect(entry.json == CanonicalJSON.encode(entry))
        }
    }
}
