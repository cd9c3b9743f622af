import TaskLog
import TaskModel
import Testing

@testable import TidemillBench

struct LedgerTallyTests {
    private func record(_ number: UInt64, _ outcome: Outcome = .completed, turn: UInt32 = 1, at time: Int64)
        -> LogRecord
    {
        let fingerprint = Fingerprint(high: number, low: 1)
        let entry = LedgerRecord(
            coordinate: Coordinate(fingerprint: fingerprint, replay: 0, turn: turn), attempt: turn, laneHash: nil,
            worker: "w", body: .outcome(OutcomeDetail(outcome)))
        return LogRecord(
            topic: "ledger", partition: 0, offset: 0, timestamp: Timestamp(milliseconds: time), key: fingerprint.bytes,
            value: entry.encoded(), headers: [])
    }

    @Test func countsEndsOnceAndTurnsThatGoOnApart() {
        var tally = LedgerTally()
        tally.add([
            record(1, .retrying, at: 10), record(2, at: 20), record(1, turn: 2, at: 30), record(2, at: 40),
        ])
        tally.add([
            LogRecord(
                topic: "ledger", partition: 0, offset: 0, timestamp: Timestamp(milliseconds: 50), key: nil, value: nil,
                headers: [])
        ])
        #expect(tally.ended == 2)
        #expect(tally.again == 1)
        #expect(tally.repeated == 1)
        #expect(tally.unreadable == 1)
        #expect(tally.lastEnd == Timestamp(milliseconds: 30))
    }

    @Test func givesTheRateOfTheFirstEnds() {
        var tally = LedgerTally()
        // In the order of partitions, not of time.
        tally.add([record(1, at: 3000), record(2, at: 1500), record(3, at: 2000), record(4, at: 5000)])
        // Of a warm-up.
        tally.add([record(5, at: 500)])
        let start = Timestamp(milliseconds: 1000)
        #expect(tally.rate(since: start) == 1)
        #expect(tally.rate(since: start, ends: 2) == 2)
        #expect(tally.rate(since: start, ends: 5) == 0)
        #expect(LedgerTally().rate(since: start) == 0)
    }

    @Test func givesTheRateOfEachFullStretch() {
        var tally = LedgerTally()
        // 1000 ... 2999, 3000 ... 4999; what follows is no full stretch.
        tally.add([1000, 2000, 2999, 3000, 5000].enumerated().map { record(UInt64($0.offset), at: $0.element) })
        #expect(tally.rates(every: 2) == [1.5, 0.5])
        #expect(tally.rates(every: 10).isEmpty)
        #expect(LedgerTally().rates(every: 1).isEmpty)
    }
}
