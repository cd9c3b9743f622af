import Containers
import TaskModel
import Testing

struct MinHeapTests {
    /// Whatever goes in comes out in order, also between insertions, and equal elements as often as they went in.
    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func isASortedListOfWhatIsInIt(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var heap = MinHeap<UInt64>()
        var expected: [UInt64] = []
        for _ in 0..<500 {
            if expected.isEmpty || random.next() % 3 > 0 {
                let element = random.next() % 50
                heap.insert(element)
                expected.append(element)
                expected.sort()
            } else {
                #expect(heap.first == expected.first)
                let popped = heap.popFirst()
                #expect(popped == expected.removeFirst())
            }
            #expect(heap.count == expected.count)
        }
        let fresh = heap.firstFresh { $0 < 25 }
        expected.removeAll { $0 < 25 }
        #expect(fresh == expected.first)
        var rest: [UInt64] = []
        while let element = heap.popFirst() { rest.append(element) }
        #expect(rest == expected && heap.isEmpty)
    }
}
