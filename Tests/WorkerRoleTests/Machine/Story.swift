import TaskLog
import TaskModel
import Testing

@testable import WorkerRole

/// A worker's machine and what the world does to it, told step by step: each step returns what the machine then did, as
/// short lines (see ``trace(_:)``). Appends wait until the story acknowledges or refuses them.
struct Story {
    static let names = TopicNames()
    static let due = TopicPartition(names.due("default"), 0)
    static let ledger = TopicPartition(names.ledger("default"), 0)

    var machine: WorkerStateMachine
    var now = WorkerNow(wall: Timestamp(seconds: 1_767_225_600), uptime: 1_000_000)
    /// Appends that nobody has answered yet.
    var onTheWay: [PendingAppend] = []
    /// Reports so far.
    var reports: [WorkerReport] = []
    /// Attempts started so far, by event id: the last one of each.
    var attempts: [String: AttemptStart] = [:]
    var names: [AttemptID: String] = [:]
    var nextOffset: Int64 = 0
    var nextLedgerOffset: Int64 = 0

    init(
        tasks: [String: TaskPolicy] = [
            "work": TaskPolicy(retry: RetryPolicy(initial: 1000, jitter: 0, maxAttempts: 3))
        ],
        nonce: String = "n1", _ change: (inout WorkerConfiguration) -> Void = { _ in }
    ) {
        var configuration = WorkerConfiguration(
            queues: [WorkerQueue(name: "default", partitions: 1)], controlPartitions: 1, workerID: "w", nonce: nonce)
        change(&configuration)
        machine = WorkerStateMachine(configuration: configuration, tasks: tasks)
    }

    mutating func wake(_ wake: WorkerWake) -> [String] {
        let actions = machine.handle(wake, now: now)
        for action in actions {
            switch action {
            case .append(let batch): onTheWay += batch.appends
            case .start(let starts):
                for start in starts {
                    attempts[start.event.id] = start
                    names[start.id] = start.event.id
                }
            case .report(let report): reports.append(report)
            default: break
            }
        }
        return actions.flatMap { trace($0) }
    }

    // MARK: steps

    /// Assigned, restored from an empty ledger, opened.
    @discardableResult
    mutating func open(
        epoch: Int64 = 1, committed: CommittedOffset? = nil, end: Int64 = 0, notes: [LedgerRecord] = []
    ) -> [String] {
        var lines = wake(.assigned([Self.due], epoch: epoch))
        lines += wake(.scanned(Self.due, epoch: epoch, notes.map { LedgerEntry(ledgerRecord($0)) }))
        return lines
            + wake(
                .restored(
                    Self.due, epoch: epoch,
                    RestoredPosition(
                        committed: committed ?? CommittedOffset(offset: 0, metadata: Self.clean),
                        due: OffsetBounds(start: 0, end: end), ledgerEnd: nextLedgerOffset)))
    }

    /// Due records of these events, at the next offsets.
    mutating func deliver(_ events: TaskEvent...) -> [String] { deliver(events) }

    mutating func deliver(_ events: [TaskEvent]) -> [String] {
        wake(.records(events.map { record($0) }))
    }

    mutating func record(_ event: TaskEvent) -> LogRecord {
        let body = event.encoded()
        return record(key: body.key, value: body.value, headers: body.headers)
    }

    mutating func record(key: [UInt8]?, value: [UInt8]?, headers: RecordHeaders = []) -> LogRecord {
        defer { nextOffset += 1 }
        return LogRecord(
            topic: Self.due.topic, partition: 0, offset: nextOffset, timestamp: now.wall, key: key, value: value,
            headers: headers)
    }

    mutating func ledgerRecord(_ entry: LedgerRecord) -> LogRecord {
        defer { nextLedgerOffset += 1 }
        return LogRecord(
            topic: Self.ledger.topic, partition: 0, offset: nextLedgerOffset, timestamp: now.wall,
            key: entry.coordinate.fingerprint.bytes, value: entry.encoded())
    }

    /// The follower brings this ledger record.
    mutating func read(_ entry: LedgerRecord) -> [String] { wake(.ledgerRecords([ledgerRecord(entry)])) }

    mutating func finish(_ id: String, _ result: AttemptResult = .completed) -> [String] {
        guard let attempt = attempts[id] else { return ["\(id) never started"] }
        return wake(.finished(attempt.id, result))
    }

    /// The offset of a receipt that does not say where its record is.
    static let untold: Int64 = -1

    /// Acknowledges the first `count` appends on the way (all by default), the first of them at this offset.
    mutating func acknowledge(_ count: Int? = nil, at first: Int64 = Self.untold) -> [String] {
        let answered = onTheWay.prefix(count ?? onTheWay.count)
        onTheWay.removeFirst(answered.count)
        return wake(
            .appended(
                AppendBatch(answered),
                answered.indices.map { index in
                    let offset = first == Self.untold ? first : first + Int64(index - answered.startIndex)
                    return .success(AppendReceipt(offset: offset, timestamp: now.wall))
                }))
    }

    mutating func refuse(_ count: Int? = nil, _ error: LogError = LogError(.unavailable, "down")) -> [String] {
        let answered = onTheWay.prefix(count ?? onTheWay.count)
        onTheWay.removeFirst(answered.count)
        return wake(.appended(AppendBatch(answered), answered.map { _ in .failure(error) }))
    }

    /// Lets time pass as the shell does: a timer wake whenever the machine asked for one.
    mutating func pass(_ milliseconds: Int64) -> [String] {
        let end = now.uptime + milliseconds
        var lines: [String] = []
        var rings = 0
        while let next = machine.nextWake, next <= end {
            rings += 1
            guard rings < 1000 else { return lines + ["the timer never rests"] }
            move(to: max(next, now.uptime))
            lines += wake(.timer)
        }
        move(to: end)
        return lines
    }

    private mutating func move(to uptime: Int64) {
        now.wall = now.wall + (uptime - now.uptime)
        now.uptime = uptime
    }

    // MARK: values

    static let clean = CommitMetadata(highMark: 0, holes: [], isClean: true).encoded(offset: 0)

    /// Of a partition that was left clean, its due topic kept from its beginning on.
    static func position(committed: Int64, end: Int64, ledgerEnd: Int64 = 0) -> RestoredPosition {
        RestoredPosition(
            committed: CommittedOffset(offset: committed, metadata: clean), due: OffsetBounds(start: 0, end: end),
            ledgerEnd: ledgerEnd)
    }

    static func event(_ id: String, task: String = "work", _ change: (inout TaskEvent) -> Void = { _ in }) -> TaskEvent
    {
        var event = TaskEvent(
            id: id, source: "test", task: task, payload: Array("{}".utf8),
            fingerprint: Fingerprint(.event(source: "test", id: id)))
        change(&event)
        return event
    }

    static func entry(
        _ event: TaskEvent, _ body: LedgerRecord.Body, worker: String = "other/n9"
    ) -> LedgerRecord {
        LedgerRecord(
            coordinate: event.coordinate, attempt: event.attempt, laneHash: event.laneHash, worker: worker, body: body)
    }

    static func outcome(_ event: TaskEvent, _ outcome: Outcome, worker: String = "other/n9") -> LedgerRecord {
        var detail = OutcomeDetail(outcome)
        if outcome.outcomeClass == .again {
            detail.delay = 5000
            detail.nextAttempt = event.attempt + 1
        }
        if outcome == .dead { detail.deathReason = .fatal }
        return entry(event, .outcome(detail), worker: worker)
    }
}
