extension CronExpression {
    /// The first local second in `start ..< end` that matches. Local seconds count from 1970-01-01T00:00 on the wall.
    ///
    /// Looks at one month at a time, as bits, and passes over months and years that are not named: the rarest expression
    /// (29 February on one weekday) is found within some forty steps.
    func firstMatch(from start: Int64, before end: Int64) -> Int64? {
        guard start < end else { return nil }
        let (startDay, secondOfDay) = start.flooredDivision(by: 86_400)
        let civil = Timestamp.civil(fromDays: startDay)
        let dayOfMonth = civil.day
        var (year, month) = (civil.year, civil.month)
        var firstDay = startDay - dayOfMonth + 1
        // The rest of today counts only from this second on; every later day as a whole.
        var candidates = isNamed(year, month) ? matchingDays(year, month, firstDay) & ~0 << UInt64(dayOfMonth) : 0
        if candidates >> UInt64(dayOfMonth) & 1 == 1 {
            if let second = firstSecond(from: secondOfDay) {
                let match = startDay * 86_400 + second
                return match < end ? match : nil
            }
            candidates &= candidates - 1
        }
        while candidates == 0 {
            guard let next = nextMonth(after: year, month) else { return nil }
            (year, month) = next
            firstDay = Timestamp.days(fromCivil: year, month, 1)
            guard firstDay * 86_400 < end else { return nil }
            candidates = matchingDays(year, month, firstDay)
        }
        let match = (firstDay + Int64(candidates.trailingZeroBitCount) - 1) * 86_400 + firstSecondOfDay
        return match < end ? match : nil
    }

    private func isNamed(_ year: Int64, _ month: Int64) -> Bool {
        months >> UInt64(month) & 1 == 1 && years.map { $0.contains(Int(year)) } ?? true
    }

    private func matchingDays(_ year: Int64, _ month: Int64, _ firstDay: Int64) -> UInt64 {
        // 1970-01-01 was a Thursday.
        let weekday = (firstDay + 4).flooredDivision(by: 7).remainder
        return days.days(
            firstWeekday: Int(weekday), length: Int(Timestamp.daysInMonth(year: year, month: month)))
    }

    private func nextMonth(after year: Int64, _ month: Int64) -> (Int64, Int64)? {
        let later = years.map { $0.contains(Int(year)) } ?? true ? months & ~0 << UInt64(month + 1) : 0
        if later != 0 { return (year, Int64(later.trailingZeroBitCount)) }
        guard let years else { return (year + 1, Int64(months.trailingZeroBitCount)) }
        return years.first { $0 > year }.map { (Int64($0), Int64(months.trailingZeroBitCount)) }
    }

    private var firstSecondOfDay: Int64 {
        Int64(hours.trailingZeroBitCount * 3600 + minutes.trailingZeroBitCount * 60 + seconds.trailingZeroBitCount)
    }

    /// The first matching second of a day at or after `second`.
    private func firstSecond(from second: Int64) -> Int64? {
        let (hour, inHour) = second.quotientAndRemainder(dividingBy: 3600)
        let (minute, inMinute) = inHour.quotientAndRemainder(dividingBy: 60)
        if hours >> UInt64(hour) & 1 == 1 {
            if minutes >> UInt64(minute) & 1 == 1 {
                let left = seconds & ~0 << UInt64(inMinute)
                if left != 0 { return hour * 3600 + minute * 60 + Int64(left.trailingZeroBitCount) }
            }
            let later = minutes & ~0 << UInt64(minute + 1)
            if later != 0 {
                return hour * 3600 + Int64(later.trailingZeroBitCount * 60 + seconds.trailingZeroBitCount)
            }
        }
        let later = hours & ~0 << UInt64(hour + 1)
        guard later != 0 else { return nil }
        return Int64(
            later.trailingZeroBitCount * 3600 + minutes.trailingZeroBitCount * 60 + seconds.trailingZeroBitCount)
    }
}
