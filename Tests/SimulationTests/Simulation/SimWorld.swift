import TaskLog
import TaskModel
import WorkerRole

/// One run of one attempt.
final class SimExecution {
    let coordinate: Coordinate
    unowned let process: SimProcess
    /// A crash, a long pause, a lost session or lease may have hidden its end: the turn may run again.
    /// By a pause, a crash or a lost partition, for good; or as long as its lease may not have reached the log.
    var isDisturbed: Bool {
        get { wasDisturbed || hasUnsureLease }
        set { wasDisturbed = newValue }
    }
    private var wasDisturbed: Bool
    var hasUnsureLease = false
    /// Whatever disturbed it, another worker may have ended it already: nobody waits for this one.
    var isForgotten = false
    var isCancelled = false

    init(_ coordinate: Coordinate, _ process: SimProcess, isDisturbed: Bool) {
        self.coordinate = coordinate
        self.process = process
        wasDisturbed = isDisturbed
    }
}

/// A simulated installation: log, groups, processes, a client, faults, all from one seed, on one thread.
final class SimWorld {
    static let names = TopicNames()
    static let epoch = Timestamp(milliseconds: 1_700_000_000_000)
    /// A pause that may outlive a lease or a session.
    static let longPause: Int64 = 5000
    /// From so long a pause on a lease may end: it is renewed every third of its 30 s.
    static let unsureLease: Int64 = 20_000

    let seed: UInt64
    let sabotage: SimSabotage
    let plan: SimPlan
    var random: SimRandom
    private(set) var clock: Int64 = 0
    /// Names of processes that crashed, or were not heard of for long.
    private(set) var disturbed: Set<String> = []
    private(set) var log = SimLog()
    private(set) var violation: SimViolation?
    private(set) var steps = 0
    private(set) var faultCount = 0
    private(set) var executions: [Coordinate: [SimExecution]] = [:]
    private(set) var executionCount = 0
    private(set) var reattached: UInt64 = 0
    var history = SimHistory()
    private var queue = SimQueue()
    private var recorder: SimTrace?
    private(set) var workerGroup: SimGroup!
    private(set) var schedulerGroup: SimGroup!
    private(set) var workers: [SimWorker] = []
    private(set) var schedulers: [SimScheduler] = []
    private var nonces = 0
    private let tasks: [Fingerprint: SimTask]
    let plannedEvents: [Fingerprint: TaskEvent]
    let cancelledByPerson: Set<Fingerprint>
    /// When a person's cancel of a turn was written.
    var cancelWritten: [Coordinate: Int64] = [:]
    /// Starts in a lane where something else runs.
    var laneMeetings = 0

    init(seed: UInt64, sabotage: SimSabotage = .none, isTraced: Bool = false) {
        self.seed = seed
        self.sabotage = sabotage
        var random = SimRandom(seed)
        plan = SimPlan(seed: seed, random: &random)
        self.random = random
        recorder = isTraced ? SimTrace() : nil
        plannedEvents = Dictionary(plan.events.map { ($0.event.fingerprint, $0.event) }) { $1 }
        cancelledByPerson = Set(plan.events.filter { $0.cancelledAt != nil }.map(\.event.fingerprint))
        tasks = Dictionary(plan.events.map { ($0.event.fingerprint, $0.task) }) { $1 }
        workerGroup = SimGroup(world: self, partitions: Self.partitions(Self.names.due("default"), plan.partitions))
        schedulerGroup = SimGroup(
            world: self,
            partitions: Self.partitions(Self.names.commands, plan.controlPartitions)
                + Self.partitions(Self.names.retry, plan.controlPartitions))
    }

    static func partitions(_ topic: String, _ count: Int32) -> [TopicPartition] {
        (0..<count).map { TopicPartition(topic, $0) }
    }

    static func ledgerRecord(_ record: LogRecord) -> LedgerRecord? {
        LedgerRecord(key: record.key, value: record.value)
    }

    var brokerTime: Timestamp { Self.epoch + clock }
    var traceLines: [String] { recorder?.lines ?? [] }

    // MARK: time

    func at(_ time: Int64, _ body: @escaping () -> Void) { queue.add(at: max(time, clock), body) }

    /// In a process: held while it is paused, dropped when it is gone.
    func after(_ delay: Int64, in process: SimProcess, _ body: @escaping () -> Void) {
        at(clock + delay) {
            switch process.state {
            case .running: body()
            case .paused: process.hold(body)
            case .gone: break
            }
        }
    }

    /// Runs until `time`, or the first violation.
    func run(until time: Int64) {
        while violation == nil, let next = queue.nextTime, next <= time, let body = queue.pop() {
            clock = next
            steps += 1
            body()
            if steps > 40_000 { violate("the world comes to rest", "\(steps) steps by \(clock) ms") }
        }
        if violation == nil { clock = max(clock, time) }
    }

