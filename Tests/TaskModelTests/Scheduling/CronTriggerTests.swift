import Foundation
import TaskModel
import Testing

/// The days on which the clocks change, by Debian's rule.
struct CronTriggerTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var expression: String
        var zone: String
        var after: String
        var fires: [String]
        var testDescription: String { "\(expression) \(zone) after \(after)" }
    }

    @Test(arguments: [
        // Berlin jumps from 02:00 to 03:00 at 01:00Z: a fixed time in the gap runs once, right after it.
        Case(
            expression: "30 2 * * *", zone: "Europe/Berlin", after: "2026-03-28T12:00:00Z",
            fires: ["2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"]),
        Case(
            expression: "0,30 2 * * *", zone: "Europe/Berlin", after: "2026-03-28T12:00:00Z",
            fires: ["2026-03-29T01:00:00Z", "2026-03-30T00:00:00Z", "2026-03-30T00:30:00Z"]),
        Case(
            expression: "0 2,3 * * *", zone: "Europe/Berlin", after: "2026-03-28T12:00:00Z",
            fires: ["2026-03-29T01:00:00Z", "2026-03-30T00:00:00Z"]),
        // Wildcards follow elapsed time: no time in the gap, none made up for.
        Case(
            expression: "*/30 2 * * *", zone: "Europe/Berlin", after: "2026-03-28T12:00:00Z",
            fires: ["2026-03-30T00:00:00Z"]),
        Case(
            expression: "*/30 * * * *", zone: "Europe/Berlin", after: "2026-03-29T00:00:00Z",
            fires: ["2026-03-29T00:30:00Z", "2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z"]),
        // Berlin repeats 02:00 to 03:00 at 01:00Z: fixed once, wildcard twice.
        Case(
            expression: "30 2 * * *", zone: "Europe/Berlin", after: "2026-10-24T12:00:00Z",
            fires: ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]),
        Case(
            expression: "30 2 * * *", zone: "Europe/Berlin", after: "2026-10-25T01:10:00Z",
            fires: ["2026-10-26T01:30:00Z"]),
        Case(
            expression: "*/30 2 * * *", zone: "Europe/Berlin", after: "2026-10-24T12:00:00Z",
            fires: [
                "2026-10-25T00:00:00Z", "2026-10-25T00:30:00Z", "2026-10-25T01:00:00Z", "2026-10-25T01:30:00Z",
                "2026-10-26T01:00:00Z",
            ]),
        Case(
            expression: "@hourly", zone: "Europe/Berlin", after: "2026-10-24T23:30:00Z",
            fires: ["2026-10-25T00:00:00Z", "2026-10-25T01:00:00Z", "2026-10-25T02:00:00Z"]),
        Case(
            expression: "30 2 * * *", zone: "America/New_York", after: "2026-03-08T00:00:00Z",
            fires: ["2026-03-08T07:00:00Z", "2026-03-09T06:30:00Z"]),
        Case(
            expression: "30 1 * * *", zone: "America/New_York", after: "2026-11-01T00:00:00Z",
            fires: ["2026-11-01T05:30:00Z", "2026-11-02T06:30:00Z"]),
        // Lord Howe's clocks move by half an hour.
        Case(
            expression: "45 1 * * *", zone: "Australia/Lord_Howe", after: "2026-04-04T14:00:00Z",
            fires: ["2026-04-04T14:45:00Z", "2026-04-05T15:15:00Z"]),
        Case(
            expression: "15 2 * * *", zone: "Australia/Lord_Howe", after: "2026-10-03T12:00:00Z",
            fires: ["2026-10-03T15:30:00Z", "2026-10-04T15:15:00Z"]),
        // A gap at midnight still has its daily run, and a skipped day has none.
        Case(
            expression: "0 0 * * *", zone: "America/Sao_Paulo", after: "2018-11-03T12:00:00Z",
            fires: ["2018-11-04T03:00:00Z", "2018-11-05T02:00:00Z"]),
        Case(
            expression: "0 12 * * *", zone: "Pacific/Apia", after: "2011-12-29T12:00:00Z",
            fires: ["2011-12-29T22:00:00Z", "2011-12-30T22:00:00Z"]),
    ])
    func followsDebiansRule(_ example: Case) throws {
        let trigger = try Trigger.cron(example.expression, zone: example.zone)
        var position = try time(example.after)
        var fires: [String] = []
        for _ in example.fires {
            position = try #require(trigger.next(after: position))
            fires.append(position.rfc3339)
        }
        #expect(fires == example.fires)
    }

    /// The last Sunday of March at two never exists in Berlin, and a wildcard is not made up for.
    @Test func endsTheSearchForATimeThatNeverComes() throws {
        let trigger = try Trigger.cron("*/5 2 25-31 3 */7", zone: "Europe/Berlin")
        let now = try time("2026-11-21T00:00:00Z")
        #expect(trigger.next(after: now) == nil)
    }

    @Test(arguments: [Timestamp(milliseconds: .min), Timestamp(milliseconds: .max), .epoch])
    func survivesAnyInstant(_ instant: Timestamp) throws {
        for expression in ["* * * * *", "0 0 29 2 *"] {
            let next = try Trigger.cron(expression, zone: "Europe/Berlin").next(after: instant)
            if instant.milliseconds == 0 { #expect(next != nil && next! > instant) }
        }
    }
}

