@testable import TaskModel

extension Generate {
    static let zones = [
        "UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo", "America/Santiago",
        "Asia/Amman",
        "Pacific/Apia", "Africa/Casablanca", "Asia/Kolkata",
    ]

    mutating func element<Value>(_ values: [Value]) -> Value { values[int(0...values.count - 1)] }

    mutating func clockChanges() -> ClockChanges {
        ClockChanges(
            gap: optional { $0.element(ClockChanges.Gap.allCases) },
            overlap: optional { $0.element(ClockChanges.Overlap.allCases) })
    }

    /// One that is accepted.
    mutating func cron(zone: String? = nil) -> CronTrigger {
        while true {
            let dialect = element([CronDialect.unix, .quartz])
            let example = BruteCron(dialect, using: &self)
            let place = zone ?? element(Self.zones)
            if let cron = try? CronTrigger(example.text, zone: place, dialect: dialect, changes: clockChanges()) {
                return cron
            }
        }
    }

    mutating func interval() -> IntervalTrigger {
        let length = element([1000, 60_000, 90_000, 3_600_000, 5_400_000, 86_400_000] as [Int64])
        guard chance(0.6) else { return IntervalTrigger(milliseconds: length) }
        return IntervalTrigger(
            milliseconds: length, anchor: instant(), delay: Int64(int(0...100_000)),
            first: element([.immediately, .wait]), repetitions: optional { $0.int(1...500) })
    }

    mutating func calendar() -> CalendarTrigger {
        try! CalendarTrigger(
            every: int(1...4), element([.days, .weeks, .months]), from: LocalDate(day: Int64(int(14_000...19_000))),
            at: element(["00:00", "00:30", "02:15", "02:30", "12:00", "23:59:59"]), zone: element(Self.zones),
            changes: clockChanges())
    }

    /// 2008 to 2024.
    mutating func instant() -> Timestamp {
        Timestamp(milliseconds: Int64.random(in: 1_200_000_000_000...1_720_000_000_000, using: &random))
    }

    mutating func trigger(depth: Int = 2) -> Trigger {
        switch int(0...(depth > 0 ? 9 : 6)) {
        case 0: .interval(interval())
        case 1: .at(instant())
        case 2...4: .cron(cron())
        case 5...6: .calendar(calendar())
        case 7: .anyOf((0..<int(1...3)).map { _ in trigger(depth: depth - 1) })
        case 8: .allOf([trigger(depth: depth - 1), .interval(IntervalTrigger(milliseconds: 1000))])
        default: .except(trigger(depth: depth - 1), (0..<int(1...3)).map { _ in exclusion(depth: depth - 1) })
        }
    }

    mutating func exclusion(depth: Int) -> Exclusion {
        let from = instant()
        switch int(0...2) {
        case 0: return .range(from: from, until: from + Int64(int(1...100)) * 86_400_000)
        case 1:
            let first = Int64(int(14_000...19_900))
            return .dates(
                Set((0..<int(1...40)).map { _ in LocalDate(day: first + Int64(int(0...60))) }),
                zone: try! ZoneTable(element(Self.zones)))
        default: return .trigger(trigger(depth: depth))
        }
    }
}
