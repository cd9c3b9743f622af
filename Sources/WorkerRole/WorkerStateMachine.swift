internal import TaskLog
internal import TaskModel

/// All decisions of a worker, as a value: `handle(wake, now)` returns what to do.
///
/// It holds no clock, does no I/O, and starts nothing. The duties lie in extensions: `+Assignment`, `+Intake`,
/// `+Dispatch`, `+Settle`, `+Ledger`, `+HandOff`.
package struct WorkerStateMachine: Sendable {
    enum Life: Hashable, Sendable {
        case running
        /// Everything was handed off; attempts may finish until this uptime.
        case draining(until: Int64)
        case finished
    }

    let configuration: WorkerConfiguration
    let tasks: [String: TaskPolicy]
    var life = Life.running
    var partitions: [TopicPartition: PartitionState] = [:]
    var ledgers: [TopicPartition: LedgerState] = [:]
    var attempts: [AttemptID: Attempt] = [:]
    /// Decisions of departed attempts that are not acknowledged yet.
    var departedDecisions: [Coordinate: PendingAppend] = [:]
    /// Attempts that outlive their partition, by what they run.
    var departed: [Coordinate: AttemptID] = [:]
    var nextAttemptID: AttemptID = 1
    var ready: ReadyQueues
    /// Ready suspects, in order of arrival; they start when the register admits them.
    var suspectsReady: [TurnPlace] = []
    var suspects = SuspectRegister()
    /// Appends that the log refused, to be tried again at this uptime.
    var refused: [PendingAppend] = []
    var refusedUntil: Int64?
    var leaseEnds = MinHeap<LeaseEnd>()
    var nextCommit: Int64?
    var nextEviction: Int64?
    package private(set) var counters = WorkerCounters()
    var actions: [WorkerAction] = []

    package init(configuration: WorkerConfiguration, tasks: [String: TaskPolicy]) {
        self.configuration = configuration
        self.tasks = tasks
        ready = ReadyQueues(configuration.queues)
    }

    /// The uptime at which a `.timer` wake is due; nil when nothing waits for time.
    package var nextWake: Int64? {
        var times = [nextCommit, nextEviction, refusedUntil, leaseEnds.first?.uptime].compactMap { $0 }
        for attempt in attempts.values { times.append(nextWake(of: attempt)) }
        for ledger in ledgers.values { if let expiry = ledger.expiresAt { times.append(expiry) } }
        if case .draining(let until) = life { times.append(until) }
        return times.min()
    }

    package mutating func handle(_ wake: WorkerWake, now: WorkerNow) -> [WorkerAction] {
        switch wake {
        case .assigned(let assigned, let epoch): assign(assigned, epoch: epoch)
        case .scanned(let due, let epoch, let records): scanned(due, epoch: epoch, records)
        case .restored(let due, let epoch, let position): restored(due, epoch: epoch, position, now)
        case .revoking(let revoked): handOff(revoked, now)
        case .lost(let lost): lose(lost, now)
        case .records(let records): receive(records, now)
        case .ledger(let records): tail(records, now)
        case .finished(let id, let result): finished(id, result, now)
        case .appended(let results): appended(results, now)
        case .timer: timers(now)
        case .stop: stop(now)
        }
        dispatch(now)
        scheduleCommit(now)
        finishIfDrained()
        defer { actions = [] }
        return actions
    }

    mutating func count(_ keyPath: WritableKeyPath<WorkerCounters, UInt64>, by amount: UInt64 = 1) {
        counters[keyPath: keyPath] += amount
    }

    mutating func append(_ purpose: AppendPurpose, _ record: LogAppend) {
        actions.append(.append(PendingAppend(purpose: purpose, record: record)))
    }

    mutating func appendLedger(_ record: LedgerRecord, to ledger: TopicPartition, _ purpose: AppendPurpose) {
        append(
            purpose,
            LogAppend(
                topic: ledger.topic, partition: ledger.partition, key: record.coordinate.fingerprint.bytes,
                value: record.encoded()))
    }

    /// The partition of a shared topic (`retry`, `dead`) that keeps this fingerprint.
    func controlPartition(of fingerprint: Fingerprint) -> Int32 {
        Murmur2.partition(of: fingerprint.bytes, count: configuration.controlPartitions)
    }

    private mutating func timers(_ now: WorkerNow) {
        if let until = refusedUntil, until <= now.uptime {
            refusedUntil = nil
            for append in refused { actions.append(.append(append)) }
            refused = []
        }
        checkAttempts(now)
        endLeases(now)
        if let time = nextEviction, time <= now.uptime { evict(now) }
        dropExpiredLedgers(now)
        if case .draining(let until) = life, until <= now.uptime { releaseRest(now) }
    }

    /// One commit per interval, of all partitions whose watermark or holes moved.
    private mutating func scheduleCommit(_ now: WorkerNow) {
        // A time in the past that nothing clears would wake the loop without end.
        guard case .running = life, partitions.values.contains(where: { $0.needsCommit && $0.phase == .open }) else {
            nextCommit = nil
            return
        }
        guard let due = nextCommit else {
            nextCommit = now.uptime + configuration.commitInterval
            return
        }
        guard due <= now.uptime else { return }
        nextCommit = nil
        let commits = takeCommits(Array(partitions.keys), isClean: false)
        if !commits.isEmpty { actions.append(.commit(commits)) }
    }

    /// The commits of these partitions, as of now; partitions without news are left out unless `isClean`.
    mutating func takeCommits(_ keys: [TopicPartition], isClean: Bool) -> [TopicPartition: CommittedOffset] {
        var commits: [TopicPartition: CommittedOffset] = [:]
        for key in keys {
            guard let partition = partitions[key], partition.phase == .open, partition.needsCommit || isClean else {
                continue
            }
            let metadata = CommitMetadata(partition.tracker, isClean: isClean)
            let commit = CommittedOffset(
                offset: partition.tracker.watermark, metadata: metadata.encoded(offset: partition.tracker.watermark))
            partitions[key]?.needsCommit = false
            guard commit != partition.lastCommit else { continue }
            partitions[key]?.lastCommit = commit
            commits[key] = commit
        }
        return commits
    }

    private mutating func finishIfDrained() {
        guard case .draining = life, attempts.isEmpty, departedDecisions.isEmpty else { return }
        life = .finished
        actions.append(.finish)
    }
}

