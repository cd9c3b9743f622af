/// When a schedule fires: a pure function from an instant to the next nominal time after it.
public enum Trigger: Hashable, Sendable {
    /// Every so many milliseconds, counted from `anchor`. Without an anchor the multiples of the epoch are meant.
    case interval(milliseconds: Int64, anchor: Timestamp?)
    /// Once.
    case at(Timestamp)
    case cron(CronTrigger)

    /// The shortest interval in milliseconds.
    public static let shortestInterval: Int64 = 100

    /// Every `milliseconds` (at least 100), from `anchor` on, or on the epoch's grid.
    public static func every(
        milliseconds: Int64, anchor: Timestamp? = nil
    ) throws(TriggerError) -> Trigger {
        guard milliseconds >= shortestInterval, milliseconds <= 100 * 366 * 86_400_000 else {
            throw TriggerError(
                field: "every",
                message: "\(milliseconds) ms; accepted are \(shortestInterval) ms to 100 years")
        }
        return .interval(milliseconds: milliseconds, anchor: anchor)
    }

    /// Five-field cron as Debian's cron reads it, in an IANA time zone.
    public static func cron(_ expression: String, zone: String = "UTC") throws(TriggerError) -> Trigger {
        .cron(try CronTrigger(expression, zone: zone))
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

    /// The first nominal time later than `time`; nil when there is none.
    public func next(after time: Timestamp) -> Timestamp? {
        switch self {
        case .at(let instant):
            return instant > time ? instant : nil
        case .cron(let cron):
            return cron.next(after: time)
        case .interval(let length, let anchor):
            let origin = anchor ?? .epoch
            if anchor != nil, time < origin { return origin }
            let steps = (time - origin).flooredDivision(by: length).quotient
            let (distance, overflow) = (steps + 1).multipliedReportingOverflow(by: length)
            guard !overflow else { return nil }
            let next = origin + distance
            return next < .distantFuture ? next : nil
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
    /// The nominal times in `(start, end]`; nil when there are none. Counts at most `limit` of a cron trigger, the earliest.
    public func occurrences(after start: Timestamp, through end: Timestamp, limit: Int) -> Occurrences? {
        guard let first = next(after: start), first <= end else { return nil }
        if case .interval(let length, _) = self {
            let more = (end - first) / length
            return Occurrences(count: Int(more) + 1, first: first, last: first + more * length)
        }
        var found = Occurrences(count: 1, first: first, last: first)
        while found.count < limit, let following = next(after: found.last), following <= end {
            found.count += 1
            found.last = following
        }
        return found
    }
}
