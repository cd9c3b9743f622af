/// What one change of the clocks does to the local times that a trigger names.
public struct ClockChangeEffect: Hashable, Sendable {
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        /// Local times that the clocks pass over run once, right after the gap.
        case moved
        /// Local times that the clocks pass over run later by the length of the gap.
        case shifted
        case skipped
        /// Local times that occur twice run at the first, the second, or both of their instants.
        case first, second, both

        /// The rule as the configuration spells it.
        public var rule: String {
            switch self {
            case .moved: "gap: run-after"
            case .shifted: "gap: shift"
            case .skipped: "gap: skip"
            case .first: "overlap: first"
            case .second: "overlap: second"
            case .both: "overlap: both"
            }
        }
    }

    /// The first instant of the new offset.
    public var at: Timestamp
    public var zone: ZoneTable
    /// By how many seconds the clocks go forward; negative when they go back.
    public var jump: Int64
    public var kind: Kind
    /// By Debian's rule; false when the schedule has a rule of its own.
    public var isDefault: Bool
    /// How many local times are concerned, at most ``limit``; the first and the last of them, in seconds on the wall.
    public var count: Int
    public var firstWall: Int64
    public var lastWall: Int64
    /// The fires that they make, ascending.
    public var fires: [Timestamp]

    /// Local times of one change that are looked at.
    static let limit = 4000

    public var isGap: Bool { jump > 0 }
}

extension Trigger {
    /// What the changes of the clocks in `(start, end]` do, in order. Empty for a trigger without a time zone.
    ///
    /// Of triggers that must agree (`all_of`), only fires that all of them name are told.
    func clockChangeEffects(after start: Timestamp, through end: Timestamp) -> [ClockChangeEffect] {
        effects(after: start, through: end).compactMap { effect in
            var effect = effect
            effect.fires.removeAll { next(after: $0 - 1) != $0 }
            return effect.kind == .skipped || !effect.fires.isEmpty ? effect : nil
        }.sorted { $0.at < $1.at }
    }

    private func effects(after start: Timestamp, through end: Timestamp) -> [ClockChangeEffect] {
        switch self {
        case .interval, .at, .never: return []
        case .cron(let cron):
            return cron.zone.effects(
                after: start, through: end, cron.changes, isWildcard: cron.expression.isWildcard,
                cron.expression.matches)
        case .calendar(let calendar):
            return calendar.zone.effects(
                after: start, through: end, calendar.changes, isWildcard: false, calendar.wallTimes)
        case .anyOf(let triggers): return triggers.flatMap { $0.effects(after: start, through: end) }
        case .allOf(let triggers):
            return triggers.flatMap { $0.effects(after: start, through: end) }.filter { $0.kind != .skipped }
        case .except(let trigger, _): return trigger.effects(after: start, through: end)
        }
    }

    /// The time zone that it is written in: of its first part that has one.
    public var zone: ZoneTable? {
        switch self {
        case .interval, .at, .never: nil
        case .cron(let cron): cron.zone
        case .calendar(let calendar): calendar.zone
        case .anyOf(let triggers), .allOf(let triggers): triggers.lazy.compactMap(\.zone).first
        case .except(let trigger, _): trigger.zone
        }
    }
}

extension CronExpression {
    /// The matching local times, in seconds on the wall; at most ``ClockChangeEffect/limit``.
    fileprivate func matches(_ range: Range<Int64>) -> [Int64] {
        var found: [Int64] = []
        var position = range.lowerBound
        while found.count < ClockChangeEffect.limit,
            let match = firstMatch(from: position, before: range.upperBound)
        {
            found.append(match)
            position = match + 1
        }
        return found
    }
}

extension CalendarTrigger {
    fileprivate func wallTimes(_ range: Range<Int64>) -> [Int64] {
        let first = range.lowerBound.flooredDivision(by: 86_400).quotient
        let last = range.upperBound.flooredDivision(by: 86_400).quotient
        return (first...last).filter(names).map { $0 * 86_400 + Int64(secondOfDay) }.filter(range.contains)
    }
}

extension ZoneTable {
    fileprivate func effects(
        after start: Timestamp, through end: Timestamp, _ changes: ClockChanges, isWildcard: Bool,
        _ wallTimes: (Range<Int64>) -> [Int64]
    ) -> [ClockChangeEffect] {
        var found: [ClockChangeEffect] = []
        var index = index(at: start.milliseconds.flooredDivision(by: 1000).quotient) + 1
        while index < starts.count, Timestamp(seconds: starts[index]) <= end {
            if let effect = effect(of: index, changes, isWildcard, wallTimes) { found.append(effect) }
            index += 1
        }
        return found
    }

    private func effect(
        of index: Int, _ changes: ClockChanges, _ isWildcard: Bool, _ wallTimes: (Range<Int64>) -> [Int64]
    ) -> ClockChangeEffect? {
        let (start, before, after) = (starts[index], offsets[index - 1], offsets[index])
        let jump = after - before
        let walls = wallTimes(start + min(before, after)..<start + max(before, after))
        guard let firstWall = walls.first, let lastWall = walls.last else { return nil }
        // By the old offset, the first of two instants, and as far after a gap as the local time is in it.
        let early = walls.map { $0 - before }
        let late = walls.map { $0 - after }
        let kind: ClockChangeEffect.Kind =
            if jump > 0 {
                switch changes.ruleForGap(of: jump, isWildcard: isWildcard) {
                case .runAfter: .moved
                case .shift: .shifted
                case .skip: .skipped
                }
            } else {
                switch changes.ruleForOverlap(of: -jump, isWildcard: isWildcard) {
                case .first: .first
                case .second: .second
                case .both: .both
                }
            }
        let fires =
            switch kind {
            case .moved: [start]
            case .skipped: [Int64]()
            case .shifted, .first: early
            case .second: late
            case .both: early + late
            }
        return ClockChangeEffect(
            at: Timestamp(seconds: start), zone: self, jump: jump, kind: kind,
            isDefault: jump > 0 ? changes.gap == nil : changes.overlap == nil, count: walls.count,
            firstWall: firstWall, lastWall: lastWall, fires: fires.map { Timestamp(seconds: $0) })
    }
}
