import Foundation
import Testing

@testable import TaskModel

@Suite("LedgerRecord codec")
struct LedgerRecordCodecTests {
    private func read(_ value: [UInt8]) throws -> LedgerRecord {
        try LedgerRecord(fingerprint: Fingerprint(high: 1, low: 2), value: value)
    }

    @Test("records are read back exactly") func roundTrip() throws {
        var generate = Generate(seed: 70)
        for _ in 0..<5000 {
            let record = generate.ledgerRecord()
            #expect(try LedgerRecord(fingerprint: record.coordinate.fingerprint, value: record.encoded()) == record)
        }
    }

    @Test("every cut of a value is an error or a smaller record, never a crash") func truncations() throws {
        var generate = Generate(seed: 71)
        for _ in 0..<100 {
            let value = generate.ledgerRecord().encoded()
            for length in 0..<value.count {
                guard let record = try? read(Array(value[..<length])) else { continue }
                #expect(try read(record.encoded()) == record)
            }
        }
        #expect(throws: LedgerDecodingError("a ledger value has at least 14 bytes, this one has 0")) { try read([]) }
    }

    @Test("unknown tags are passed over, whatever they hold") func unknownTags() throws {
        var generate = Generate(seed: 72)
        for _ in 0..<200 {
            let record = generate.ledgerRecord()
            let content = generate.bytes(0...300)
            let length = [UInt8(content.count >> 8), UInt8(content.count & 255)]
            let value = record.encoded() + [UInt8(generate.int(13...255))] + length + content
            #expect(try LedgerRecord(fingerprint: record.coordinate.fingerprint, value: value) == record)
        }
    }

    @Test("unknown versions, unknown kinds and fields past the end are named") func errors() {
        let plain: [UInt8] = [1, 32, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1]
        #expect(throws: Never.self) { try read(plain) }
        var value = plain
        value[0] = 2
        #expect(throws: LedgerDecodingError("ledger value version 2; version 1 is read")) { try read(value) }
        value = plain
        value[1] = 3
        #expect(throws: LedgerDecodingError("ledger value kind 3 is not known")) { try read(value) }
        #expect(throws: LedgerDecodingError("a field runs past the end of the value")) {
            try read(plain + [2, 0, 5, 1])
        }
        #expect(throws: LedgerDecodingError.self) { try read(plain + [2, 0]) }
    }

    @Test("a field of the wrong width or a negative length of time is not believed") func hostileFields() throws {
        let head: [UInt8] = [1, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1]
        guard case .outcome(let detail) = try read(head + [3, 0, 8] + [UInt8](repeating: 255, count: 8)).body else {
            Issue.record("no outcome")
            return
        }
        #expect(detail.delay == 0)
        #expect(try read(head + [1, 0, 3, 1, 2, 3]).laneHash == nil)
    }

    @Test("long texts are cut, so that a record stays small") func bounds() {
        let long = String(repeating: "é", count: 50_000)
        let record = LedgerRecord(
            coordinate: Coordinate(fingerprint: Fingerprint(high: 1, low: 1)), attempt: 1, laneHash: 1, worker: long,
            body: .outcome(OutcomeDetail(.dead, deathReason: .fatal, code: long, message: long)))
        #expect(record.encoded().count < 3200)
    }

    struct Samples: Decodable {
        struct Sample: Decodable {
            var title: String
            var key: String
            var value: String
            var kind: String
            var replay: UInt32
            var turn: UInt32
            var attempt: UInt32
            var lane: UInt32?
            var worker: String?
            var delay: Int64?
            var nextAttempt: UInt32?
            var deathReason: DeathReason?
            var startedAt: Int64?
            var endedAt: Int64?
            var code: String?
            var message: String?
            var leaseHolder: String?
            var leaseLength: Int64?
            var alone: Bool?
            var displacedBy: String?
        }
        var samples: [Sample]
    }

    @Test("the published samples are read, and written byte for byte") func golden() throws {
        let samples = try Schemas.decode(Samples.self, "ledger-v1.samples.json").samples
        for sample in samples {
            let body: LedgerRecord.Body =
                switch sample.kind {
                case "leased":
                    .leased(Lease(holder: try #require(sample.leaseHolder), length: try #require(sample.leaseLength)))
                case "released": .released
                case "started": .started(alone: sample.alone == true)
                case "displaced":
                    .displaced(by: try #require(sample.displacedBy.flatMap { Fingerprint(hex: $0) }))
                default:
                    .outcome(
                        OutcomeDetail(
                            try #require(Outcome(word: sample.kind)), delay: sample.delay,
                            nextAttempt: sample.nextAttempt, deathReason: sample.deathReason,
                            startedAt: sample.startedAt.map { Timestamp(milliseconds: $0) },
                            endedAt: sample.endedAt.map { Timestamp(milliseconds: $0) }, code: sample.code,
                            message: sample.message))
                }
            let fingerprint = try #require(Fingerprint(hex: sample.key))
            let record = LedgerRecord(
                coordinate: Coordinate(fingerprint: fingerprint, replay: sample.replay, turn: sample.turn),
                attempt: sample.attempt, laneHash: sample.lane, worker: sample.worker ?? "", body: body)
            #expect(hex(record.encoded()) == sample.value, "\(sample.title)")
            let value = try #require(bytes(hex: sample.value))
            #expect(try LedgerRecord(fingerprint: fingerprint, value: value) == record, "\(sample.title)")
        }
        let kinds = Set(samples.map(\.kind))
        #expect(kinds == Set(Outcome.allCases.map(\.word) + ["leased", "released", "started", "displaced"]))
    }
}
