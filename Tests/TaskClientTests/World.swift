import ServiceRuntime
import TaskClient
import TaskLog
import TaskModel
import TaskTestKit
import Testing

/// An in-memory log with the topics of a small installation, a held clock, and the means to act as worker and scheduler.
struct World {
    let time = ManualTimeSource()
    let log: MemoryTaskLog
    let plan: TopicPlan
    let client: TaskClient

    init(
        queues: [QueuePlan] = [QueuePlan(name: "default", partitions: 3), QueuePlan(name: "mail", partitions: 2)],
        createTopics: Bool = true
    ) async throws {
        plan = TopicPlan(queues: queues, controlPartitions: 3)
        log = MemoryTaskLog(time: time)
        client = TaskClient(log: log, plan: plan, time: time, source: "test")
        if createTopics { _ = try await client.ensureTopics() }
    }

    // MARK: As a worker

    @discardableResult
    func decide(
        _ event: TaskEvent, _ detail: OutcomeDetail, queue: String = "default", worker: String = "w-1/aa"
    ) async throws -> AppendReceipt {
        try await note(event, .outcome(detail), queue: queue, worker: worker)
    }

    @discardableResult
    func note(
        _ event: TaskEvent, _ body: LedgerRecord.Body, queue: String = "default", worker: String = "w-1/aa"
    ) async throws -> AppendReceipt {
        let record = LedgerRecord(
            coordinate: event.coordinate, attempt: event.attempt, laneHash: event.laneHash, worker: worker, body: body)
        return try await append(
            plan.names.ledger(queue), by: event.recordKey,
            RecordBody(key: event.fingerprint.bytes, value: record.encoded(), headers: []))
    }

    /// The effect of `retrying`: the next turn waits.
    @discardableResult
    func wait(_ event: TaskEvent, delay: Int64, queue: String = "default") async throws -> TaskEvent {
        var next = event
        next.turn += 1
        next.attempt += 1
        try await append(
            plan.names.retry, by: event.fingerprint.bytes,
            WaitingEvent(event: next, queue: queue, due: .after(milliseconds: delay)).encoded())
        return next
    }

    /// The scheduler's part: into the queue, then the tombstone.
    func emit(_ event: TaskEvent, queue: String = "default") async throws {
        try await append(plan.names.due(queue), by: event.recordKey, event.encoded())
        try await append(
            plan.names.retry, by: event.fingerprint.bytes,
            RecordBody(key: RetryKey.emission(event.coordinate).bytes, value: nil, headers: []))
    }

    /// The effect of `dead`.
    @discardableResult
    func bury(
        _ event: TaskEvent, reason: DeathReason = .attemptsExhausted, code: String = "error",
        message: String = "it broke", queue: String = "default", raw: DeadLetter.RawRecord? = nil
    ) async throws -> DeadLetterKey {
        var event = event
        event.history.append(
            AttemptFailure(
                attempt: event.attempt, turn: event.turn, replay: event.replay, at: time.now(), worker: "w-1/aa",
                code: code, message: message))
        let letter = DeadLetter(
            event: event, queue: queue, reason: reason,
            place: RecordPlace(topic: plan.names.due(queue), partition: 0, offset: 0), raw: raw)
        try await append(plan.names.dead, by: event.fingerprint.bytes, letter.encoded())
        return DeadLetterKey(fingerprint: event.fingerprint, replay: event.replay)
    }

    @discardableResult
    func append(_ topic: String, by key: [UInt8], _ body: RecordBody) async throws -> AppendReceipt {
        let count = try await log.describe(topics: [topic])[0].partitions
        return try await log.append(
            LogAppend(
                topic: topic, partition: Murmur2.partition(of: key, count: count), key: body.key, value: body.value,
                headers: body.headers))
    }

    // MARK: Reading

    func records(_ topic: String) async throws -> [LogRecord] {
        let count = try await log.describe(topics: [topic])[0].partitions
        let found = Observed<[LogRecord]>([])
        for partition in 0..<count {
            try await log.scanAll(TopicPartition(topic, partition)) { records in
                found.update { $0 += records }
                return true
            }
        }
        return found.value
    }

    func dueEvents(_ queue: String = "default") async throws -> [TaskEvent] {
        try await records(plan.names.due(queue)).map(Self.event)
    }

    static func event(_ record: LogRecord) throws -> TaskEvent {
        try TaskEvent(
            key: record.key, value: record.value, headers: record.headers,
            place: RecordPlace(topic: record.topic, partition: record.partition, offset: record.offset))
    }
}

/// An event as a publisher made it.
func sampleEvent(_ id: String = "1", task: String = "report", key: String? = nil) -> TaskEvent {
    var event = TaskEvent(
        id: id, source: "test", task: task, payload: Array("{}".utf8), contentType: "application/json",
        fingerprint: Fingerprint(.event(source: "test", id: id)))
    event.partitionKey = key
    return event
}

/// The error that `body` throws; nil, and an issue, when it throws none or another.
func clientError<Result>(
    _ location: SourceLocation = #_sourceLocation, _ body: () async throws -> Result
) async -> ClientError? {
    do {
        _ = try await body()
        Issue.record("an error was expected", sourceLocation: location)
    } catch let error as ClientError {
        return error
    } catch {
        Issue.record("a ClientError was expected, not \(error)", sourceLocation: location)
    }
    return nil
}

/// A clock whose wall time is off by a step.
struct SteppedTimeSource: TimeSource {
    let base: ManualTimeSource
    let step: Int64

    func now() -> Timestamp { base.now() + step }
    func uptime() -> Int64 { base.uptime() }
    func sleep(milliseconds: Int64) async throws { try await base.sleep(milliseconds: milliseconds) }
}
