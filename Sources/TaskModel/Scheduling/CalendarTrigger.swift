/// Every so many days, weeks, months or years from a date on, at one local time.
///
/// Always counted from the first date, so it never drifts: a month from 31 January is 31 March, because February has no
/// such day and is passed over. A gap or an overlap of the clocks is met as by a cron trigger of fixed times.
public struct CalendarTrigger: Hashable, Sendable {
    public enum Unit: String, Hashable, Sendable, Codable, CaseIterable {
        case days, weeks, months, years
    }

    public let every: Int
    public let unit: Unit
    /// The first date.
    public let start: LocalDate
    /// Seconds since midnight on the wall.
    public let secondOfDay: Int
    public let zone: ZoneTable
    public let changes: ClockChanges

    /// `time` is `09:30` or `09:30:15`.
    public init(
        every: Int, _ unit: Unit, from start: LocalDate, at time: String, zone: String, changes: ClockChanges = .debian
    ) throws(TriggerError) {
        guard (1...1000).contains(every) else {
            throw TriggerError(field: "every", message: "\(every) \(unit.rawValue); accepted are 1 to 1000")
        }
        let full = time.utf8.count == 5 ? time + ":00" : time
        guard full.utf8.count == 8, let read = Timestamp(rfc3339: "1970-01-01T\(full)Z") else {
            throw TriggerError(
                field: "time", message: "\"\(time.prefix(40))\" is no time of day; accepted are 09:30 and 09:30:15")
        }
        self.every = every
        self.unit = unit
        self.start = start
        secondOfDay = Int(read.milliseconds / 1000)
        self.zone = try ZoneTable(zone)
        self.changes = changes
    }

    /// `09:30:00`
    public var time: String {
        String(Timestamp(seconds: Int64(secondOfDay)).rfc3339.dropFirst(11).prefix(8))
    }

    /// Years after this one are not looked at.
    private static let lastYear: Int64 = 9999

    func next(after time: Timestamp) -> Timestamp? {
        // A local date is at most a day off the UTC date; another day for a zone that left one out.
        let today = time.milliseconds.flooredDivision(by: 86_400_000).quotient - 2
        var step = max(0, steps(to: today))
        while let date = day(step) {
            if let date {
                let instants = zone.instants(ofWall: date * 86_400 + Int64(secondOfDay), changes)
                if let next = instants.first(where: { Timestamp(seconds: $0) > time }) {
                    return Timestamp(seconds: next)
                }
            }
            step += 1
        }
        return nil
    }

    /// Whether one of its steps is this day, counted from 1970-01-01.
    func names(day: Int64) -> Bool {
        let step = steps(to: day)
        return step >= 0 && self.day(step) == .some(.some(day))
    }

    private var months: Int64? {
        switch unit {
        case .days, .weeks: nil
        case .months: Int64(every)
        case .years: Int64(every) * 12
        }
    }

    /// Whole steps from the start to a day.
    private func steps(to day: Int64) -> Int64 {
        guard let months else {
            return (day - start.day).flooredDivision(by: Int64(every) * (unit == .weeks ? 7 : 1)).quotient
        }
        let (from, to) = (start.civil, Timestamp.civil(fromDays: day))
        return ((to.year - from.year) * 12 + to.month - from.month).flooredDivision(by: months).quotient
    }

    /// The date of a step: nil after the last year, and `.some(nil)` where the month has no such day.
    private func day(_ step: Int64) -> Int64?? {
        guard let months else {
            let day = start.day + step * Int64(every) * (unit == .weeks ? 7 : 1)
            return Timestamp.civil(fromDays: day).year > Self.lastYear ? nil : .some(day)
        }
        let from = start.civil
        let (years, month) = (from.month - 1 + step * months).flooredDivision(by: 12)
        let year = from.year + years
        guard year <= Self.lastYear else { return nil }
        guard from.day <= Timestamp.daysInMonth(year: year, month: month + 1) else { return .some(nil) }
        return Timestamp.days(fromCivil: year, month + 1, from.day)
    }
}
