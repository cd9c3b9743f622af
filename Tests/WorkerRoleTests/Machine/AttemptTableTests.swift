import TaskLog
import TaskModel
import Testing

@testable import WorkerRole

@Suite struct AttemptTableTests {
    private func attempt(_ id: AttemptID, slot: Int) -> Attempt {
        let body = Story.event("a").encoded()
        let record = LogRecord(
            topic: Story.due.topic, partition: 0, offset: 0, timestamp: .epoch, key: body.key, value: body.value,
            headers: body.headers)
        return Attempt(
            id: id, facts: TurnFacts(record), suspicion: nil, slot: slot,
            place: TurnPlace(slot: slot, assignment: 1, seat: 0, offset: 0), startedAt: .epoch, deadline: 0)
    }

    /// Against a dictionary, with seats that are used again and again.
    @Test(arguments: [1, 2, 3] as [UInt64]) func itHoldsWhatADictionaryWould(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var table = AttemptTable()
        var plain: [AttemptID: Int] = [:]
        var all: [AttemptID] = []
        for step in 0..<2000 {
            switch random.next() % 5 {
            case 0, 1:
                let id = table.add { attempt($0, slot: step) }
                #expect(plain.updateValue(step, forKey: id) == nil, "an id was given twice")
                all.append(id)
            case 2, 3:
                guard let id = all.randomElement(using: &random) else { continue }
                #expect(table.remove(id)?.slot == plain.removeValue(forKey: id))
            default:
                guard let id = all.randomElement(using: &random) else { continue }
                table[id]?.cancelReason = .timeout
                table[id] = plain[id] == nil ? attempt(id, slot: -1) : table[id]
            }
            #expect(table.count == plain.count && table.isEmpty == plain.isEmpty)
        }
        for id in all { #expect(table[id]?.slot == plain[id]) }
        #expect(table.ids == all.filter { plain[$0] != nil }, "not in the order of the starts")
        #expect(table.all.map(\.slot).sorted() == plain.values.sorted())
    }

    @Test func anIdOfNobodyIsNotHeld() {
        var table = AttemptTable()
        #expect(table[0] == nil && table[7] == nil && table.remove(7) == nil)
        let id = table.add { attempt($0, slot: 1) }
        #expect(table[id] != nil && table[id + 1] == nil && table[id + 1 << 20] == nil)
    }
}
