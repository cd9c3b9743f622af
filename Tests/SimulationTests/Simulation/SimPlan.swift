import TaskModel

/// What a seed is about: which faults its world knows.
enum SimKind: Hashable {
    /// Clean stops, plain rebalances, duplicates, slow acks, stepping clocks: nothing may run twice.
    case gentle
    /// Crashes, pauses, lost sessions, appends of unknown result.
    case rough
    /// One event kills its process; nothing else goes wrong.
    case poison
}

/// How a handler behaves with an event.
enum SimTask: Hashable {
    case succeeds
    case failsOnce
    /// Fails until its policy gives up; a replay succeeds.
    case failsAlways
    case fatal
    case snoozesOnce
    case long
    /// Long, and deaf to cancellation.
    case stubborn
    case poison
}

struct SimEventPlan {
    var event: TaskEvent
    var task: SimTask
    /// When the client publishes it; more than once is the publisher's own repetition.
    var publishedAt: [Int64]
    /// Published with a delay, by way of `retry`.
    var delay: Int64?
    var cancelledAt: Int64?
}

enum SimFault: Hashable {
    case crashWorker(Int)
    case pauseWorker(Int, Int64)
    case loseSession(Int)
    case stopWorker(Int)
    case joinWorker
    case crashScheduler(Int)
    case pauseScheduler(Int, Int64)
    case stopScheduler(Int)
    case stepWorker(Int, Int64, Int64)
    case stepScheduler(Int, Int64, Int64)
    case duplicateDue
    case replayLetter
}

/// A world before it runs: all that the seed decides at once.
struct SimPlan {
    var kind: SimKind
    var workers: Int
    var schedulers: Int
    var partitions: Int32
    var controlPartitions: Int32
    var events: [SimEventPlan]
    var schedules: [SimSchedulePlan]
    var faults: [(time: Int64, fault: SimFault)]
    /// No fault comes after it.
    var faultEnd: Int64
    var appendFailurePercent: Int64
    var slowestAppend: Int64
    var slowestFollower: Int64
    /// How long a record of the ledger may be unread: by a follower that is told to begin, with a scan before that.
    var slowestHearing: Int64 { 2 * slowestFollower + 500 }
    /// Bytes; small ones make the scheduler fetch payloads again.
    var payloadBudget: Int

    init(seed: UInt64, random: inout SimRandom) {
        let kind: SimKind = seed % 8 == 7 ? .poison : seed % 3 == 0 ? .gentle : .rough
        self.kind = kind
        schedules = SimSchedulePlan.plans(seed: seed, kind: kind)
        workers = Int(random.number(2...4))
        schedulers = Int(random.number(1...2))
        partitions = Int32(random.number(2...4))
        controlPartitions = Int32(random.number(1...2))
        appendFailurePercent = kind == .rough ? random.number(0...5) : 0
        slowestAppend = kind == .rough ? random.number(5...400) : random.number(5...150)
        slowestFollower = random.chance(30) ? 3000 : 60
        payloadBudget = random.chance(25) ? 3000 : 64 << 20
        let span: Int64 = kind == .poison ? 5000 : 30_000
        let count = kind == .poison && seed % 64 == 7 ? 200 : Int(random.number(30...(kind == .poison ? 60 : 80)))
        events = (0..<count).map { Self.event($0, kind, span, &random) }
        if kind == .poison { events[Int(random.number(0...Int64(count - 1)))].task = .poison }
        if kind == .poison {
            for index in events.indices where events[index].task == .poison {
                events[index].cancelledAt = nil
                // It dies of nothing else.
                events[index].event.partitionKey = nil
                events[index].event.overlap = .allow
                events[index].event.overlapLimit = nil
                events[index].publishedAt = [random.number(0...span)]
                events[index].delay = nil
            }
        }
        faultEnd = kind == .poison ? 10_000 : 70_000
        faults = kind == .poison ? [] : Self.faults(kind, workers, schedulers, until: faultEnd, &random)
    }

    private static func event(
        _ index: Int, _ kind: SimKind, _ span: Int64, _ random: inout SimRandom
    ) -> SimEventPlan {
        let task: SimTask =
            switch random.number(1...100) {
            case 1...50: .succeeds
            case 51...64: .failsOnce
            case 65...72: .failsAlways
            case 73...76: .fatal
            case 77...82: .snoozesOnce
            case 83...93: .long
            default: .stubborn
            }
        let id = "e\(index)"
        var event = TaskEvent(
            id: id, source: "sim", task: "work", payload: [UInt8](id.utf8),
            fingerprint: Fingerprint(.event(source: "sim", id: id)))
        if random.chance(30) { event.partitionKey = "lane-\(random.number(1...4))" }
        if random.chance(30) { SimLane.enter(&event, &random) }
        let first = random.number(0...span)
        let isRepeated = random.chance(10)
        return SimEventPlan(
            event: event, task: task,
            publishedAt: isRepeated ? [first, first + random.number(1...20_000)] : [first],
            delay: !isRepeated && random.chance(10) ? random.number(1...20_000) : nil,
            cancelledAt: random.chance(6) ? first + random.number(1...15_000) : nil)
    }

    private static func faults(
        _ kind: SimKind, _ workers: Int, _ schedulers: Int, until end: Int64, _ random: inout SimRandom
    ) -> [(time: Int64, fault: SimFault)] {
        func worker() -> Int { Int(random.number(0...Int64(workers - 1))) }
        func scheduler() -> Int { Int(random.number(0...Int64(schedulers - 1))) }
        var crashes = 0
        return (0..<Int(random.number(3...9))).map { _ in
            let time = random.number(1000...(end - 5000))
            let step = random.chance(50) ? Int64(3_600_000) : -3_600_000
            let fault: SimFault
            switch random.number(1...100) {
            case 1...20: fault = .stopWorker(worker())
            case 21...30: fault = .joinWorker
            case 31...37: fault = .stopScheduler(scheduler())
            case 38...44: fault = .duplicateDue
            case 45...50: fault = .replayLetter
            case 51...55: fault = .stepWorker(worker(), step, random.number(1000...30_000))
            case 56...60: fault = .stepScheduler(scheduler(), step, random.number(1000...30_000))
            case _ where kind == .gentle: fault = random.chance(50) ? .joinWorker : .stopWorker(worker())
            // Two crashes at most: chance must not look like poison.
            case 61...75 where crashes < 2:
                crashes += 1
                fault = .crashWorker(worker())
            case 61...88: fault = .pauseWorker(worker(), random.number(500...60_000))
            case 89...92: fault = .loseSession(worker())
            case 93...96: fault = .crashScheduler(scheduler())
            default: fault = .pauseScheduler(scheduler(), random.number(500...40_000))
            }
            return (time, fault)
        }.sorted { $0.time < $1.time }
    }
}