extension CronTriggerTests {
    /// Random expressions against a replay of what cron's own loop does minute by minute: it keeps a virtual local time
    /// beside the real one, and tells small steps, the clock going forward, the clock going back, and jumps apart.
    @Test(arguments: [
        ("Europe/Berlin", "2026-03-29T01:00:00Z"), ("Europe/Berlin", "2026-10-25T01:00:00Z"),
        ("America/New_York", "2026-03-08T07:00:00Z"), ("America/New_York", "2026-11-01T06:00:00Z"),
        ("Australia/Lord_Howe", "2026-04-04T15:00:00Z"), ("Australia/Lord_Howe", "2026-10-03T15:30:00Z"),
        ("America/Sao_Paulo", "2018-11-04T03:00:00Z"), ("Pacific/Apia", "2011-12-30T10:00:00Z"),
    ])
    func agreesWithAReplayOfCronsLoop(zone: String, transition: String) throws {
        let around = try time(transition).milliseconds / 60_000
        let timeZone = try #require(TimeZone(identifier: zone))
        let window = (around - 2000)..<(around + 2000)
        var random = SplitMix64(seed: UInt64(around))
        for _ in 0..<40 {
            let example = RandomCron(using: &random, hours: 0...4)
            guard let trigger = try? Trigger.cron(example.text, zone: zone) else { continue }
            let expected = replay(example, timeZone, window)
            var found: [Int64] = []
            var position = Timestamp(milliseconds: window.lowerBound * 60_000 - 1)
            while let next = trigger.next(after: position), next.milliseconds / 60_000 < window.upperBound {
                found.append(next.milliseconds / 60_000)
                position = next
            }
            #expect(found == expected, "\(example.text)")
        }
    }

    /// The UTC minutes of `window` at which cron starts the job, by its rules for a changing clock.
    private func replay(_ example: RandomCron, _ zone: TimeZone, _ window: Range<Int64>) -> [Int64] {
        func wall(_ minute: Int64) -> Int64 {
            minute + Int64(zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(minute) * 60))) / 60
        }
        var fires: [Int64] = []
        var virtual = wall(window.lowerBound - 1)
        for minute in window {
            let real = wall(minute)
            let isWildcard = example.isWildcard
            let runs: Bool
            switch real - virtual {
            case 1...5:
                runs = (virtual + 1...real).contains { example.matches($0) }
                virtual = real
            case 6...180:
                runs = isWildcard ? example.matches(real) : (virtual + 1...real).contains { example.matches($0) }
                virtual = real
            case -179...0:
                runs = isWildcard && example.matches(real)
            default:
                virtual = real
                runs = example.matches(real)
            }
            if runs { fires.append(minute) }
        }
        return fires
    }
}

/// A cron expression made from its meaning: for each field the set of its numbers, and the text that says so.
private struct RandomCron {
    var text = ""
    private var sets: [Set<Int>] = []
    private var stars: [Bool] = []

    /// The minute or the hour field begins with a star.
    var isWildcard: Bool { stars[0] || stars[1] }

    init(using random: inout SplitMix64, hours: ClosedRange<Int> = 0...23) {
        for (low, high) in [(0, 59), (hours.lowerBound, hours.upperBound), (1, 31), (1, 12), (0, 7)] {
            var words: [String] = []
            var numbers: Set<Int> = []
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let first = Int.random(in: low...high, using: &random)
                let last = Int.random(in: first...high, using: &random)
                let step = Int.random(in: 1...5, using: &random)
                switch Int.random(in: 0..<5, using: &random) {
                case 0:
                    words.append("*")
                    numbers.formUnion(low...high)
                case 1:
                    words.append("*/\(step)")
                    numbers.formUnion((low...high).filter { ($0 - low) % step == 0 })
                case 2:
                    words.append("\(first)-\(last)/\(step)")
                    numbers.formUnion((first...last).filter { ($0 - first) % step == 0 })
                case 3:
                    words.append("\(first)-\(last)")
                    numbers.formUnion(first...last)
                default:
                    words.append("\(first)")
                    numbers.insert(first)
                }
            }
            if high == hours.upperBound, hours != 0...23, words.contains(where: { $0.hasPrefix("*") }) {
                // A star means every hour, whatever range the others are drawn from.
                numbers = Set(0...23)
                words = ["*"]
            }
            stars.append(words[0].hasPrefix("*"))
            sets.append(numbers)
            text += (text.isEmpty ? "" : " ") + words.joined(separator: ",")
        }
        if sets[4].contains(7) { sets[4].insert(0) }
    }

    /// Whether a local minute matches.
    func matches(_ minute: Int64) -> Bool {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = TimeZone(secondsFromGMT: 0)!
        guard sets[0].contains(Int(minute % 60)), sets[1].contains(Int(minute / 60 % 24)) else { return false }
        let date = calendar.dateComponents(
            [.day, .month, .weekday], from: Date(timeIntervalSince1970: Double(minute) * 60))
        guard let day = date.day, let month = date.month, let weekday = date.weekday, sets[3].contains(month) else {
            return false
        }
        let isDay = sets[2].contains(day)
        let isWeekday = sets[4].contains(weekday - 1)
        return stars[2] || stars[4] ? isDay && isWeekday : isDay || isWeekday
    }
}
