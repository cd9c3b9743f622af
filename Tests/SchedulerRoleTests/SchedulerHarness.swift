import SchedulerRole
import ServiceRuntime
import TaskLog
import TaskModel
import TaskTelemetry
import TaskTestKit
import Testing

/// A log in memory, a clock that stands still, and schedulers that run on them.
final class SchedulerHarness: Sendable {
    static let start = Timestamp(rfc3339: "2026-11-21T12:00:30Z")!

    let time: ManualTimeSource
    let log: MemoryTaskLog
    let names = TopicNames()
    let partitions: Int32

    init(partitions: Int32 = 2, brokerTime: ManualTimeSource? = nil) async throws {
        time = ManualTimeSource(now: Self.start)
        log = MemoryTaskLog(time: brokerTime ?? time)
        self.partitions = partitions
        let plan = TopicPlan(
            queues: [QueuePlan(name: "default", partitions: 4)], controlPartitions: partitions, replication: 1,
            minInSyncReplicas: 1)
        _ = try await log.ensure(topics: plan.specs)
    }

    /// Runs `body` beside a scheduler on a log handle of its own; then stops it.
    @discardableResult
    func withScheduler<Value: Sendable>(
        _ name: String = "a", payloadBudget: Int = 64 << 20,
        _ body: @escaping @Sendable (RunningScheduler) async throws -> Value
    ) async throws -> Value {
        var configuration = SchedulerConfiguration(clientID: name, bootNonce: "boot-\(name)")
        // So that nothing but what a test speaks of sets the alarm.
        configuration.commitIntervalMilliseconds = 0
        configuration.payloadBudget = payloadBudget
        let scheduler = RunningScheduler(harness: self, configuration: configuration)
        return try await withTimeout(seconds: 30, "scheduler \(name)") {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    do {
                        try await scheduler.service.run()
                    } catch  where scheduler.isCrashed.value {
                        // The log of a crashed process is closed: that is how it ends.
                    }
                }
                let value = try await body(scheduler)
                await scheduler.service.stop()
                try await group.waitForAll()
                return value
            }
        }
    }

    // MARK: writing

    func append(_ topic: String, _ partition: Int32, _ body: RecordBody) async throws {
        _ = try await log.append(
            LogAppend(
                topic: topic, partition: partition, key: body.key, value: body.value, headers: body.headers))
    }

    func wait(_ event: WaitingEvent) async throws {
        try await append(
            names.retry, Murmur2.partition(of: event.event.fingerprint.bytes, count: partitions), event.encoded())
    }

    func cancel(_ event: TaskEvent) async throws {
        let key = RetryKey.cancel(event.fingerprint, replay: event.replay)
        try await append(
            names.retry, Murmur2.partition(of: event.fingerprint.bytes, count: partitions),
            RecordBody(key: key.bytes, value: [], headers: []))
    }

    func send(_ command: ScheduleCommand) async throws {
        try await append(
            names.commands, Murmur2.partition(of: Array(command.scheduleID.utf8), count: partitions),
            CommandsTopicRecord.command(command).encoded())
    }

    // MARK: reading

    func records(of topic: String) async throws -> [LogRecord] {
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

    func due(_ queue: String = "default") async throws -> [TaskEvent] {
        try await records(of: names.due(queue)).map {
            try TaskEvent(
                key: $0.key, value: $0.value, headers: $0.headers,
                place: RecordPlace(topic: $0.topic, partition: $0.partition, offset: $0.offset))
        }
    }

    func results(of commands: String...) async throws -> [CommandResult] {
        try await records(of: names.commands).compactMap {
            let record = try CommandsTopicRecord(key: $0.key, value: $0.value, headers: $0.headers)
            guard case .result(let result) = record, commands.contains(result.commandID) else { return nil }
            return result
        }
    }

    /// The schedules as the log holds them now.
    func schedules() async throws -> (definitions: [String: ScheduleDefinition], states: [String: ScheduleState]) {
        var definitions: [String: ScheduleDefinition] = [:]
        var states: [String: ScheduleState] = [:]
        for record in try await records(of: names.schedules) {
            switch try SchedulesTopicRecord(key: record.key, value: record.value) {
            case .definition(let definition): definitions[definition.spec.id] = definition
            case .state(let id, let state): states[id] = state
            case .tombstone(.spec(let id)): definitions[id] = nil
            case .tombstone(.state(let id)): states[id] = nil
            }
        }
        return (definitions, states)
    }

    func journal(_ subject: String) async throws -> [JournalEntry] {
        try await records(of: names.journal).map { try JournalEntry(key: $0.key, value: $0.value) }
            .filter { $0.subject == subject }
    }

    /// Whether every waiting event has its tombstone.
    func isRetryEmpty() async throws -> Bool {
        var live: Set<[UInt8]> = []
        for record in try await records(of: names.retry) {
            if record.value == nil { live.remove(record.key ?? []) } else { live.insert(record.key ?? []) }
        }
        return live.isEmpty
    }
}

