import TaskLog
import TaskModel

@testable import WorkerRole

/// The lives of a process that some events kill at their start, on a log in arrays. Each life is a new machine; what it
/// appended before its death stays, what it knew is gone.
struct Lives {
    struct NeverSettled: Error { var lives: Int }

    private var due: [LogRecord] = []
    private var ledger: [LogRecord] = []
    private var committed: CommittedOffset?
    private let poisons: Set<String>
    private let concurrency: Int
    private var now = WorkerNow(wall: Timestamp(seconds: 1_767_225_600), uptime: 1_000_000)
    private(set) var count = 0
    private(set) var letters: [DeadLetter] = []
    /// Starts by event id, over all lives.
    private(set) var executions: [String: Int] = [:]

    init(events: [TaskEvent], poisons: Set<String>, concurrency: Int) {
        self.poisons = poisons
        self.concurrency = concurrency
        for (offset, event) in events.enumerated() {
            let body = event.encoded()
            due.append(
                LogRecord(
                    topic: Story.due.topic, partition: 0, offset: Int64(offset), timestamp: now.wall, key: body.key,
                    value: body.value, headers: body.headers))
        }
    }

    mutating func begin(isUnclean: Bool) {
        committed = CommittedOffset(
            offset: 0, metadata: CommitMetadata(highMark: 0, holes: [], isClean: !isUnclean).encoded(offset: 0))
    }

    var settledCount: Int { Set(outcomes.filter { $0.1 == .completed }.map(\.0)).count }

    func outcomes(of event: TaskEvent) -> [Outcome] {
        outcomes.filter { $0.0 == event.fingerprint }.map(\.1)
    }

    private var outcomes: [(Fingerprint, Outcome)] {
        ledger.compactMap { record in
            guard let entry = Self.entry(record), case .outcome(let detail) = entry.body else { return nil }
            return (entry.coordinate.fingerprint, detail.outcome)
        }
    }

    private static func entry(_ record: LogRecord) -> LedgerRecord? {
        guard let fingerprint = Fingerprint(bytes: record.key ?? []) else { return nil }
        return try? LedgerRecord(fingerprint: fingerprint, value: record.value ?? [])
    }

    mutating func liveUntilAllIsSettled(atMost limit: Int) throws {
        while committed?.offset != Int64(due.count) {
            guard count < limit else { throw NeverSettled(lives: count) }
            liveOnce()
        }
    }

    /// One life: until it dies, or has nothing left to do.
    private mutating func liveOnce() {
        var life = birth()
        var fetched = Int(committed?.offset ?? 0)
        while true {
            now.uptime += 100
            now.wall = now.wall + 100
            var actions = life.handle(.timer, now: now)
            if fetched < due.count {
                let batch = Array(due[fetched..<min(fetched + 100, due.count)])
                fetched += batch.count
                actions += life.handle(.records(batch), now: now)
            }
            guard let running = carryOut(actions, &life) else { return }
            var queue = running
            while !queue.isEmpty {
                let finished = life.handle(.finished(queue.removeFirst(), .completed), now: now)
                guard let more = carryOut(finished, &life) else { return }
                queue += more
            }
            if committed?.offset == Int64(due.count) { return }
        }
    }

    /// One life that starts what it may, and is stopped past its grace.
    mutating func startThenStop() {
        var life = birth()
        guard let running = carryOut(life.handle(.records(due), now: now), &life) else { return }
        _ = carryOut(life.handle(.stop, now: now), &life)
        now.uptime += 30_000
        _ = carryOut(life.handle(.timer, now: now), &life)
        for id in running {
            let ended = life.handle(.finished(id, .failed(code: "cancelled", message: "")), now: now)
            _ = carryOut(ended, &life)
        }
    }

    private mutating func birth() -> WorkerStateMachine {
        count += 1
        var configuration = WorkerConfiguration(
            queues: [WorkerQueue(name: "default", partitions: 1)], controlPartitions: 1, workerID: "w",
            nonce: "life-\(count)")
        configuration.concurrency = concurrency
        var life = WorkerStateMachine(configuration: configuration, tasks: ["work": TaskPolicy()])
        _ = life.handle(.assigned([Story.due], epoch: Int64(count)), now: now)
        _ = life.handle(.scanned(Story.due, epoch: Int64(count), ledger.map { LedgerEntry($0) }), now: now)
        let position = RestoredPosition(
            committed: committed, due: OffsetBounds(start: 0, end: Int64(due.count)), ledgerEnd: Int64(ledger.count))
        _ = carryOut(life.handle(.restored(Story.due, epoch: Int64(count), position), now: now), &life)
        return life
    }

    /// Does what the machine says, appends first as they come. Returns the attempts that run then; nil when one of them
    /// has killed the process.
    private mutating func carryOut(_ actions: [WorkerAction], _ life: inout WorkerStateMachine) -> [AttemptID]? {
        var queue = actions
        var running: [AttemptID] = []
        while !queue.isEmpty {
            var batch = AppendBatch()
            var results: [Result<AppendReceipt, LogError>] = []
            var starts: [AttemptStart] = []
            for action in queue {
                switch action {
                case .append(let more):
                    batch = AppendBatch(batch.appends + more.appends)
                    results += more.records.map { append($0) }
                case .start(let more): starts += more
                case .open(_, _, _, let commit): committed = commit
                case .commit(let commits): committed = commits[Story.due] ?? committed
                case .handOff(_, _, let commits): committed = commits[Story.due] ?? committed
                default: break
                }
            }
            for start in starts {
                executions[start.event.id, default: 0] += 1
                if poisons.contains(start.event.id) { return nil }
                running.append(start.id)
            }
            queue = results.isEmpty ? [] : life.handle(.appended(batch, results), now: now)
            let news = ledger.suffix(batch.records.count { $0.topic == Story.ledger.topic })
            if !news.isEmpty { queue += life.handle(.ledgerRecords(Array(news)), now: now) }
        }
        return running
    }

    private mutating func append(_ record: LogAppend) -> Result<AppendReceipt, LogError> {
        if record.topic == Story.ledger.topic {
            ledger.append(
                LogRecord(
                    topic: record.topic, partition: 0, offset: Int64(ledger.count), timestamp: now.wall,
                    key: record.key, value: record.value, headers: record.headers))
        } else if record.topic == Story.names.dead,
            case .letter(let letter)? = try? DeadTopicRecord(
                key: record.key, value: record.value, headers: record.headers,
                place: RecordPlace(topic: record.topic, partition: 0, offset: 0))
        {
            letters.append(letter)
        }
        return .success(AppendReceipt(offset: Story.untold, timestamp: now.wall))
    }
}
