import Testing

@testable import TaskModel

@Suite("DecidedTable")
struct DecidedTableTests {
    private func rounded(_ entry: DecidedTable.Entry) -> DecidedTable.Entry {
        var entry = entry
        entry.time = Timestamp(
            milliseconds: entry.time.milliseconds.flooredDivision(by: DecidedTable.timeStep).quotient
                * DecidedTable.timeStep)
        return entry
    }

    /// Times are kept in steps from the first one seen: the first is a whole step, so that all are.
    private let start = Timestamp(milliseconds: 1_800_000_000_000)

    @Test("it agrees with a dictionary, wide values included") func model() {
        var generate = Generate(seed: 80)
        for round in 0..<30 {
            var table = DecidedTable()
            var plain: [Fingerprint: DecidedTable.Entry] = [:]
            let pool = (0..<200).map { _ in
                // Some share half their bits: a caller may choose a fingerprint.
                round % 2 == 0
                    ? generate.fingerprint()
                    : Fingerprint(high: UInt64(generate.int(0...20)), low: UInt64(generate.int(0...20)))
            }
            table[pool[0]] = DecidedTable.Entry(outcome: .dead, replay: 0, turn: 1, time: start)
            plain[pool[0]] = DecidedTable.Entry(outcome: .dead, replay: 0, turn: 1, time: start)
            for _ in 0..<2000 {
                let fingerprint = pool[generate.int(0...pool.count - 1)]
                if generate.chance(0.4) {
                    table[fingerprint] = nil
                    plain[fingerprint] = nil
                } else {
                    let wideTime = generate.chance(0.05)
                    let entry = DecidedTable.Entry(
                        outcome: Outcome.allCases[generate.int(0...6)], replay: generate.count(from: 0),
                        turn: generate.count(),
                        time: wideTime ? .epoch : start + Int64(generate.int(-1_000_000...100_000_000)))
                    table[fingerprint] = entry
                    plain[fingerprint] = entry
                }
                #expect(table.count == plain.count)
            }
            for fingerprint in pool {
                let expected = plain[fingerprint].map { $0.time == .epoch ? $0 : rounded($0) }
                let found = table[fingerprint].map { $0.time == .epoch ? $0 : rounded($0) }
                #expect(found == expected)
            }
            let cutoff = start + 50_000_000
            let before = plain.count
            plain = plain.filter { rounded($0.value).time + DecidedTable.timeStep > cutoff }
            let dropped = table.evict(before: cutoff)
            #expect(dropped == before - plain.count)
            for fingerprint in pool { #expect((table[fingerprint] == nil) == (plain[fingerprint] == nil)) }
        }
    }

    @Test("an eviction drops nothing that is not older") func eviction() {
        var table = DecidedTable()
        for step in 0..<1000 {
            table[Fingerprint(high: 0, low: UInt64(step))] = DecidedTable.Entry(
                outcome: .completed, replay: 0, turn: 1, time: start + Int64(step * 777))
        }
        let cutoff = start + 300_000
        let dropped = table.evict(before: cutoff)
        for step in 0..<1000 where start + Int64(step * 777) >= cutoff {
            #expect(table[Fingerprint(high: 0, low: UInt64(step))] != nil)
        }
        #expect(dropped > 370 && dropped <= 387)
    }

    @Test("a million entries cost at most 32 bytes each, at every fill") func memory() {
        var table = DecidedTable()
        var generate = Generate(seed: 81)
        let entry = DecidedTable.Entry(outcome: .completed, replay: 0, turn: 1, time: start)
        var worst = 0.0
        while table.count < 1_000_000 {
            table[generate.fingerprint()] = entry
            if table.count >= 1000, table.count % 97 == 0 {
                worst = max(worst, Double(table.byteCount) / Double(table.count))
            }
        }
        #expect(worst <= 32.05)
        #expect(Double(table.byteCount) / 1_000_000 <= 32)
        let dropped = table.evict(before: start + 1_000_000)
        #expect(dropped == 1_000_000)
        #expect(table.byteCount < 4096)
    }
}