/// A scheduler and what it said.
final class RunningScheduler: Sendable {
    let harness: SchedulerHarness
    let log: MemoryTaskLog
    let service: SchedulerService
    let notices = Observed<[SchedulerNotice]>([])
    let isCrashed = Observed(false)

    init(harness: SchedulerHarness, configuration: SchedulerConfiguration) {
        self.harness = harness
        log = MemoryTaskLog(broker: harness.log.broker)
        let notices = notices
        service = SchedulerService(
            log: log, time: harness.time, configuration: configuration, metrics: SchedulerMetrics(MetricsRegistry()),
            probe: { notice in notices.update { $0.append(notice) } })
    }

    /// The process dies as by SIGKILL.
    func crash() {
        isCrashed.update { $0 = true }
        log.crash()
    }

    @discardableResult
    func wait(_ count: Int = 1, for isWanted: @escaping @Sendable (SchedulerNotice) -> Bool) async throws
        -> [SchedulerNotice]
    {
        try await notices.wait { $0.count(where: isWanted) >= count }.filter(isWanted)
    }

    func restored(_ count: Int? = nil) async throws {
        try await wait(count ?? Int(2 * harness.partitions)) { if case .restored = $0 { true } else { false } }
    }

    @discardableResult
    func emitted(_ count: Int) async throws -> [Coordinate] {
        try await wait(count) { if case .emitted = $0 { true } else { false } }.map {
            guard case .emitted(let coordinate, _) = $0 else { preconditionFailure("filtered") }
            return coordinate
        }
    }

    var emittedCount: Int { notices.value.count { if case .emitted = $0 { true } else { false } } }

    func answered(_ command: String) async throws {
        try await wait { if case .answered(command, _) = $0 { true } else { false } }
    }

    /// It sleeps until exactly this much later than now.
    func armed(inMilliseconds milliseconds: Int64) async throws {
        let deadline = harness.time.uptime() + milliseconds
        try await wait { $0 == .armed(untilUptime: deadline) }
        try await harness.time.waitForSleepers(count: 1)
    }
}

func event(_ name: String, task: String = "t", payload: [UInt8] = [1, 2, 3]) -> TaskEvent {
    TaskEvent(
        id: name, source: "test", task: task, payload: payload,
        fingerprint: Fingerprint(.event(source: "test", id: name)))
}

func everyMinute(_ id: String = "s", _ change: (inout ScheduleSpec) -> Void = { _ in }) -> ScheduleSpec {
    var spec = ScheduleSpec(
        id: id, task: "t", trigger: .interval(milliseconds: 60_000, anchor: nil), payload: [7])
    change(&spec)
    return spec
}

func put(_ spec: ScheduleSpec, id: String, base: UInt64? = nil, author: String = "ada") -> ScheduleCommand {
    ScheduleCommand(id: id, scheduleID: spec.id, kind: .put(spec), baseRevision: base, author: author, origin: .cli)
}
