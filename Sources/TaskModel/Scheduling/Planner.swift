/// What the planner decided about nominal times.
public enum PlannedDecision: Hashable, Sendable {
    /// Emit the event of `nominal`, which fell due at `due` (nominal and jitter). It stands for `standsFor` nominal times.
    case fire(nominal: Timestamp, due: Timestamp, standsFor: Int)
    /// These many nominal times, `nominal` the last of them, never fire.
    case drop(nominal: Timestamp, count: Int, reason: DropReason)
}

public enum DropReason: String, Hashable, Sendable, CaseIterable {
    /// Older than the schedule's maximum age.
    case tooOld = "older than max_age"
    /// Missed, and the schedule catches nothing up.
    case missed = "missed; catch_up is skip"
    /// More missed times than the schedule catches up.
    case beyondMaxCount = "beyond max_count of the catch-up"
}

/// Decides which nominal times of a schedule fire: a pure function of spec, state and now.
///
/// The cursor moves over every nominal time that was decided and never back, so a clock that steps back fires nothing
/// twice. A nominal time whose jitter has not passed stays undecided. At most ``searchLimit`` missed times of a cron
/// trigger are looked at one by one; older ones of a longer absence are dropped together.
public enum Planner {
    public struct Plan: Hashable, Sendable {
        public var decisions: [PlannedDecision]
        /// The state once the decisions are done.
        public var state: ScheduleState
        /// When to plan again; nil when nothing will ever fall due.
        public var nextWake: Timestamp?

        public init(decisions: [PlannedDecision], state: ScheduleState, nextWake: Timestamp?) {
            self.decisions = decisions
            self.state = state
            self.nextWake = nextWake
        }
    }

    /// How late a fire may be and still count as on time where missed times are skipped: 1 min.
    public static let punctuality: Int64 = 60_000
    public static let searchLimit = 100_000

    public static func plan(_ spec: ScheduleSpec, _ state: ScheduleState, now: Timestamp) -> Plan {
        guard !spec.isPaused else { return Plan(decisions: [], state: state, nextWake: nil) }
        var search = MissedTimes(spec: spec, now: now)
        search.collect(after: state.cursor)
        guard let last = search.dueTimes.last ?? search.older?.last else {
            return Plan(decisions: [], state: state, nextWake: search.nextWake)
        }
        var next = state
        next.cursor = max(state.cursor, last)
        let decisions = search.decisions()
        for decision in decisions {
            switch decision {
            case .fire(let nominal, _, _):
                next.fires += 1
                next.lastFired = nominal
            case .drop(_, let count, _): next.misfires += UInt64(count)
            }
        }
        return Plan(decisions: decisions, state: next, nextWake: search.nextWake)
    }

    /// The instant at which `nominal` is emitted: itself and a jitter that depends on nothing but the fire's fingerprint,
    /// always before the next nominal time.
    public static func dueTime(of nominal: Timestamp, in spec: ScheduleSpec) -> Timestamp {
        guard spec.jitter > 0 else { return nominal }
        let room = spec.trigger.next(after: nominal).map { $0 - nominal - 1 } ?? spec.jitter
        let width = max(0, min(spec.jitter, room))
        let fingerprint = Fingerprint(.scheduled(scheduleID: spec.id, nominalTime: nominal))
        var generator = SplitMix64(seed: fingerprint.high ^ fingerprint.low)
        return nominal + Int64(generator.next() % UInt64(width + 1))
    }
}

/// The nominal times between a cursor and now.
private struct MissedTimes {
    let spec: ScheduleSpec
    let now: Timestamp
    /// Times that are certainly older than the maximum age, counted together.
    private(set) var older: Occurrences?
    /// The rest whose due time has come, ascending.
    private(set) var dueTimes: [Timestamp] = []
    private(set) var nextWake: Timestamp?

    init(spec: ScheduleSpec, now: Timestamp) {
        self.spec = spec
        self.now = now
    }

    private var oldest: Timestamp {
        let age = spec.catchUp == .skip ? min(spec.maxAge, Planner.punctuality) : spec.maxAge
        return now - age
    }

    mutating func collect(after cursor: Timestamp) {
        var position = spec.start.map { max(cursor, $0 - 1) } ?? cursor
        let end = spec.end ?? .distantFuture
        let certain = min(end, oldest - spec.jitter - 1)
        if let found = spec.trigger.occurrences(after: position, through: certain, limit: Planner.searchLimit) {
            older = found
            position = max(found.last, certain)
        }
        while let nominal = spec.trigger.next(after: position), nominal <= end {
            let due = Planner.dueTime(of: nominal, in: spec)
            guard due <= now else {
                nextWake = due
                return
            }
            if dueTimes.count == Planner.searchLimit { trim() }
            dueTimes.append(nominal)
            position = nominal
        }
    }

    /// A short interval with a long maximum age has more recent times than are kept one by one: the early half is
    /// dropped, which every catch-up rule but `earliest` would do as well.
    private mutating func trim() {
        let half = dueTimes.count / 2
        let first = older?.first ?? dueTimes[0]
        older = Occurrences(count: (older?.count ?? 0) + half, first: first, last: dueTimes[half - 1])
        dueTimes.removeFirst(half)
    }

    func decisions() -> [PlannedDecision] {
        let fresh = Array(dueTimes.drop { Planner.dueTime(of: $0, in: spec) < oldest })
        let stale = dueTimes.dropLast(fresh.count)
        var decisions: [PlannedDecision] = []
        let tooOld = (older?.count ?? 0) + stale.count
        if tooOld > 0, let last = stale.last ?? older?.last {
            decisions.append(
                .drop(nominal: last, count: tooOld, reason: spec.catchUp == .skip ? .missed : .tooOld))
        }
        guard let first = fresh.first, let last = fresh.last else { return decisions }
        switch spec.catchUp {
        case .latest: decisions.append(fire(last, standsFor: fresh.count))
        case .earliest: decisions.append(fire(first, standsFor: fresh.count))
        case .skip:
            if fresh.count > 1 {
                decisions.append(.drop(nominal: fresh[fresh.count - 2], count: fresh.count - 1, reason: .missed))
            }
            decisions.append(fire(last, standsFor: 1))
        case .all:
            let kept = fresh.suffix(max(1, spec.maxCount))
            let beyond = fresh.dropLast(kept.count)
            if let lastBeyond = beyond.last {
                decisions.append(.drop(nominal: lastBeyond, count: beyond.count, reason: .beyondMaxCount))
            }
            decisions += kept.map { fire($0, standsFor: 1) }
        }
        return decisions
    }

    private func fire(_ nominal: Timestamp, standsFor: Int) -> PlannedDecision {
        .fire(nominal: nominal, due: Planner.dueTime(of: nominal, in: spec), standsFor: standsFor)
    }
}
