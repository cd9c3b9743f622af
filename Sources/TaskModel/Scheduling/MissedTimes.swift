extension ScheduleSpec {
    /// The instant after which its undecided nominal times lie: the cursor, or what is just before its start.
    package func undecided(after cursor: Timestamp) -> Timestamp { start.map { max(cursor, $0 - 1) } ?? cursor }
}

/// The nominal times between a schedule's cursor and now, and what its catch-up makes of them.
struct MissedTimes {
    let spec: ScheduleSpec
    let now: Timestamp
    /// What ages count from: now, or when the catch-up under way began, since what waits for its rate does not grow old.
    let since: Timestamp
    /// Times that are certainly older than the maximum age, counted together.
    private(set) var older: Occurrences?
    /// The rest whose due time has come, ascending.
    private(set) var dueTimes: [Timestamp] = []
    private(set) var nextWake: Timestamp?

    init(spec: ScheduleSpec, now: Timestamp, since: Timestamp) {
        self.spec = spec
        self.now = now
        self.since = min(since, now)
    }

    private var oldest: Timestamp {
        let age = spec.catchUp == .skip ? min(spec.maxAge, Planner.punctuality) : spec.maxAge
        return since - age
    }

    mutating func collect(after cursor: Timestamp) {
        var position = spec.undecided(after: cursor)
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

    /// In the order of their nominal times.
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

    /// The last nominal time that ``decisions()`` decides.
    var lastDecided: Timestamp? { dueTimes.last ?? older?.last }

    private func fire(_ nominal: Timestamp, standsFor: Int) -> PlannedDecision {
        .fire(nominal: nominal, due: Planner.dueTime(of: nominal, in: spec), standsFor: standsFor)
    }
}
