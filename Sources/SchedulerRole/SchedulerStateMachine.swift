internal import TaskLog
internal import TaskModel

/// All that a scheduler decides: wakes and clock readings in, actions out. It owns no task and does no I/O.
///
/// Partitions come and go by assignment; each assignment is a ``Tenure``. What is to be written goes through the
/// ``Outbox``, in chains, so that a state never precedes its event nor a tombstone its emission.
struct SchedulerStateMachine: Sendable {
    enum Phase: Sendable {
        case running
        /// Takes nothing new; ends when all is written or the uptime has come.
        case draining(until: Int64)
        case ended
    }

    enum Hold: Sendable {
        /// No broker time known yet.
        case unknown
        case open
        /// Ahead of the broker; the journal is reminded at this uptime.
        case holding(remindAt: Int64)
    }

    struct Owned: Sendable {
        enum Phase: Sendable {
            case restoring(attempt: Int)
            /// Restored anew at this uptime.
            case waiting(until: Int64, attempt: Int)
            case open
            /// A higher epoch writes here: hands off until the group says more.
            case superseded
        }
        var tenure: Tenure
        var epoch: Int64
        var phase: Phase
    }

    struct SchedulePartition: Sendable {
        var table: ScheduleTable
        var commands: CommandQueue
        var isPaused = false
    }

    /// Stubs whose records could not be fetched, and when to try again.
    struct FailedFetch: Sendable {
        var tenure: Tenure
        var offsets: [Int64]
        var retryAt: Int64
    }

    let configuration: SchedulerConfiguration
    let maker: RecordMaker
    let metrics: SchedulerMetrics
    var phase = Phase.running
    var hold = Hold.unknown
    var clock: ClockGuard
    var outbox: Outbox<ChainPurpose>
    var directory: QueueDirectory
    var missingQueues: Set<String> = []
    var owned: [TopicPartition: Owned] = [:]
    var timers: [Int32: RetryTimers] = [:]
    var schedules: [Int32: SchedulePartition] = [:]
    var failedFetches: [FailedFetch] = []
    var lastTenure = 0
    var sent: [Int: ClockReading] = [:]
    var committed: [TopicPartition: Int64] = [:]
    var nextCommit = Int64.min
    var actions: [SchedulerAction] = []
    /// How many more events this call of ``handle(_:now:)`` may hand out.
    var portion = 0
    /// Whether somebody listens to notices.
    private let isWatched: Bool

    /// Most events handed out before what is ready goes to the log: the first do not wait for the last.
    static let maximumPortion = 4000
    /// Most chains on their way; what else is due stays in its heap.
    static let maximumChains = 50_000
    static let remindMilliseconds: Int64 = 300_000
    static let heldRecheckMilliseconds: Int64 = 5000
    static let fetchRetryMilliseconds: Int64 = 1000
    /// Most bytes in chains on their way.
    static let maximumChainBytes = 64 << 20

    init(
        configuration: SchedulerConfiguration, counts: TopicCounts, metrics: SchedulerMetrics, isWatched: Bool = true
    ) {
        self.configuration = configuration
        self.metrics = metrics
        self.isWatched = isWatched
        maker = RecordMaker(names: configuration.names, counts: counts, writerName: configuration.writerName)
        directory = QueueDirectory(names: configuration.names)
        clock = ClockGuard(maximumLead: configuration.maximumClockLead)
        outbox = Outbox(
            maximumRecords: configuration.maximumBatchRecords, maximumBytes: configuration.maximumBatchBytes)
    }

    /// Takes what happened, does what is due, and says what to do.
    mutating func handle(_ wakes: [SchedulerWake], now: ClockReading) -> [SchedulerAction] {
        for wake in wakes { take(wake, now) }
        portion = Self.maximumPortion
        if case .running = phase {
            judgeClock(now)
            restoreAgain(now)
            for partition in schedules.keys.sorted() { applyCommands(partition, now) }
            upkeep(now)
            if case .open = hold {
                for partition in timers.keys.sorted() { emitDue(partition, now) }
                for partition in schedules.keys.sorted() { fireDue(partition, now) }
            }
            for queue in directory.takeQuestions(uptime: now.uptime) { actions.append(.describe(queue: queue)) }
        }
        flush(now)
        commitIfDue(now)
        endIfDrained(now)
        defer { actions = [] }
        return actions
    }

    private mutating func take(_ wake: SchedulerWake, _ now: ClockReading) {
        switch wake {
        case .assigned(let partitions, let epoch): assign(partitions, epoch: epoch)
        case .revoking(let partitions): revoke(partitions)
        case .lost(let partitions): lose(partitions)
        case .records(let records): receive(records, now)
        case .followed(let records): follow(records)
        case .restored(let tenure, let restoration): open(tenure, restoration, now)
        case .restoreFailed(let tenure, let error): restoreFailed(tenure, error, now)
        case .appended(let batch, let results): appended(batch, results, now)
        case .fetched(let tenure, let asked, let result): fetched(tenure, asked: asked, result, now)
        case .described(let queue, let result): described(queue, result, now)
        case .timer: break
        case .stop: if case .running = phase { phase = .draining(until: now.uptime + drainMilliseconds) }
        case .failed(let error): actions.append(.fail(error))
        }
    }

    private var drainMilliseconds: Int64 { Int64(configuration.revokeTimeoutMilliseconds) }

    private mutating func flush(_ now: ClockReading) {
        while let batch = outbox.nextBatch(uptime: now.uptime) {
            sent[batch.id] = now
            actions.append(.append(batch: batch.id, batch.records))
        }
    }

