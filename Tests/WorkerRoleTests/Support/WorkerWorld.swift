import ServiceRuntime
import TaskLog
import TaskModel
import TaskTelemetry
import TaskTestKit

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
        _ name: String = "w1", tasks: [TaskDefinition], log: MemoryTaskLog? = nil,
        onReport: (@Sendable (WorkerReport) -> Void)? = nil
    ) throws -> WorkerService {
        try WorkerService(
            log: log ?? MemoryTaskLog(broker: broker), configuration: configuration(name), tasks: tasks, time: time,
            onReport: onReport)
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
            guard record.key == fingerprint.bytes, let value = record.value,
                let entry = try? LedgerRecord(fingerprint: fingerprint, value: value),
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

    /// Runs the worker beside the body, and stops it in order after it.
    func running(_ worker: WorkerService, _ body: @escaping @Sendable () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await worker.run() }
            do {
                try await withTimeout(seconds: 20, "the body of a worker test") { try await body() }
            } catch {
                group.cancelAll()
                throw error
            }
            await worker.stop()
            try await group.waitForAll()
        }
    }
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
