/// When a schedule fires: a pure function from an instant to the next nominal time after it.
public enum Trigger: Hashable, Sendable {
    case interval(IntervalTrigger)
    /// Once.
    case at(Timestamp)
    case cron(CronTrigger)
    case calendar(CalendarTrigger)
    /// Every instant that at least one of them names.
    case anyOf([Trigger])
    /// Every instant that all of them name.
    case allOf([Trigger])
    indirect case except(Trigger, [Exclusion])
    /// At no time: the schedule is kept, and disabled.
    case never

    /// The shortest interval in milliseconds.
    public static let shortestInterval: Int64 = 100
    /// A hundred years in milliseconds.
    public static let longestInterval: Int64 = 100 * 366 * 86_400_000

    /// Every `milliseconds` (at least 100), on the epoch's grid or from `anchor` on; unchecked.
    public static func interval(milliseconds: Int64, anchor: Timestamp?) -> Trigger {
        .interval(IntervalTrigger(milliseconds: milliseconds, anchor: anchor))
    }

    /// Every `milliseconds` (at least 100), on the epoch's grid or from `anchor` on. `delay`, `first` and `repetitions`
    /// need an anchor.
    public static func every(
        milliseconds: Int64, anchor: Timestamp? = nil, delay: Int64 = 0, first: IntervalTrigger.First = .immediately,
        repetitions: Int? = nil
    ) throws(TriggerError) -> Trigger {
        let interval = IntervalTrigger(
            milliseconds: milliseconds, anchor: anchor, delay: delay, first: first, repetitions: repetitions)
        if let problem = interval.problem { throw problem }
        return .interval(interval)
    }

    /// A cron expression in an IANA time zone; `spread` is what `H` is spread by, the schedule's id.
    public static func cron(
        _ expression: String, zone: String = "UTC", dialect: CronDialect = .unix, spread: String? = nil,
        changes: ClockChanges = .debian
    ) throws(TriggerError) -> Trigger {
        .cron(try CronTrigger(expression, zone: zone, dialect: dialect, spread: spread, changes: changes))
    }

    /// Once: at an RFC 3339 date-time, or at a local one (`2026-03-29T09:30`, seconds optional) in `zone`.
    ///
    /// A local time that occurs twice means the first; one that the clocks pass over means the first instant after it.
    public static func at(_ text: String, zone: String? = nil) throws(TriggerError) -> Trigger {
        if let time = Timestamp(rfc3339: text) {
            guard zone == nil else {
                throw TriggerError(
                    field: "timezone", message: "\"\(text)\" has its own offset; leave the time zone out")
            }
            return .at(time)
        }
        let full = text.utf8.count == 16 ? text + ":00Z" : text + "Z"
        guard let wall = Timestamp(rfc3339: full) else {
            throw TriggerError(
                field: "at",
                message: "\"\(text.prefix(60))\" is no date-time; accepted are 2026-11-21T09:30:00Z, "
                    + "2026-11-21T10:30:00+01:00, and 2026-11-21T10:30 with a time zone")
        }
        guard let zone else {
            throw TriggerError(
                field: "at", message: "\"\(text)\" has no offset; add Z, an offset such as +01:00, or a time zone")
        }
        return .at(try ZoneTable(zone).instant(ofWall: wall.milliseconds))
    }

    /// The first nominal time later than `time`; nil when there is none, or none that a bounded search finds.
    public func next(after time: Timestamp) -> Timestamp? {
        var effort = SearchEffort()
        let next = next(after: time, &effort)
        return effort.isSpent ? nil : next
    }

    /// As a part of a search; means nothing once `effort` is spent.
    func next(after time: Timestamp, _ effort: inout SearchEffort) -> Timestamp? {
        guard effort.spend() else { return nil }
        return switch self {
        case .at(let instant): instant > time ? instant : nil
        case .cron(let cron): cron.next(after: time)
        case .interval(let interval): interval.next(after: time)
        case .calendar(let calendar): calendar.next(after: time)
        case .anyOf(let triggers): Self.union(triggers, after: time, &effort)
        case .allOf(let triggers): Self.intersection(triggers, after: time, &effort)
        case .except(let trigger, let exclusions): Self.difference(trigger, exclusions, after: time, &effort)
        case .never: nil
        }
    }
}

/// Nominal times of a stretch of time: how many, the first and the last.
public struct Occurrences: Hashable, Sendable {
    public var count: Int
    public var first: Timestamp
    public var last: Timestamp
}

extension Trigger {
    /// The nominal times in `(start, end]`; nil when there are none. Counts at most `limit`, the earliest,
    /// of any trigger but an interval, and of those only what a bounded search finds.
    public func occurrences(after start: Timestamp, through end: Timestamp, limit: Int) -> Occurrences? {
        if case .interval(let interval) = self { return interval.occurrences(after: start, through: end) }
        var effort = SearchEffort()
        guard let first = next(after: start, &effort), !effort.isSpent, first <= end else { return nil }
        var found = Occurrences(count: 1, first: first, last: first)
        while found.count < limit, let following = next(after: found.last, &effort), !effort.isSpent, following <= end {
            found.count += 1
            found.last = following
        }
        return found
    }
}