    private mutating func endIfDrained(_ now: ClockReading) {
        guard case .draining(let until) = phase, outbox.isEmpty || until <= now.uptime else { return }
        phase = .ended
        for partition in timers.keys { timers[partition]?.settleOffsets() }
        actions.append(.finish(settledOffsets(of: Array(owned.keys))))
    }

    /// Whether more is due than was handed out: it is to be called again at once, when its actions are under way.
    var isBehind: Bool { portion == 0 && room > 0 }

    mutating func notice(_ notice: SchedulerNotice) {
        if isWatched { actions.append(.notice(notice)) }
    }

    /// How many chains may still be added; acknowledgements make room.
    var room: Int {
        outbox.byteCount < Self.maximumChainBytes ? max(0, Self.maximumChains - outbox.count) : 0
    }

    // MARK: when to wake

    /// The uptime at which `handle` is to be called even if nothing happens; nil when nothing is awaited.
    mutating func nextWake(_ now: ClockReading) -> Int64? {
        var deadlines = [outbox.nextAttempt, nextCommitWake()]
        switch phase {
        case .ended: return nil
        case .draining(let until): deadlines.append(until)
        case .running:
            deadlines += [
                directory.nextQuestion, nextRestore, failedFetches.map(\.retryAt).min(), nextWallWake(now),
            ]
        }
        return deadlines.compactMap { $0 }.min()
    }

    private var nextRestore: Int64? {
        owned.values.compactMap { if case .waiting(let until, _) = $0.phase { until } else { nil } }.min()
    }

    /// What waits for the wall clock. The sleep is bounded, not to look for work, but so that a step of the clock is
    /// noticed: it wakes nobody.
    private mutating func nextWallWake(_ now: ClockReading) -> Int64? {
        switch hold {
        case .unknown: return nil
        case .holding(let remindAt): return min(remindAt, now.uptime + Self.heldRecheckMilliseconds)
        case .open: break
        }
        guard room > 0 else { return nil }
        var earliest: Timestamp?
        func consider(_ time: Timestamp?) {
            if let time { earliest = min(earliest ?? time, time) }
        }
        for partition in Array(timers.keys) {
            consider(timers[partition]?.nextWake(fetchAhead: configuration.fetchAheadMilliseconds))
        }
        for partition in Array(schedules.keys) { consider(schedules[partition]?.table.nextWake()) }
        return earliest.map {
            now.uptime + max(0, min($0 - now.wall, configuration.clockRecheckMilliseconds))
        }
    }

    // MARK: the clock

    private mutating func judgeClock(_ now: ClockReading) {
        switch (clock.judge(now), hold) {
        case (.unknown, _): hold = .unknown
        case (.agrees, .holding):
            hold = .open
            metrics.clockHold.set(0)
            actions.append(.log(LogLine(level: .info, message: "the clocks agree again: fires go on")))
            actions.append(.notice(.resumed))
            journal(.released, subject: configuration.writerName, reason: "the clocks agree again", now)
        case (.agrees, _): hold = .open
        case (.ahead(let lead), .holding(let remindAt)):
            guard remindAt <= now.uptime else { return }
            // The reminder's acknowledgement also tells the broker's time anew.
            hold = .holding(remindAt: now.uptime + Self.remindMilliseconds)
            journal(.held, subject: configuration.writerName, reason: Self.aheadReason(lead), now)
        case (.ahead(let lead), _):
            hold = .holding(remindAt: now.uptime + Self.remindMilliseconds)
            metrics.clockHold.set(1)
            actions.append(
                .log(LogLine(level: .error, message: "fires are held: \(Self.aheadReason(lead)); set the clock")))
            actions.append(.notice(.held(leadMilliseconds: lead)))
            journal(.held, subject: configuration.writerName, reason: Self.aheadReason(lead), now)
        }
    }

    private static func aheadReason(_ lead: Int64) -> String {
        "this machine's clock is \(lead) ms ahead of the broker's"
    }

    // MARK: commits

    /// How far each of these partitions is settled.
    func settledOffsets(of partitions: [TopicPartition]) -> [TopicPartition: CommittedOffset] {
        var offsets: [TopicPartition: CommittedOffset] = [:]
        for partition in partitions {
            if let offset = settledOffset(of: partition) { offsets[partition] = CommittedOffset(offset: offset) }
        }
        return offsets
    }

    private func settledOffset(of partition: TopicPartition) -> Int64? {
        if partition.topic == configuration.names.commands {
            return schedules[partition.partition]?.commands.settledOffset
        }
        return timers[partition.partition]?.lowestLiveOffset
    }

    private var uncommitted: [TopicPartition: CommittedOffset] {
        settledOffsets(of: Array(owned.keys)).filter { committed[$0.key] != $0.value.offset }
    }

    private func nextCommitWake() -> Int64? {
        uncommitted.isEmpty ? nil : nextCommit
    }

    private mutating func commitIfDue(_ now: ClockReading) {
        guard case .running = phase, now.uptime >= nextCommit else { return }
        let offsets = uncommitted
        guard !offsets.isEmpty else { return }
        nextCommit = now.uptime + configuration.commitIntervalMilliseconds
        committed.merge(offsets.mapValues(\.offset)) { $1 }
        actions.append(.commit(offsets))
    }

    // MARK: the journal

    mutating func journal(_ entry: JournalEntry) {
        outbox.add([[maker.journal(entry)]], for: .journal)
    }

    mutating func journal(_ kind: JournalEntry.Kind, subject: String, reason: String, _ now: ClockReading) {
        journal(
            JournalEntry(
                subject: subject, kind: kind, at: now.wall, author: Self.author, reason: reason))
    }

    /// Who decides, in the journal.
    static let author = "scheduler"

    func isCurrent(_ tenure: Tenure) -> Bool { owned[tenure.partition]?.tenure == tenure }
}
