/// The days of a cron expression: which days of a month match, as bits.
struct CronDays: Hashable, Sendable {
    /// A day of the month that depends on the month.
    enum MonthDay: Hashable, Sendable {
        /// So many days before the last one; none in a month that is too short. `onWeekday` takes the nearest Monday to
        /// Friday of the month instead.
        case last(minus: Int, onWeekday: Bool)
        /// The Monday to Friday of the month that is nearest to this day; none in a month without the day.
        case weekdayNearest(Int)
    }

    /// A day of the week that depends on the month; weekdays count from Sunday as 0.
    enum Weekday: Hashable, Sendable {
        case last(Int)
        /// The first to fifth one of the month.
        case nth(Int, Int)
    }

    /// Bits 1 to 31.
    var monthDays: UInt64
    var specialMonthDays: [MonthDay]
    /// Bits 0 (Sunday) to 6.
    var weekdays: UInt64
    var specialWeekdays: [Weekday]
    /// Both fields must match; otherwise either does.
    var needsBoth: Bool

    /// The matching days of a month with `length` days whose first is `firstWeekday`, as bits 1 to 31.
    func days(firstWeekday: Int, length: Int) -> UInt64 {
        var byMonth = monthDays
        for day in specialMonthDays { byMonth |= Self.bit(of: day, firstWeekday, length) }
        // The week's pattern, turned so that bit 0 is the first weekday of the month, repeated over five weeks.
        let turned = (weekdays >> UInt64(firstWeekday) | weekdays << UInt64(7 - firstWeekday)) & 0x7f
        var byWeek = (turned &* 0x1020_4081) << 1
        for day in specialWeekdays { byWeek |= Self.bit(of: day, firstWeekday, length) }
        let all = (1 << UInt64(length + 1)) - 2 as UInt64
        return (needsBoth ? byMonth & byWeek : byMonth | byWeek) & all
    }

    private static func bit(of day: MonthDay, _ firstWeekday: Int, _ length: Int) -> UInt64 {
        switch day {
        case .last(let distance, let onWeekday):
            guard distance < length else { return 0 }
            let target = length - distance
            return 1 << UInt64(onWeekday ? nearestWeekday(target, firstWeekday, length) : target)
        case .weekdayNearest(let target):
            guard target <= length else { return 0 }
            return 1 << UInt64(nearestWeekday(target, firstWeekday, length))
        }
    }

    private static func nearestWeekday(_ day: Int, _ firstWeekday: Int, _ length: Int) -> Int {
        switch (firstWeekday + day - 1) % 7 {
        case 0: day == length ? day - 2 : day + 1
        case 6: day == 1 ? 3 : day - 1
        default: day
        }
    }

    private static func bit(of day: Weekday, _ firstWeekday: Int, _ length: Int) -> UInt64 {
        switch day {
        case .nth(let count, let weekday):
            return 1 << UInt64(1 + (weekday - firstWeekday + 7) % 7 + (count - 1) * 7)
        case .last(let weekday):
            let lastWeekday = (firstWeekday + length - 1) % 7
            return 1 << UInt64(length - (lastWeekday - weekday + 7) % 7)
        }
    }
}
