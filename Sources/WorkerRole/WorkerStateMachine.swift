internal import Containers
internal import TaskLog
internal import TaskModel

/// All decisions of a worker, as a value: `handle(wake, now)` returns what to do.
///
/// It holds no clock, does no I/O, and starts nothing. The duties lie in extensions: `+Assignment`, `+Intake`,
/// `+Judgement`, `+Overlap`, `+Displacement`, `+Dispatch`, `+Settle`, `+Appends`, `+Ledger`, `+HandOff`, `+Trim`, `+Stop`.
///
/// A partition and its ledger have a slot, and it is theirs for good: names are looked up once for a batch of records.
/// They are changed in place: a copy of one held across a change would make that change copy its tables.
package struct WorkerStateMachine: Sendable {
    enum Life: Hashable, Sendable {
        case running
        /// Everything was handed off; attempts may finish until this uptime.
        case draining(until: Int64)
        /// What ran past the grace period was told to end; what is not acknowledged at this uptime is given up.
        case closing(until: Int64)
        case finished
    }

    let configuration: WorkerConfiguration
    let tasks: [String: TaskPolicy]
    /// Worker id and boot nonce.
    let identity: String
    var life = Life.running
    /// By due partition and by ledger.
    var slots: [TopicPartition: Int] = [:]
    /// By slot, as the ledgers are.
    var partitions: ContiguousArray<PartitionState> = []
    var ledgers: ContiguousArray<LedgerState> = []
    var assignments: Int64 = 0
    var attempts = AttemptTable()
    /// No attempt needs attention before this uptime; a lower bound.
    var nextAttemptCheck = Int64.max
    var departedDecisions: [Coordinate: DepartedDecision] = [:]
    /// Attempts that outlive their partition, by what they run.
    var departed: [Coordinate: AttemptID] = [:]
    var ready: ReadyQueues
    /// Ready suspects, in order of arrival; they start when the register admits them.
    var suspectsReady: [TurnPlace] = []
    var suspects: SuspectRegister
    /// Turns that lead their fingerprint now and are to be judged.
    var toJudge: [TurnPlace] = []
    /// Partitions that got room for what arrived too early.
    var toRefill: Set<Int> = []
    /// Turns that wait for their lanes, by slot.
    var laneWaits: [Int: [TurnPlace]] = [:]
    /// Cancels of other events of a lane that are on their way to the ledger.
    var displacing: Set<Coordinate> = []
    var refused = RefusedAppends()
    var handOffs = OpenHandOffs()
    var leaseEnds = MinHeap<LeaseEnd>()
    var nextCommit: Int64?
    /// Some partition may have something to commit.
    var hasNews = false
    /// The follower is told no sooner what it need not bring.
    var nextSkip = Int64.min
    /// The first of the ledgers' expiries.
    var nextExpiry: Int64?
    var nextEviction: Int64?
    var nextTrim: Int64?
    package private(set) var counters = WorkerCounters()
    private var actions: [WorkerAction] = []
    /// Appends, or starts, that follow each other and are one action: what was asked for last.
    var outgoing = AppendBatch()
    var starting: [AttemptStart] = []

    package init(configuration: WorkerConfiguration, tasks: [String: TaskPolicy]) {
        self.configuration = configuration
        self.tasks = tasks
        identity = configuration.identity
        ready = ReadyQueues(configuration.queues)
        suspects = SuspectRegister(concurrency: configuration.concurrency)
    }

    /// The uptime at which a `.timer` wake is due; nil when nothing waits for time. After that wake it lies later.
    package var nextWake: Int64? {
        var time = min(nextCommit ?? .max, nextEviction ?? .max, nextAttemptCheck, refused.nextTry ?? .max)
        if let trim = nextTrim { time = min(time, trim) }
        if let end = leaseEnds.first { time = min(time, end.uptime) }
        if let expiry = nextExpiry { time = min(time, expiry) }
        switch life {
        case .draining(let until), .closing(let until): time = min(time, until)
        case .running, .finished: break
        }
        return time == .max ? nil : time
    }

    package mutating func handle(_ wake: WorkerWake, now: WorkerNow) -> [WorkerAction] {
        guard life != .finished else { return [] }
        switch wake {
        case .assigned(let assigned, let epoch): assign(assigned, epoch: epoch, now)
        case .scanned(let due, let epoch, let entries): scanned(due, epoch: epoch, entries)
        case .restored(let due, let epoch, let position): restored(due, epoch: epoch, position, now)
        case .revoking(let revoked): handOff(revoked, now)
        case .lost(let lost): lose(lost, now)
        case .due(let batches): receive(batches, now)
        case .ledger(let batches): tail(batches, now)
        case .finished(let ends): for end in ends { finished(end.id, end.result, now) }
        case .appended(let batch, let results): appended(batch, results, now)
        case .timer: timers(now)
        case .stop: stop(now)
        }
        settleDown(now)
        dispatch(now)
        settleDown(now)
        scheduleCommit(now)
        finishIfDrained(now)
        flush()
        defer { actions = [] }
        return actions
    }

    /// Actions keep the order in which they were asked for.
    mutating func emit(_ action: WorkerAction) {
        flush()
        actions.append(action)
    }

    mutating func flush() {
        if !outgoing.isEmpty {
            actions.append(.append(outgoing))
            outgoing = AppendBatch()
        }
        if !starting.isEmpty {
            actions.append(.start(starting))
            starting = []
        }
    }

    /// What one step made possible for other turns: a loop, so that a thousand records of one fingerprint are no
    /// thousand stack frames.
    private mutating func settleDown(_ now: WorkerNow) {
        while true {
            if let place = toJudge.popLast() {
                judge(place, now)
            } else if let slot = toRefill.popFirst() {
                refill(slot, now)
            } else {
                return
            }
        }
    }

    mutating func count(_ keyPath: WritableKeyPath<WorkerCounters, UInt64>, by amount: UInt64 = 1) {
        counters[keyPath: keyPath] += amount
    }

    mutating func count(_ outcome: Outcome) { counters.count(outcome) }

    @inline(__always) func turn(at place: TurnPlace) -> Turn? { partitions.turn(at: place) }

    mutating func setStage(_ stage: TurnStage, at place: TurnPlace) {
        partitions[place.slot].setStage(stage, of: place)
    }

    private mutating func timers(_ now: WorkerNow) {
        repeatRefused(now)
        if nextAttemptCheck <= now.uptime { checkAttempts(now) }
        endLeases(now)
        if let time = nextEviction, time <= now.uptime { evict(now) }
        if let time = nextTrim, time <= now.uptime { trimDue(now) }
        dropExpiredLedgers(now)
        endDraining(now)
    }

    /// One commit per interval, of all partitions whose watermark or holes moved.
    private mutating func scheduleCommit(_ now: WorkerNow) {
        guard let due = nextCommit else {
            guard hasNews else { return }
            hasNews = false
            if partitions.contains(where: { $0.needsCommit && $0.phase == .open }) {
                nextCommit = now.uptime + configuration.commitInterval
            }
            return
        }
        guard due <= now.uptime else { return }
        nextCommit = nil
        let commits = takeCommits(partitions.indices, isClean: false)
        if !commits.isEmpty { emit(.commit(commits)) }
    }

    /// The commits of these partitions, as of now; partitions without news are left out unless `isClean`.
    mutating func takeCommits(
        _ slots: some Sequence<Int>, isClean: Bool
    ) -> [TopicPartition: CommittedOffset] {
        var commits: [TopicPartition: CommittedOffset] = [:]
        for slot in slots where partitions[slot].phase == .open && (partitions[slot].needsCommit || isClean) {
            commits[partitions[slot].due] = partitions[slot].takeCommit(isClean: isClean)
        }
        return commits
    }

    /// The slot of a due partition that is ours.
    func slot(of due: TopicPartition) -> Int? {
        guard let slot = slots[due], partitions[slot].phase != .away else { return nil }
        return slot
    }

    /// Of all partitions that are ours, in their order.
    var heldSlots: [Int] {
        partitions.indices.filter { partitions[$0].phase != .away }.sorted { partitions[$0].due < partitions[$1].due }
    }
}

/// When a lease that this worker waits for ends.
struct LeaseEnd: Hashable, Comparable, Sendable {
    var uptime: Int64
    var place: TurnPlace

    static func < (left: LeaseEnd, right: LeaseEnd) -> Bool { left.uptime < right.uptime }
}

extension ContiguousArray<PartitionState> {
    /// What is done for each event asks here, and not the machine: that would retain all that it refers to.
    @inline(__always) func turn(at place: TurnPlace) -> Turn? {
        // The partition is looked at where it lies: taken out, it would be copied with all that it refers to.
        withUnsafeBufferPointer { $0.baseAddress?[place.slot].table[place] }
    }
}
