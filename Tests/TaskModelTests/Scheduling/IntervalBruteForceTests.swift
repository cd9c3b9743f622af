import Foundation
import TaskModel
import Testing

/// Random intervals of both kinds against walks and counts that know nothing of how the next time is found.
struct IntervalBruteForceTests {
    private static let zones = Generate.zones.map { ($0, TimeZone(identifier: $0)!) }
    private static let units: [(CalendarTrigger.Unit, Calendar.Component)] = [
        (.days, .day), (.weeks, .day), (.months, .month), (.years, .year),
    ]

    /// At noon, which no change of the clocks touches: those are in `ClockChangesTests`.
    @Test func calendarIntervalsAgreeWithAWalkOverEveryDay() throws {
        var generate = Generate(seed: 61)
        var found = 0
        for _ in 0..<80 {
            let (name, zone) = generate.element(Self.zones)
            let (unit, component) = generate.element(Self.units)
            let every = unit == .years ? 1 : generate.int(1...5)
            let lateDay = generate.element(["01-31", "03-30", "08-29", "12-31"])
            let start =
                generate.chance(0.5)
                ? try #require(LocalDate("\(generate.int(2009...2019))-\(lateDay)"))
                : LocalDate(day: Int64(generate.int(14_200...18_000)))
            let step = unit == .weeks ? 7 * every : every
            let end = Timestamp(seconds: (start.day + 1500) * 86_400)
            let expected = walk(from: start, step, component, zone).filter { $0 <= end }
            let trigger = Trigger.calendar(
                try CalendarTrigger(every: every, unit, from: start, at: "12:00", zone: name))
            #expect(
                fires(trigger, after: Timestamp(seconds: (start.day - 9) * 86_400), through: end) == expected,
                "every \(every) \(unit) from \(start), \(name)")
            found += expected.count
        }
        #expect(found > 5000)
    }

    /// The noons of the days that whole steps from the start lead to, in the 1502 days from then on.
    private func walk(
        from start: LocalDate, _ step: Int, _ component: Calendar.Component, _ zone: TimeZone
    ) -> [Timestamp] {
        var utc = Calendar(identifier: .gregorian)
        utc.timeZone = TimeZone(secondsFromGMT: 0)!
        var local = utc
        local.timeZone = zone
        let parts: Set<Calendar.Component> = [.year, .month, .day]
        let first = utc.dateComponents(parts, from: Date(timeIntervalSince1970: Double(start.day) * 86_400))
        return (0..<1502).compactMap { passed in
            var date = utc.dateComponents(
                parts, from: Date(timeIntervalSince1970: Double(start.day + Int64(passed)) * 86_400))
            let years = date.year! - first.year!
            let isNamed =
                switch component {
                case .year: date.month == first.month && date.day == first.day && years % step == 0
                case .month: date.day == first.day && (years * 12 + date.month! - first.month!) % step == 0
                default: passed % step == 0
                }
            guard isNamed else { return nil }
            date.hour = 12
            // Apia has no 30 December 2011.
            guard let noon = local.date(from: date), local.component(.day, from: noon) == date.day else { return nil }
            return Timestamp(seconds: Int64(noon.timeIntervalSince1970))
        }
    }

    private func fires(_ trigger: Trigger, after start: Timestamp, through end: Timestamp) -> [Timestamp] {
        var found: [Timestamp] = []
        while let next = trigger.next(after: found.last ?? start), next <= end { found.append(next) }
        return found
    }

    /// Counted from the first time on, one by one.
    @Test func intervalsAgreeWithCounting() throws {
        var generate = Generate(seed: 62)
        var ended = 0
        for _ in 0..<200 {
            let anchor = generate.instant()
            let length = generate.element([1000, 60_000, 90_000, 5_400_000, 86_400_000] as [Int64])
            let delay = Int64(generate.int(0...100_000))
            let first = generate.element([IntervalTrigger.First.immediately, .wait])
            let repetitions = generate.optional { $0.int(1...30) }
            var times = [anchor + delay + (first == .wait ? length : 0)]
            while times.count < repetitions ?? 50 { times.append(times[times.count - 1] + length) }
            let trigger = try Trigger.every(
                milliseconds: length, anchor: anchor, delay: delay, first: first, repetitions: repetitions)
            for _ in 0..<10 {
                let after = anchor + Int64.random(in: -2 * length...40 * length, using: &generate.random)
                let expected = times.first { $0 > after }
                if expected == nil { ended += 1 }
                #expect(trigger.next(after: after) == expected, "\(trigger) after \(after.rfc3339)")
            }
            for time in times { #expect(trigger.next(after: time - 1) == time) }
        }
        #expect(ended > 100)
    }
}
