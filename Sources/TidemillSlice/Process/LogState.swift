import TaskLog
import TaskModel

/// All that was read of a run's topics and heard from its processes, so far.
struct LogState: Sendable {
    private let names: TopicNames

    init(names: TopicNames) { self.names = names }

    private(set) var statements: [LedgerStatement] = []
    /// Lease notes, by holder.
    private(set) var leases: [(coordinate: Coordinate, holder: String)] = []
    /// The best outcome of each piece of work that has ended.
    private(set) var ends: [WorkKey: Outcome] = [:]
    /// How many have ended, by replay.
    private(set) var endedByReplay: [UInt32: Int] = [:]
    private(set) var letters: [DeadLetterKey: DeathReason] = [:]
    private(set) var marks: [DeadLetterKey: DeadLetterMark.Kind] = [:]
    private(set) var waiting: [WaitingRecord] = []
    private(set) var stillWaiting: Set<Coordinate> = []
    private(set) var emissions: [Emission] = []
    /// Emitted turns without an outcome, by the broker's time of their first emission; works that are to take long apart.
    private(set) var open: [Coordinate: Timestamp] = [:]
    private var decided: Set<Coordinate> = []
    /// When the first end of each piece of work had been read.
    private(set) var endReadAt: [WorkKey: Timestamp] = [:]
    /// From the processes' output.
    private(set) var lines: [ExecutionLine] = []
    private(set) var unexpectedEnds: [String] = []
    /// Records of these topics that nothing can read.
    private(set) var unreadable = 0

    mutating func add(_ line: ExecutionLine) { lines.append(line) }
    mutating func add(unexpectedEnd: String) { unexpectedEnds.append(unexpectedEnd) }

    /// `readAt`: when they came in, by this machine's clock.
    mutating func add(_ records: [LogRecord], readAt: Timestamp = .distantFuture) {
        for record in records {
            do {
                if record.topic == names.retry {
                    try addRetry(record)
                } else if record.topic == names.dead {
                    try addDead(record)
                } else if names.queue(ofDueTopic: record.topic) != nil {
                    let event = try TaskEvent(
                        key: record.key, value: record.value, headers: record.headers, place: record.recordPlace)
                    addEmission(of: event, at: record.timestamp)
                } else {
                    try addLedger(record, readAt)
                }
            } catch {
                unreadable += 1
            }
        }
    }

    private mutating func addEmission(of event: TaskEvent, at time: Timestamp) {
        let coordinate = event.coordinate
        emissions.append(
            Emission(
                coordinate: coordinate, time: time,
                fire: event.scheduleID.flatMap { id in
                    event.nominalTime.map { Emission.Fire(schedule: id, nominal: $0) }
                }))
        guard event.source != Work.longSource, !decided.contains(coordinate), ends[WorkKey(coordinate)] == nil,
            open[coordinate] == nil
        else { return }
        open[coordinate] = time
    }

    private mutating func addLedger(_ record: LogRecord, _ readAt: Timestamp) throws {
        guard let fingerprint = Fingerprint(bytes: record.key ?? []) else {
            throw SliceFailure("a ledger key is a fingerprint")
        }
        let entry = try LedgerRecord(fingerprint: fingerprint, value: record.value ?? [])
        switch entry.body {
        case .leased(let lease): leases.append((entry.coordinate, lease.holder))
        case .released, .started, .displaced: break
        case .outcome(let detail):
            statements.append(
                LedgerStatement(
                    coordinate: entry.coordinate, outcome: detail.outcome, worker: entry.worker,
                    endedAt: detail.endedAt))
            open[entry.coordinate] = nil
            decided.insert(entry.coordinate)
            guard detail.outcome.outcomeClass != .again else { return }
            let key = WorkKey(entry.coordinate)
            if let known = ends[key] {
                if detail.outcome == .completed, known != .completed { ends[key] = .completed }
            } else {
                ends[key] = detail.outcome
                endReadAt[key] = readAt
                endedByReplay[key.replay, default: 0] += 1
            }
        }
    }

    private mutating func addDead(_ record: LogRecord) throws {
        switch try DeadTopicRecord(
            key: record.key, value: record.value, headers: record.headers, place: record.recordPlace)
        {
        case .letter(let letter):
            letters[DeadLetterKey(fingerprint: letter.event.fingerprint, replay: letter.event.replay)] = letter.reason
        case .mark(let key, let mark): marks[key] = mark.kind
        }
    }

    private mutating func addRetry(_ record: LogRecord) throws {
        guard case .emission(let coordinate)? = RetryKey(record.key) else { return }
        guard record.value != nil else {
            stillWaiting.remove(coordinate)
            return
        }
        let event = try WaitingEvent(
            key: record.key, value: record.value, headers: record.headers, place: record.recordPlace)
        waiting.append(WaitingRecord(coordinate: coordinate, dueTime: event.dueTime(recordedAt: record.timestamp)))
        stillWaiting.insert(coordinate)
    }

    /// Ended first runs.
    var ended: Int { endedByReplay[0] ?? 0 }

    func auditInput(
        accepted: Set<Fingerprint>, executions: [Execution], interventions: [Int32: Intervention]
    ) -> AuditInput {
        AuditInput(
            accepted: accepted, statements: statements, letters: Set(letters.keys), marks: marks, waiting: waiting,
            stillWaiting: stillWaiting, emissions: emissions, executions: executions, interventions: interventions)
    }
}

extension LogRecord {
    fileprivate var recordPlace: RecordPlace { RecordPlace(topic: topic, partition: partition, offset: offset) }
}
