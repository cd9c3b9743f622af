import Foundation
import Testing

@testable import TaskModel

/// The days on which the clocks change: each kind of job under each policy, in nine zones.
struct ClockChangesTests {
    /// One line of `Vectors/clock-changes.txt`.
    struct Row {
        var place: String
        var zone: String
        var change: Timestamp
        var expression: String
        var policy: String
        /// Local times with their offset, from three hours before the change to four hours after it.
        var fires: [String]
    }

    private static func rows() throws -> [Row] {
        let file = Schemas.folder.deletingLastPathComponent()
            .appendingPathComponent("Tests/TaskModelTests/Vectors/clock-changes.txt")
        var rows: [Row] = []
        var place = (title: "", zone: "", change: Timestamp.epoch)
        for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") {
            if line.hasPrefix("# ") {
                let words = line.dropFirst(2).split(separator: " ")
                let instant = try #require(words.first { $0.contains("T") && $0.contains("Z") })
                place = (
                    String(line), words[0].replacingOccurrences(of: ",", with: ""),
                    try time("\(instant.prefix(16)):00Z")
                )
                continue
            }
            let cells = line.split(separator: "|", omittingEmptySubsequences: false)
                .map { $0.trimmingCharacters(in: .whitespaces) }
            rows.append(
                Row(
                    place: place.title, zone: place.zone, change: place.change, expression: cells[1],
                    policy: cells[2], fires: cells[3].split(separator: " ").map(String.init)))
        }
        return rows
    }

    @Test func everyJobUnderEveryPolicyIsAsTheTableSays() throws {
        let rows = try Self.rows()
        #expect(rows.count == 9 * 2 * 7 * 4)
        for row in rows {
            let changes = ClockChanges(
                gap: ClockChanges.Gap(rawValue: row.policy), overlap: ClockChanges.Overlap(rawValue: row.policy))
            #expect(row.policy == "debian" || changes != .debian)
            let trigger = try CronTrigger(row.expression, zone: row.zone, changes: changes)
            var found: [String] = []
            var position = row.change - 3 * 3_600_000 - 1
            while let next = trigger.next(after: position), next < row.change + 4 * 3_600_000 {
                found.append(local(next, trigger.zone))
                position = next
            }
            #expect(found == row.fires, "\(row.place): \(row.expression), \(row.policy)")
        }
    }

    /// `13/03:00-04`: day, time, offset.
    private func local(_ time: Timestamp, _ zone: ZoneTable) -> String {
        let second = time.milliseconds / 1000
        let offset = zone.offsets[zone.index(at: second)]
        let wall = Timestamp(seconds: second + offset).rfc3339
        let size = Timestamp(seconds: abs(offset)).rfc3339.dropFirst(11)
        let minutes = size.dropFirst(3).prefix(2)
        return
            "\(wall.dropFirst(8).prefix(2))/\(wall.dropFirst(11).prefix(5))\(offset < 0 ? "-" : "+")\(size.prefix(2))"
            + (minutes == "00" ? "" : ":\(minutes)")
    }

    /// Seconds keep to the rules as minutes do: New York, 13 March 2022, 02:00 becomes 03:00.
    @Test(
        arguments: [
            ("15 30 2 * * ?", nil, ["07:00:00", "06:30:15"]), ("15 30 2 * * ?", .shift, ["07:30:15", "06:30:15"]),
            ("15 30 2 * * ?", .skip, ["06:30:15"]), ("0 0/30 2 * * ?", nil, ["06:00:00", "06:30:00"]),
            ("0 0/30 2 * * ?", .runAfter, ["07:00:00", "06:00:00"]),
            ("0 0/30 2 * * ?", .shift, ["07:00:00", "07:30:00", "06:00:00"]),
        ] as [(String, ClockChanges.Gap?, [String])])
    func secondsInAGap(expression: String, gap: ClockChanges.Gap?, expected: [String]) throws {
        let trigger = try CronTrigger(
            expression, zone: "America/New_York", dialect: .quartz, changes: ClockChanges(gap: gap))
        var position = try time("2022-03-13T06:59:59Z")
        var found: [String] = []
        for _ in expected {
            position = try #require(trigger.next(after: position))
            found.append(String(position.rfc3339.dropFirst(11).prefix(8)))
        }
        #expect(found == expected)
    }

    /// The zones of the database, those that went the same way since 1990 as one, each with its changes until 2024.
    private static func histories() throws -> [(zone: ZoneTable, changes: [Int])] {
        let start = try time("1990-01-01T00:00:00Z").milliseconds / 1000
        let end = try time("2025-01-01T00:00:00Z").milliseconds / 1000
        let names = TimeZone.knownTimeZoneIdentifiers.filter { $0.contains("/") }
        #expect(names.count > 400)
        var seen: Set<[Int64]> = []
        return try names.compactMap { name in
            let zone = try ZoneTable(name)
            let changes = zone.starts.indices.filter { (start..<end).contains(zone.starts[$0]) }
            let history =
                changes.flatMap { [zone.starts[$0], zone.offsets[$0]] } + [zone.offsets[zone.index(at: start)]]
            return seen.insert(history).inserted ? (zone, changes) : nil
        }
    }

    /// Under the default rule a job of one fixed time a day runs once for each local date that there is, in every zone of
    /// the database: every change of the clocks from 1990 to 2024, and the days around it.
    @Test func aDailyJobRunsOnceForEveryLocalDateInEveryZone() throws {
        var random = SplitMix64(seed: 1990)
        var checked = 0
        for (zone, changes) in try Self.histories() {
            for index in changes {
                let second = zone.starts[index]
                let jump = zone.offsets[index] - zone.offsets[index - 1]
                // A local time that the change touches, and one at random.
                let touched = (second + zone.offsets[index - 1] + min(0, jump) + abs(jump) / 2).flooredDivision(
                    by: 86_400)
                let anywhere = Int64.random(in: 0..<1440, using: &random) * 60
                for local in [touched.remainder / 60 * 60] + (index % 8 == 0 ? [anywhere] : []) {
                    checked += 1
                    try checkDates(around: index, zone, local)
                }
            }
        }
        #expect(checked > 4000)
    }

    /// The dates between the changes: three years of every zone, one after the other, at noon.
    @Test func aDailyJobRunsOnEveryDateOfThreeYearsInEveryZone() throws {
        var random = SplitMix64(seed: 1991)
        for (zone, changes) in try Self.histories() {
            let year = Int.random(in: 1990...2022, using: &random)
            let first = try #require(LocalDate("\(year)-01-01")).day
            let dates = first..<(first + 1095)
            let lost = Set(
                changes.flatMap { index in
                    let (before, after) = (
                        zone.starts[index] + zone.offsets[index - 1], zone.starts[index] + zone.offsets[index]
                    )
                    return dates.filter { before <= $0 * 86_400 && ($0 + 1) * 86_400 <= after }
                })
            let trigger = try CronTrigger("0 12 * * *", zone: zone.identifier)
            var found: [Int64] = []
            var position = Timestamp(seconds: (first - 2) * 86_400)
            while let next = trigger.next(after: position), zone.date(at: next).day < dates.upperBound {
                found.append(zone.date(at: next).day)
                position = next
            }
            #expect(found.filter(dates.contains) == dates.filter { !lost.contains($0) }, "\(zone.identifier), \(year)")
        }
    }

    private func checkDates(around index: Int, _ zone: ZoneTable, _ local: Int64) throws {
        let trigger = try CronTrigger("\(local / 60 % 60) \(local / 3600) * * *", zone: zone.identifier)
        let change = zone.starts[index]
        let before = zone.offsets[index - 1]
        let first = (change + before).flooredDivision(by: 86_400).quotient - 2
        let gap = (change + before)..<max(change + before, change + zone.offsets[index])
        var fires: [Int64] = []
        var position = Timestamp(seconds: first * 86_400 - 2 * 86_400)
        while let next = trigger.next(after: position), next.milliseconds / 1000 < (first + 6) * 86_400 {
            let second = next.milliseconds / 1000
            // A run that makes up for a time in the gap is the run of that time's date.
            let madeUp = (-1...1).map { (first + 2 + $0) * 86_400 + local }.first { gap.contains($0) }
            let wall = second == change && madeUp != nil ? madeUp! : second + zone.offsets[zone.index(at: second)]
            fires.append(wall.flooredDivision(by: 86_400).quotient)
            position = next
        }
        for date in first...(first + 4) {
            // A date that the zone left out as a whole has no runs.
            let isLost = gap.lowerBound <= date * 86_400 && (date + 1) * 86_400 <= gap.upperBound
            let count = fires.filter { $0 == date }.count
            #expect(
                count == (isLost ? 0 : 1),
                "\(zone.identifier), \(trigger.expression.source), \(LocalDate(day: date)): \(count) runs")
        }
    }
}
