/// A crontab line's five time fields with the meaning that Debian's cron gives them.
///
/// Lists, ranges, steps, names of months and weekdays, Sunday as 0 or 7, and `@hourly`, `@daily` (`@midnight`),
/// `@weekly`, `@monthly`, `@yearly` (`@annually`). When both day fields are restricted, a day matches if either does;
/// a day field that begins with `*` (also `*/2`) counts as unrestricted, and then both must match.
/// An expression that names no day of any calendar (`0 0 30 2 *`) is refused.
public struct CronExpression: Hashable, Sendable {
    /// The expression with single spaces between its fields, or the macro.
    public let source: String

    let minutes: UInt64
    let hours: UInt64
    let daysOfMonth: UInt64
    let months: UInt64
    /// Bits 0 (Sunday) to 6.
    let daysOfWeek: UInt64
    /// Both day fields must match (one of them begins with `*`); otherwise either does.
    let needsBothDays: Bool
    /// The minute or the hour field begins with `*`: the job follows elapsed time when the clocks change.
    public let isWildcard: Bool

    private static let macros = [
        "@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@weekly": "0 0 * * 0",
        "@monthly": "0 0 1 * *", "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *",
    ]

    public init(_ text: String) throws(TriggerError) {
        let words = text.split { $0 == " " || $0 == "\t" }
        source = words.joined(separator: " ")
        var fields = words
        if let word = words.first, word.hasPrefix("@") {
            guard words.count == 1, let expansion = Self.macros[word.lowercased()] else {
                throw TriggerError(
                    field: "cron",
                    message: "\"\(source.prefix(60))\" is no macro; accepted are "
                        + Self.macros.keys.sorted().joined(separator: ", "))
            }
            fields = expansion.split(separator: " ")
        }
        guard fields.count == 5 else {
            throw TriggerError(
                field: "cron",
                message: "\"\(source.prefix(60))\" has \(fields.count) fields; five are needed: "
                    + "minute hour day-of-month month day-of-week")
        }
        minutes = try CronField.minute.parse(fields[0]).mask
        hours = try CronField.hour.parse(fields[1]).mask
        let dayOfMonth = try CronField.dayOfMonth.parse(fields[2])
        months = try CronField.month.parse(fields[3]).mask
        let dayOfWeek = try CronField.dayOfWeek.parse(fields[4])
        daysOfMonth = dayOfMonth.mask
        let sunday = (dayOfWeek.mask | dayOfWeek.mask >> 7) & 1
        daysOfWeek = dayOfWeek.mask & 0b111_1110 | sunday
        needsBothDays = dayOfMonth.isStar || dayOfWeek.isStar
        isWildcard = fields[0].first == "*" || fields[1].first == "*"
        guard needsBothDays else { return }
        let exists = (1...12).contains { month in
            months >> UInt64(month) & 1 == 1
                && daysOfMonth & (1 << (UInt64(Self.longestMonth[month - 1]) + 1) - 1) != 0
        }
        guard exists else {
            throw CronField.dayOfMonth.error("no month of \"\(fields[3].prefix(60))\" has such a day", in: fields[2])
        }
    }

    private static let longestMonth = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

    /// The first local minute in `start ..< end` that matches. Local minutes count from 1970-01-01T00:00 on the wall.
    func firstMatch(from start: Int64, before end: Int64) -> Int64? {
        var (day, minuteOfDay) = start.flooredDivision(by: 1440)
        var (year, month, dayOfMonth) = Timestamp.civil(fromDays: day)
        var length = Timestamp.daysInMonth(year: year, month: month)
        while day * 1440 < end {
            let isMonth = months >> UInt64(month) & 1 == 1
            if isMonth, matches(day: day, dayOfMonth: dayOfMonth), let minute = firstMinute(from: minuteOfDay) {
                let match = day * 1440 + minute
                return match < end ? match : nil
            }
            minuteOfDay = 0
            let step = isMonth ? 1 : length - dayOfMonth + 1
            day += step
            dayOfMonth += step
            if dayOfMonth > length {
                dayOfMonth = 1
                month = month == 12 ? 1 : month + 1
                if month == 1 { year += 1 }
                length = Timestamp.daysInMonth(year: year, month: month)
            }
        }
        return nil
    }

    private func matches(day: Int64, dayOfMonth: Int64) -> Bool {
        // 1970-01-01 was a Thursday.
        let weekday = (day + 4).flooredDivision(by: 7).remainder
        let byMonth = daysOfMonth >> UInt64(dayOfMonth) & 1 == 1
        let byWeek = daysOfWeek >> UInt64(weekday) & 1 == 1
        return needsBothDays ? byMonth && byWeek : byMonth || byWeek
    }

    /// The first matching minute of a day at or after `minute`.
    private func firstMinute(from minute: Int64) -> Int64? {
        let (hour, rest) = minute.quotientAndRemainder(dividingBy: 60)
        if hours >> UInt64(hour) & 1 == 1 {
            let left = minutes & (UInt64.max << UInt64(rest))
            if left != 0 { return hour * 60 + Int64(left.trailingZeroBitCount) }
        }
        let later = hours & (UInt64.max << UInt64(hour + 1))
        guard later != 0 else { return nil }
        return Int64(later.trailingZeroBitCount) * 60 + Int64(minutes.trailingZeroBitCount)
    }
}
