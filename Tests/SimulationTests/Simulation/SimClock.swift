import TaskModel

/// The only randomness of a simulated world, from its seed.
struct SimRandom {
    private var generator: SplitMix64

    init(_ seed: UInt64) { generator = SplitMix64(seed: seed) }

    mutating func number(_ range: ClosedRange<Int64>) -> Int64 {
        let span = UInt64(range.upperBound - range.lowerBound + 1)
        return range.lowerBound + Int64(generator.next() % span)
    }

    mutating func chance(_ percent: Int64) -> Bool { number(1...100) <= percent }

    mutating func pick<Element>(_ items: [Element]) -> Element? {
        items.isEmpty ? nil : items[Int(number(0...Int64(items.count - 1)))]
    }
}

/// What is going to happen, by simulated time; at one instant in the order of scheduling.
struct SimQueue {
    private struct Entry {
        let time: Int64
        let sequence: Int
        let body: () -> Void

        func precedes(_ other: Entry) -> Bool { (time, sequence) < (other.time, other.sequence) }
    }

    private var heap: [Entry] = []
    private var scheduled = 0

    var nextTime: Int64? { heap.first?.time }

    mutating func add(at time: Int64, _ body: @escaping () -> Void) {
        scheduled += 1
        heap.append(Entry(time: time, sequence: scheduled, body: body))
        var child = heap.count - 1
        while child > 0, heap[child].precedes(heap[(child - 1) / 2]) {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    mutating func pop() -> (() -> Void)? {
        guard let first = heap.first else { return nil }
        let last = heap.removeLast()
        guard !heap.isEmpty else { return first.body }
        heap[0] = last
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count {
                if heap[child].precedes(heap[least]) { least = child }
            }
            guard least != parent else { return first.body }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}

/// A rule that did not hold.
struct SimViolation: Hashable {
    var rule: String
    var detail: String
}
