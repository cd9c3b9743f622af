/// Turns that may start, by queue: first in, first out within one, by weight among them (smooth weighted round robin).
struct ReadyQueues: Hashable, Sendable {
    private struct Lane: Hashable, Sendable {
        let name: String
        let weight: Int
        var credit = 0
        var items: [TurnPlace] = []
        var head = 0

        var isEmpty: Bool { head == items.count }

        mutating func pop() -> TurnPlace {
            let item = items[head]
            head += 1
            if head > 256, head * 2 > items.count {
                items.removeFirst(head)
                head = 0
            }
            return item
        }
    }

    private var lanes: [Lane]

    init(_ queues: [WorkerQueue]) { lanes = queues.map { Lane(name: $0.name, weight: max(1, $0.weight)) } }

    mutating func append(_ place: TurnPlace, queue: String) {
        guard let index = lanes.firstIndex(where: { $0.name == queue }) else { return }
        lanes[index].items.append(place)
    }

    /// The next turn: each call gives every waiting queue its weight as credit and takes from the richest.
    mutating func next() -> TurnPlace? {
        var best: Int?
        var total = 0
        for index in lanes.indices where !lanes[index].isEmpty {
            lanes[index].credit += lanes[index].weight
            total += lanes[index].weight
            if best == nil || lanes[index].credit > lanes[best!].credit { best = index }
        }
        guard let best else { return nil }
        lanes[best].credit -= total
        return lanes[best].pop()
    }
}
