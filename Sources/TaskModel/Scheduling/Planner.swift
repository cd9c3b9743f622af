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
    /// They passed during a pause that has ended by itself.
    case paused = "passed during the pause"
    /// The schedule has run as often as it should.
    case afterLastRun = "after the last of max_runs"

    /// How the journal calls it: passed over by rule, or dropped though somebody may have wanted it.
    public var journalKind: JournalEntry.Kind {
        switch self {
        case .missed, .paused, .afterLastRun: .skipped
        case .tooOld, .beyondMaxCount: .misfired
        }
    }
}

/// Decides which nominal times of a schedule fire: a pure function of spec, state and now.
///
/// The cursor moves over every nominal time that was decided and back only to an edit of the trigger, so a clock that
/// steps back fires nothing twice. A nominal time whose jitter has not passed stays undecided, as does one that waits
/// for the rate of a catch-up.
/// At most ``searchLimit`` missed times of a trigger are looked at one by one; older ones of a longer absence are dropped
/// together.
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
        plan(spec, state, now: now, since: nil)
    }

    /// What is left of `spec` to decide when another one takes its place: all that it named through `edit`. No jitter and
    /// no spacing of a catch-up is waited for (one fire stands for those that a spacing has put off), and what waited for
    /// them has not grown older by that.
    package static func plan(
        _ spec: ScheduleSpec, _ state: ScheduleState, closedAt edit: Timestamp, now: Timestamp
    ) -> Plan {
        let since = (progress(spec, state, now)?.since ?? now) - spec.jitter
        var closed = spec
        closed.end = min(spec.end ?? edit, edit)
        closed.jitter = 0
        if spec.catchUp == .all, spec.catchUpSpacing > 0 {
            closed.catchUp = .latest
            closed.catchUpSpacing = 0
        }
        return plan(closed, state, now: now, since: since)
    }

    /// Ages count from `since`; nil is now, or the beginning of the catch-up under way.
    private static func plan(
        _ spec: ScheduleSpec, _ state: ScheduleState, now: Timestamp, since: Timestamp?
    ) -> Plan {
        guard !spec.hasEnded(state) else { return Plan(decisions: [], state: state, nextWake: nil) }
        if spec.isPaused(at: now) { return Plan(decisions: [], state: state, nextWake: spec.pause?.until) }
        var plan = Plan(decisions: [], state: state, nextWake: nil)
        if let drop = dropOfPause(spec, state) { plan.add(drop) }
        let progress = progress(spec, state, now)
        if let progress, progress.last + spec.catchUpSpacing > now {
            plan.nextWake = progress.last + spec.catchUpSpacing
            return plan
        }
        var search = MissedTimes(spec: spec, now: now, since: since ?? progress?.since ?? now)
        search.collect(after: plan.state.cursor)
        plan.nextWake = search.nextWake
        let isPaced = spec.catchUp == .all && spec.catchUpSpacing > 0
        let decisions = search.decisions()
        for (index, decision) in decisions.enumerated() {
            if spec.hasEnded(plan.state) {
                plan.add(rest(of: decisions[index...]))
                break
            }
            plan.add(decision)
            // A paced catch-up makes one fire of those that wait.
            if isPaced, case .fire = decision, index + 1 < decisions.count, !spec.hasEnded(plan.state) {
                plan.state.catchUp = CatchUpProgress(since: progress?.since ?? now, last: now)
                plan.nextWake = now + spec.catchUpSpacing
                return plan
            }
        }
        plan.state.catchUp = nil
        plan.state.cursor = max(plan.state.cursor, search.lastDecided ?? plan.state.cursor)
        if spec.hasEnded(plan.state) { plan.nextWake = nil }
        return plan
    }

    /// The catch-up that is under way. One that was left alone for longer than the maximum age is over, and a clock that
    /// stepped back holds nothing back.
    private static func progress(
        _ spec: ScheduleSpec, _ state: ScheduleState, _ now: Timestamp
    ) -> CatchUpProgress? {
        guard spec.catchUp == .all, let progress = state.catchUp, progress.last <= now,
            now - progress.last <= spec.maxAge + spec.catchUpSpacing
        else { return nil }
        return progress
    }

    /// What passed during a pause that had an end.
    private static func dropOfPause(_ spec: ScheduleSpec, _ state: ScheduleState) -> PlannedDecision? {
        guard let until = spec.pause?.until, state.cursor < until else { return nil }
        let from = spec.undecided(after: state.cursor)
        let end = min(until - 1, spec.end ?? .distantFuture)
        guard let passed = spec.trigger.occurrences(after: from, through: end, limit: searchLimit) else { return nil }
        let last = passed.count < searchLimit ? passed.last : end
        return .drop(nominal: last, count: passed.count, reason: .paused)
    }

    /// One drop for all that is left when a schedule has had its last run.
    private static func rest(of decisions: ArraySlice<PlannedDecision>) -> PlannedDecision {
        var count = 0
        var last = Timestamp.epoch
        for decision in decisions {
            switch decision {
            case .fire(let nominal, _, let standsFor): (last, count) = (nominal, count + standsFor)
            case .drop(let nominal, let dropped, _): (last, count) = (nominal, count + dropped)
            }
        }
        return .drop(nominal: last, count: count, reason: .afterLastRun)
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

extension Planner.Plan {
    /// Takes a decision, and moves the state over what it decides.
    fileprivate mutating func add(_ decision: PlannedDecision) {
        decisions.append(decision)
        switch decision {
        case .fire(let nominal, _, _):
            state.cursor = max(state.cursor, nominal)
            state.fires += 1
            state.lastFired = nominal
        case .drop(let nominal, let count, _):
            state.cursor = max(state.cursor, nominal)
            state.misfires += UInt64(count)
        }
    }
}
