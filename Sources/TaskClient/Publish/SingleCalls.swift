internal import TaskModel

/// The calls under way that publish one event each to a queue, and the partitions that have their turn while they are many.
/// Only of events that may go to any partition: see ``PublishRequest/mayGoAnywhere``.
///
/// A producer sends a request for each partition that it has records for, and a request costs a broker as much as thirty
/// more records in it. Kafka's own producers therefore send what has no key to one partition for a while (KIP-480,
/// KIP-794). Here the partition follows from the event's id, so one is taken whose event goes where others go.
///
/// Over some turns all partitions get the same, so which worker gets how much does not change. What is published now and
/// then, or is much at once but soon over, goes wherever its id says: there one task may be as much work as thousands
/// of others are.
struct SingleCalls: Sendable {
    /// How long a third of the partitions has its turn.
    static let turnMilliseconds: Int64 = 8
    /// Length of the spans in which calls are counted (milliseconds).
    static let spanMilliseconds: Int64 = 50
    /// Calls of the span before that make a flow: 10,000 a second.
    static let callsOfAFlow = 500

    private let partitions: Int32
    /// Where the turns begin (milliseconds), so that not all publishers send to the same partitions at once.
    private let phase: Int64
    private var open = 0
    private var span = Int64.min
    private var begunInSpan = 0
    private var begunBefore = 0

    init(partitions: Int32, phase: Int64) {
        self.partitions = partitions
        self.phase = phase
    }

    /// A call begins. Nil where its event may go to all partitions: without a flow, with so few calls that they meet
    /// nowhere, and with so many that they meet everywhere.
    mutating func begin(now: Timestamp) -> PartitionTurn? {
        count(inSpan: now.milliseconds / Self.spanMilliseconds)
        open += 1
        // With a single one, librdkafka and the broker would wait for each other.
        let width = max(2, (partitions + 2) / 3)
        guard width < partitions, begunBefore >= Self.callsOfAFlow, open >= 4 * Int(width), open < 16 * Int(partitions)
        else { return nil }
        let number = (now.milliseconds &+ phase) / Self.turnMilliseconds % Int64(partitions)
        let first = Int32(truncatingIfNeeded: number * Int64(width) % Int64(partitions))
        return PartitionTurn(first: first, width: width, count: partitions)
    }

    mutating func end() { open -= 1 }

    private mutating func count(inSpan current: Int64) {
        // One that read the clock just before the others counts as one of them.
        if current != span, current != span &- 1 {
            begunBefore = current == span &+ 1 ? begunInSpan : 0
            begunInSpan = 0
            span = current
        }
        begunInSpan += 1
    }
}
