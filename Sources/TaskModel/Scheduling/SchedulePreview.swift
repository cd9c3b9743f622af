/// A fire to come.
public struct PreviewFire: Hashable, Sendable {
    public var nominal: Timestamp
    /// The nominal time and its jitter.
    public var due: Timestamp
    /// The change of the clocks that moved, doubled or picked it; nil on any other day.
    public var clockChange: ClockChangeEffect?

    public init(nominal: Timestamp, due: Timestamp, clockChange: ClockChangeEffect? = nil) {
        self.nominal = nominal
        self.due = due
        self.clockChange = clockChange
    }
}

/// What a schedule will do: a pure function of spec, state and time.
public enum SchedulePreview {
    /// Changes of the clocks are told this many milliseconds ahead, even if the fires asked for come earlier: 1 year.
    public static let horizon: Int64 = 366 * 86_400_000

    /// The next fires after `from`, at most `count`: none of a pause, none after the last run, none that was decided before.
    /// A state of nil is that of a schedule that has not begun.
    public static func fires(
        of spec: ScheduleSpec, _ state: ScheduleState?, from: Timestamp, count: Int
    ) -> [PreviewFire] {
        let left = spec.maxRuns.map { max(0, $0 - Int(clamping: state?.fires ?? 0)) } ?? .max
        var nominals: [Timestamp] = []
        var position = max(from, state?.cursor ?? from)
        while nominals.count < min(count, left), let next = spec.nextFire(after: position, state) {
            nominals.append(next)
            position = next
        }
        guard let last = nominals.last else { return [] }
        // The first of two instants comes before the change, the second of one that has begun is yet to come.
        let day: Int64 = 86_400_000
        let effects = spec.trigger.clockChangeEffects(after: from - day, through: last + day)
        return nominals.map { nominal in
            PreviewFire(
                nominal: nominal, due: Planner.dueTime(of: nominal, in: spec),
                clockChange: effects.first { $0.fires.contains(nominal) })
        }
    }

    /// The changes of the clocks that the schedule meets, up to the last of `fires` or a year ahead.
    public static func clockChanges(
        of spec: ScheduleSpec, from: Timestamp, fires: [PreviewFire]
    ) -> [ClockChangeEffect] {
        let start = spec.start.map { max($0, from) } ?? from
        let end = min(max(fires.last?.nominal ?? from, from + horizon), spec.end ?? .distantFuture)
        return spec.trigger.clockChangeEffects(after: start, through: end)
    }
}

/// A fire before and after an edit.
public struct PreviewedEdit: Hashable, Sendable {
    public enum Change: String, Hashable, Sendable, CaseIterable {
        case kept, added, removed
    }

    public var fire: PreviewFire
    public var change: Change

    /// What an edit makes of the fires after `from`, in order: as far as the next `count` of both specs are known.
    public static func changes(
        from old: ScheduleSpec?, to new: ScheduleSpec, _ state: ScheduleState?, after from: Timestamp, count: Int
    ) -> [PreviewedEdit] {
        let before = old.map { SchedulePreview.fires(of: $0, state, from: from, count: count) } ?? []
        let after = SchedulePreview.fires(of: new, state, from: from, count: count)
        // Beyond the last fire of a full list, its spec may well name more.
        let ends = [before, after].compactMap { $0.count == count ? $0.last?.nominal : nil }
        let end = ends.min() ?? .distantFuture
        let kept = Set(before.map(\.nominal)).intersection(after.map(\.nominal))
        let removed = before.filter { !kept.contains($0.nominal) }.map { PreviewedEdit(fire: $0, change: .removed) }
        let rest = after.map { PreviewedEdit(fire: $0, change: kept.contains($0.nominal) ? .kept : .added) }
        return (removed + rest).filter { $0.fire.nominal <= end }.sorted { $0.fire.nominal < $1.fire.nominal }
    }
}

extension ScheduleSpec {
    /// The next nominal time after `time` that fires: not in a pause, and not after the last run. Nil when there is none
    /// as long as nobody changes the schedule.
    public func nextFire(after time: Timestamp, _ state: ScheduleState?) -> Timestamp? {
        if let state, hasEnded(state) { return nil }
        guard isPaused(at: time) else { return next(after: time) }
        return pause?.until.flatMap { next(after: max(time, $0 - 1)) }
    }

    /// The last nominal time up to `time` within the bounds; nil when there is none in the hundred years before it.
    public func lastNominal(through time: Timestamp) -> Timestamp? {
        func names(_ from: Timestamp) -> Timestamp? { next(after: from).flatMap { $0 <= time ? $0 : nil } }
        var width: Int64 = 1000
        while names(time - width) == nil {
            guard width < Trigger.longestInterval else { return nil }
            width *= 4
        }
        // `names` is nil from the last nominal time on, and never before it.
        var (named, empty) = (time - width, time)
        while empty - named > 1 {
            let middle = named + (empty - named) / 2
            if names(middle) == nil { empty = middle } else { named = middle }
        }
        return empty
    }
}