    /// The whole story: faults until their end, then rest, then the last questions.
    func runAll() {
        for slot in 0..<plan.workers { spawnWorker(slot) }
        for slot in 0..<plan.schedulers { spawnScheduler(slot) }
        for event in plan.events { publish(event) }
        for schedule in plan.schedules { order(schedule) }
        for (time, fault) in plan.faults { at(time) { [unowned self] in inject(fault) } }
        run(until: plan.faultEnd)
        heal()
        let limit = plan.faultEnd + 1_800_000
        while violation == nil, !isSettled(), clock < limit { run(until: clock + 5000) }
        run(until: clock + 120_000)
        for worker in workers { reattached += worker.machine.counters.reattached }
        if violation == nil { checkAtRest() }
    }

    // MARK: what is seen

    func trace(_ text: @autoclosure () -> String) {
        recorder?.add("\(clock) \(text())")
    }

    func violate(_ rule: String, _ detail: String) {
        guard violation == nil else { return }
        trace("VIOLATION: \(rule): \(detail)")
        violation = SimViolation(rule: rule, detail: detail)
    }

    func check(_ condition: Bool, _ rule: String, _ detail: () -> String) {
        if !condition { violate(rule, detail()) }
    }

    func task(of fingerprint: Fingerprint) -> SimTask { tasks[fingerprint] ?? .succeeds }

    /// How long an attempt takes and how it ends; no result is the end of its process.
    func behaviour(of event: TaskEvent) -> (Int64, AttemptResult?) {
        let short = random.number(1...400)
        let failure = AttemptResult.failed(code: "boom", message: "it fails")
        switch task(of: event.fingerprint) {
        case .succeeds: return (short, .completed)
        case .failsOnce: return (short, event.attempt == 1 ? failure : .completed)
        case .failsAlways: return (short, event.replay == 0 ? failure : .completed)
        case .fatal:
            return (short, event.replay == 0 ? .fatal(reason: .fatal, code: "no", message: "never") : .completed)
        case .snoozesOnce:
            return (short, event.turn == 1 ? .snoozed(milliseconds: short * 20, message: "later") : .completed)
        case .long, .stubborn: return (random.number(5000...60_000), .completed)
        case .poison: return (random.number(1...30), nil)
        }
    }

    func started(_ coordinate: Coordinate, by worker: SimWorker) -> SimExecution {
        executionCount += 1
        trace("\(worker.name) starts \(coordinate) (\(task(of: coordinate.fingerprint)))")
        let earlier = executions[coordinate] ?? []
        let isExplained = earlier.isEmpty || worker.member.isZombie || earlier.contains(where: \.isDisturbed)
        check(isExplained, "a turn runs again only where a crash, a pause or a lost partition explains it") {
            "\(coordinate) starts in \(worker.name), after \(earlier.map(\.process.name)); \(self.plan.kind) seed"
        }
        checkLane(of: coordinate, in: worker)
        let execution = SimExecution(coordinate, worker, isDisturbed: worker.member.isZombie)
        executions[coordinate, default: []].append(execution)
        return execution
    }

    /// From here on, nobody can tell how what runs in this process ends.
    func disturb(_ process: SimProcess) {
        disturbed.insert(process.name)
        for execution in executions.values.joined() where execution.process === process {
            execution.isForgotten = true
            if !history.decided.contains(execution.coordinate) { execution.isDisturbed = true }
        }
    }

    /// What a zombie decides is decided, and who runs it may take a moment to hear of it.
    private func forgetDecided(_ record: LogRecord, by author: String) {
        guard record.topic == Self.names.ledger("default"), let entry = Self.ledgerRecord(record),
            case .outcome = entry.body, workers.contains(where: { $0.name == author && $0.member.isZombie })
        else { return }
        for execution in executions[entry.coordinate] ?? [] { execution.isForgotten = true }
    }

    // MARK: the log

    @discardableResult
    func write(_ append: LogAppend, by author: String) -> LogRecord {
        let record = log.write(append, at: brokerTime)
        let partition = record.topicPartition
        trace("\(author) writes \(SimTrace.describe(record))")
        forgetDecided(record, by: author)
        if let problem = history.add(record) { violate(problem.rule, problem.detail) }
        if Self.names.queue(ofDueTopic: record.topic) != nil {
            workerGroup.wrote(partition)
        } else if record.topic == Self.names.ledger("default") {
            for worker in workers where worker.state != .gone { worker.wrote(partition) }
        } else if record.topic == Self.names.retry || record.topic == Self.names.commands {
            schedulerGroup.wrote(partition)
        } else if record.topic == Self.names.schedules {
            for scheduler in schedulers where scheduler.state != .gone { scheduler.wrote(partition) }
        }
        return record
    }

    func appendFails() -> Bool {
        plan.appendFailurePercent > 0 && clock < plan.faultEnd && random.chance(plan.appendFailurePercent)
    }

    // MARK: processes

    func spawnWorker(_ slot: Int) {
        nonces += 1
        workers.append(SimWorker(world: self, slot: slot, nonce: nonces))
    }

    func spawnScheduler(_ slot: Int) {
        nonces += 1
        schedulers.append(SimScheduler(world: self, slot: slot, nonce: nonces))
    }

    func countFault() { faultCount += 1 }

    func worker(_ slot: Int) -> SimWorker? { workers.last { $0.slot == slot } }
    func scheduler(_ slot: Int) -> SimScheduler? { schedulers.last { $0.slot == slot } }
}
