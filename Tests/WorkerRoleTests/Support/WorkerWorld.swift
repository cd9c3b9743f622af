import ServiceRuntime
import TaskLog
import TaskModel
import TaskTelemetry
import TaskTestKit
import Testing

@testable import WorkerRole

/// A broker in memory with all topics, and workers on it.
struct WorkerWorld: Sendable {
    let time: ManualTimeSource
    let broker: MemoryBroker
    let names = TopicNames()
    let partitions: Int32

    init(partitions: Int32 = 2) async throws {
        self.partitions = partitions
        time = ManualTimeSource()
        broker = MemoryBroker(time: time)
        let plan = TopicPlan(queues: [QueuePlan(name: "default", partitions: partitions)], controlPartitions: 2)
        _ = try await MemoryTaskLog(broker: broker).ensure(topics: plan.specs)
    }

    func configuration(_ name: String = "w1") -> WorkerConfiguration {
        WorkerConfiguration(
            queues: [WorkerQueue(name: "default", partitions: partitions)], controlPartitions: 2, workerID: name,
            nonce: "n-\(name)")
    }

    func worker(
        _ name: String = "w1", tasks: [TaskDefinition], log: MemoryTaskLog? = nil, time: ManualTimeSource? = nil,
        onReport: (@Sendable (WorkerReport) -> Void)? = nil
    ) throws -> WorkerService {
        try WorkerService(
            log: log ?? MemoryTaskLog(broker: broker), configuration: configuration(name), tasks: tasks,
            time: time ?? self.time, onReport: onReport)
    }

    func due(_ partition: Int32) -> TopicPartition { TopicPartition(names.due("default"), partition) }

    /// One event of this task for each partition, in their order.
    func eventPerPartition(_ task: String) -> [TaskEvent] {
        (0..<partitions).map { partition in
            (0...).lazy.map { event(task, id: "\($0)") }
                .first { Murmur2.partition(of: $0.recordKey, count: partitions) == partition }!
        }
    }

    func event(_ task: String, id: String) -> TaskEvent {
        TaskEvent(
            id: id, source: "test", task: task, payload: Array("{}".utf8),
            fingerprint: Fingerprint(.event(source: "test", id: id)))
    }

    @discardableResult
    func publish(_ event: TaskEvent) async throws -> AppendReceipt {
        let body = event.encoded()
        return try await MemoryTaskLog(broker: broker).append(
            LogAppend(
                topic: names.due("default"), partition: Murmur2.partition(of: event.recordKey, count: partitions),
                key: body.key, value: body.value, headers: body.headers))
    }

    /// The outcomes of a fingerprint, in the order of the ledger.
    func outcomes(of fingerprint: Fingerprint) -> [Outcome] {
        broker.records(in: names.ledger("default")).compactMap { record in
            guard record.key == fingerprint.bytes, let entry = LedgerRecord(key: record.key, value: record.value),
                case .outcome(let detail) = entry.body
            else { return nil }
            return detail.outcome
        }
    }

    /// The first outcome, waiting for it.
    func outcome(of fingerprint: Fingerprint) async throws -> Outcome? {
        var seen = 0
        while true {
            if let outcome = outcomes(of: fingerprint).first { return outcome }
            seen += 1
            try await broker.waitForAppend(to: names.ledger("default"), count: seen)
        }
    }

    /// The authors of the outcomes of a fingerprint, in the order of the ledger.
    func authors(of fingerprint: Fingerprint) -> [String] {
        broker.records(in: names.ledger("default")).compactMap { record in
            guard record.key == fingerprint.bytes, let entry = LedgerRecord(key: record.key, value: record.value),
                case .outcome = entry.body
            else { return nil }
            return entry.worker
        }
    }

    /// Lease notes that the ledger of this partition holds.
    func leases(_ partition: Int32) -> Int {
        broker.records(of: TopicPartition(names.ledger("default"), partition)).count { record in
            guard let entry = LedgerRecord(key: record.key, value: record.value), case .leased = entry.body
            else { return false }
            return true
        }
    }

    /// Lets time pass from one sleeper's deadline to the next. Before each step all `sleepers` sleep: the alarm and the
    /// heartbeat of each worker that owns something, the heartbeat alone of one that does not.
    func pass(_ milliseconds: Int64, sleepers: Int) async throws {
        var rest = milliseconds
        while rest > 0 {
            try await time.waitForSleepers(count: sleepers)
            let step = min(rest, max(1, time.millisecondsToNextSleeper ?? rest))
            time.advance(milliseconds: step)
            rest -= step
        }
        try await time.waitForSleepers(count: sleepers)
    }

    /// Lets time pass, a second at a time, until the condition holds.
    func pass(sleepers: Int, until condition: @Sendable () -> Bool) async throws {
        while !condition() { try await pass(1000, sleepers: sleepers) }
    }

    /// Runs the worker beside the body, and stops it in order after it.
    func running(_ worker: WorkerService, _ body: @escaping @Sendable () async throws -> Void) async throws {
        try await fleet { fleet in
            fleet.start(worker)
            try await body()
        }
    }

    /// Runs the body beside the workers that it starts, and stops them in order after it, the first one first.
    func fleet(_ body: @escaping @Sendable (Fleet) async throws -> Void) async throws {
        let fleet = Fleet()
        do {
            try await withTimeout(seconds: 20, "the body of a worker test") { try await body(fleet) }
            try await withTimeout(seconds: 20, "the stop of a worker test") { try await fleet.stop() }
        } catch {
            fleet.cancel()
            throw error
        }
    }
}

/// The workers of a test that run.
final class Fleet: Sendable {
    private typealias Running = (worker: WorkerService, task: Task<Void, any Error>)
    private let running = Observed<[Running]>([])

    func start(_ worker: WorkerService) {
        running.update { $0.append((worker, Task { try await worker.run() })) }
    }

    /// Returns when this worker has died of its log.
    func died(_ worker: WorkerService) async {
        let found = running.update { running in
            let index = running.firstIndex { $0.worker === worker }!
            return running.remove(at: index)
        }
        await #expect(throws: LogError(.closed, "")) { try await found.task.value }
    }

    func stop() async throws {
        for (worker, task) in running.value {
            await worker.stop()
            try await task.value
        }
    }

    func cancel() { for (_, task) in running.value { task.cancel() } }
}

extension RecordPlace {
    init(_ record: LogRecord) { self.init(topic: record.topic, partition: record.partition, offset: record.offset) }
}

extension WaitingEvent {
    init(_ record: LogRecord) throws {
        try self.init(key: record.key, value: record.value, headers: record.headers, place: RecordPlace(record))
    }
}

extension DeadTopicRecord {
    init(_ record: LogRecord) throws {
        try self.init(key: record.key, value: record.value, headers: record.headers, place: RecordPlace(record))
    }
}
