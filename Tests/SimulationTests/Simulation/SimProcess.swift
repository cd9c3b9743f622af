import TaskLog
import TaskModel

/// The log: arrays of records.
struct SimLog {
    private var partitions: [TopicPartition: [LogRecord]] = [:]

    func end(of partition: TopicPartition) -> Int64 { Int64(partitions[partition]?.count ?? 0) }

    func records(_ partition: TopicPartition, from start: Int64 = 0, to end: Int64? = nil) -> [LogRecord] {
        guard let all = partitions[partition] else { return [] }
        return Array(all[Int(start)..<Int(end ?? Int64(all.count))])
    }

    mutating func write(_ append: LogAppend, at time: Timestamp) -> LogRecord {
        let partition = TopicPartition(append.topic, append.partition)
        let record = LogRecord(
            topic: append.topic, partition: append.partition, offset: end(of: partition), timestamp: time,
            key: append.key, value: append.value, headers: append.headers)
        partitions[partition, default: []].append(record)
        return record
    }
}

/// A process from its start to its end: clocks, a producer, and what happens to it.
class SimProcess {
    enum State: Hashable {
        case running
        /// Stopped by a signal: what happens to it waits.
        case paused
        /// Gone, by a crash or in good order.
        case gone
    }

    unowned let world: SimWorld
    let name: String
    var state = State.running
    /// Wall clock minus true time.
    var skew: Int64 = 0
    /// What happened while it was paused.
    private var held: [() -> Void] = []
    /// Whether a pause also keeps back what was handed to the producer.
    private var holdsWrites = false
    /// Writes that are on the wire when it crashes.
    private var writesOnWire = 0
    private let uptimeOffset: Int64
    private var lastWrite: [TopicPartition: Int64] = [:]
    private var lastAck: [TopicPartition: Int64] = [:]
    private var appendCount = 0
    private var outstanding: Set<Int> = []
    private var barriers: [(upTo: Int, body: () -> Void)] = []

    init(world: SimWorld, name: String) {
        self.world = world
        self.name = name
        uptimeOffset = world.random.number(0...1_000_000)
    }

    var uptime: Int64 { world.clock + uptimeOffset }
    var wall: Timestamp { world.brokerTime + skew }
    /// False once it leaves its group by itself.
    var takesPart: Bool { true }

    func hold(_ body: @escaping () -> Void) { held.append(body) }

    func pause() {
        guard state == .running else { return }
        state = .paused
        holdsWrites = world.random.chance(50)
    }

    func resume() {
        guard state == .paused else { return }
        state = .running
        let late = held
        held = []
        for body in late where state == .running { body() }
    }

    func crash() {
        state = .gone
        held = []
        writesOnWire = Int(world.random.number(0...3))
    }

    // MARK: the producer

    /// Order is kept per partition; partitions overtake each other, and so do their acks.
    func append(_ record: LogAppend, _ completion: @escaping (Result<AppendReceipt, LogError>) -> Void) {
        appendCount += 1
        let number = appendCount
        outstanding.insert(number)
        let partition = TopicPartition(record.topic, record.partition)
        let slowest = world.plan.slowestAppend
        let writeAt = max(lastWrite[partition] ?? 0, world.clock + world.random.number(1...slowest))
        lastWrite[partition] = writeAt
        world.at(writeAt) { [self] in
            switch state {
            case .running: write(record, number, completion)
            case .paused where holdsWrites: hold { [self] in write(record, number, completion) }
            case .paused: write(record, number, completion)
            case .gone:
                guard writesOnWire > 0 else { return }
                writesOnWire -= 1
                world.write(record, by: name)
            }
        }
    }

    private func write(
        _ record: LogAppend, _ number: Int, _ completion: @escaping (Result<AppendReceipt, LogError>) -> Void
    ) {
        let partition = TopicPartition(record.topic, record.partition)
        var result: Result<AppendReceipt, LogError> = .failure(LogError(.unavailable, "no answer in time"))
        var slowest = world.plan.slowestAppend
        if world.appendFails() {
            if world.random.chance(50) { world.write(record, by: name) }
            slowest = 3000
        } else {
            let written = world.write(record, by: name)
            result = .success(AppendReceipt(offset: written.offset, timestamp: written.timestamp))
        }
        let ackAt = max(lastAck[partition] ?? 0, world.clock + world.random.number(1...slowest))
        lastAck[partition] = ackAt
        world.after(ackAt - world.clock, in: self) { [self] in
            outstanding.remove(number)
            completion(result)
            passBarriers()
        }
    }

    /// Runs `body` once when all appends so far are answered, or after `bound` milliseconds.
    func barrier(bound: Int64, _ body: @escaping () -> Void) {
        var isDone = false
        let once = {
            guard !isDone else { return }
            isDone = true
            body()
        }
        barriers.append((appendCount, once))
        world.after(bound, in: self, once)
        passBarriers()
    }

    private func passBarriers() {
        let oldest = outstanding.min() ?? .max
        let passed = barriers.filter { $0.upTo < oldest }
        barriers.removeAll { $0.upTo < oldest }
        for barrier in passed { barrier.body() }
    }
}