/// When a lease that this worker waits for ends.
struct LeaseEnd: Hashable, Comparable, Sendable {
    var uptime: Int64
    var place: TurnPlace

    static func < (left: LeaseEnd, right: LeaseEnd) -> Bool { left.uptime < right.uptime }
}

/// Counts since the start, for metrics and tests.
package struct WorkerCounters: Hashable, Sendable {
    package var received: UInt64 = 0
    package var started: UInt64 = 0
    package var completed: UInt64 = 0
    package var retrying: UInt64 = 0
    package var snoozed: UInt64 = 0
    package var dead: UInt64 = 0
    package var cancelled: UInt64 = 0
    package var expired: UInt64 = 0
    package var skipped: UInt64 = 0
    /// Events that the ledger had settled already.
    package var stale: UInt64 = 0
    /// Records of a coordinate that is at work here already.
    package var duplicates: UInt64 = 0
    /// Effects done again after a takeover.
    package var redone: UInt64 = 0
    package var forwarded: UInt64 = 0
    package var undecodable: UInt64 = 0
    package var leased: UInt64 = 0
    package var reattached: UInt64 = 0
    package var appendFailures: UInt64 = 0
    package var timeouts: UInt64 = 0

    package init() {}

    mutating func count(_ outcome: Outcome) {
        switch outcome {
        case .completed: completed += 1
        case .retrying: retrying += 1
        case .snoozed: snoozed += 1
        case .dead: dead += 1
        case .cancelled: cancelled += 1
        case .expired: expired += 1
        case .skipped: skipped += 1
        }
    }
}

extension WorkerStateMachine {
    mutating func count(_ outcome: Outcome) { counters.count(outcome) }
}
