import Testing

@testable import TaskModel

@Suite("OffsetTracker")
struct OffsetTrackerTests {
    @Test("it agrees with a plain set of unsettled offsets") func model() {
        var generate = Generate(seed: 50)
        for _ in 0..<200 {
            let start = Int64(generate.int(0...5))
            var tracker = OffsetTracker(start: start)
            var unsettled: Set<Int64> = []
            var next = start
            for _ in 0..<200 {
                if generate.chance(0.5) {
                    let offset = next + Int64(generate.int(-3...3))
                    let isNew = tracker.receive(offset)
                    #expect(isNew == (offset >= next))
                    if isNew {
                        unsettled.insert(offset)
                        next = offset + 1
                    }
                } else {
                    let offset = start + Int64(generate.int(-2...Int(next - start) + 2))
                    tracker.settle(offset)
                    unsettled.remove(offset)
                }
                #expect(tracker.next == next)
                #expect(tracker.watermark == unsettled.min() ?? next)
                #expect(tracker.holes == unsettled.sorted())
                #expect(tracker.holeCount == unsettled.count)
            }
        }
    }

    @Test("a gap counts as settled, however wide it is") func gaps() {
        var tracker = OffsetTracker(start: 0)
        let areNew = [tracker.receive(0), tracker.receive(5_000_000_000)]
        #expect(areNew == [true, true])
        #expect(tracker.watermark == 0 && tracker.holes == [0, 5_000_000_000])
        tracker.settle(17)
        tracker.settle(0)
        #expect(tracker.watermark == 5_000_000_000)
        tracker.settle(5_000_000_000)
        #expect(tracker.watermark == 5_000_000_001)
        let isNew = tracker.receive(4_000_000_000)
        #expect(!isNew)
    }
}
