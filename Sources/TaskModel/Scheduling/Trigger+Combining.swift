/// Triggers made of triggers.
extension Trigger {
    /// How many candidates the search for a common instant looks at. Triggers that do not meet within as many count as over.
    static let meetingLimit = 10_000
    /// How many instants in a row may be left out.
    static let exclusionLimit = 1_000_000
    public static let maximumDepth = 8
    public static let maximumParts = 100

    /// The earliest of the next times.
    static func union(
        _ triggers: [Trigger], after time: Timestamp, _ effort: inout SearchEffort
    ) -> Timestamp? {
        var earliest: Timestamp?
        for trigger in triggers {
            guard let next = trigger.next(after: time, &effort) else { continue }
            earliest = min(next, earliest ?? next)
        }
        return earliest
    }

    /// The next instant that all of them name.
    static func intersection(
        _ triggers: [Trigger], after time: Timestamp, _ effort: inout SearchEffort
    ) -> Timestamp? {
        guard let leader = triggers.first, var candidate = leader.next(after: time, &effort) else { return nil }
        var agreeing = 1
        var index = 1
        for _ in 0..<meetingLimit {
            guard agreeing < triggers.count else { return candidate }
            guard let next = triggers[index % triggers.count].next(after: candidate - 1, &effort) else { return nil }
            agreeing = next == candidate ? agreeing + 1 : 1
            candidate = next
            index += 1
        }
        return nil
    }

    /// The next instant that no exclusion takes away.
    static func difference(
        _ trigger: Trigger, _ exclusions: [Exclusion], after time: Timestamp, _ effort: inout SearchEffort
    ) -> Timestamp? {
        var position = time
        for _ in 0..<exclusionLimit {
            guard let next = trigger.next(after: position, &effort) else { return nil }
            var last: Timestamp?
            for exclusion in exclusions {
                guard let excluded = exclusion.lastExcluded(from: next, &effort) else { continue }
                last = max(excluded, last ?? excluded)
            }
            guard let last else { return next }
            position = last
        }
        return nil
    }

    /// The triggers that it is made of.
    private var parts: [Trigger] {
        switch self {
        case .interval, .at, .cron, .calendar, .never: []
        case .anyOf(let triggers), .allOf(let triggers): triggers
        case .except(let trigger, let exclusions):
            [trigger]
                + exclusions.compactMap { exclusion -> Trigger? in
                    guard case .trigger(let excluded) = exclusion else { return nil }
                    return excluded
                }
        }
    }

    private var depth: Int { 1 + (parts.map(\.depth).max() ?? 0) }
    private var size: Int { 1 + parts.reduce(0) { $0 + $1.size } }

    /// Why it is refused; nil when it is fine.
    public var problem: TriggerError? {
        if depth > Self.maximumDepth || size > Self.maximumParts {
            return TriggerError(
                field: "trigger",
                message: "it is \(depth) deep and has \(size) parts; accepted are \(Self.maximumDepth) and "
                    + "\(Self.maximumParts)")
        }
        switch self {
        case .interval(let interval): return interval.problem
        case .at, .cron, .calendar, .never: return nil
        case .anyOf(let triggers), .allOf(let triggers):
            guard !triggers.isEmpty else {
                return TriggerError(field: "trigger", message: "any_of and all_of need at least one trigger")
            }
        case .except(_, let exclusions):
            for case .range(let from, let until) in exclusions where from >= until {
                return TriggerError(
                    field: "until", message: "\(until.rfc3339) is not after \(from.rfc3339), where the exclusion begins"
                )
            }
        }
        return parts.lazy.compactMap(\.problem).first
    }
}
