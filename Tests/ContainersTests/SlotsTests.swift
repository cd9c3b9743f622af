import Containers
import TaskModel
import Testing

struct SlotsTests {
    /// Each value is found by its number until it is removed, no two have the same number, and there are never more slots
    /// than there were values at once.
    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func areADictionaryThatChoosesTheKeys(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var slots = Slots<UInt64>()
        var expected: [Int: UInt64] = [:]
        var most = 0
        for _ in 0..<500 {
            if random.next() % 5 < 3 || expected.isEmpty {
                let value = random.next()
                let next = slots.next
                let slot = slots.insert(value)
                #expect(slot == next)
                #expect(expected.updateValue(value, forKey: slot) == nil)
                most = max(most, expected.count)
            } else if let slot = expected.keys.sorted().randomElement(using: &random) {
                slots.remove(slot)
                expected[slot] = nil
            }
            #expect(slots.count == expected.count && slots.isEmpty == expected.isEmpty)
            #expect(slots.values.count == most)
            for (slot, value) in slots.values.enumerated() { #expect(value == expected[slot]) }
        }
    }
}
