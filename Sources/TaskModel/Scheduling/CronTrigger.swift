/// A cron expression in a time zone, with Debian's rule for the days on which clocks change.
///
/// A job whose minute or hour field begins with `*` follows elapsed time: it runs at every real minute whose wall time
/// matches, twice where the wall repeats, not at all where it jumps. Any other job has a fixed time: where a jump of less
/// than three hours passes over it, it runs once right after the jump; where the wall repeats (up to three hours), it runs
/// the first time only.
public struct CronTrigger: Hashable, Sendable {
    /// Which cron's rules hold. More will come; an unknown one is refused on reading.
    public enum Dialect: String, Hashable, Sendable, Codable, CaseIterable {
        /// Five fields as Debian's cron reads them.
        case unix
    }

    public let dialect: Dialect
    public let expression: CronExpression
    public let zone: ZoneTable

    public init(_ expression: String, zone: String, dialect: Dialect = .unix) throws(TriggerError) {
        self.dialect = dialect
        self.expression = try CronExpression(expression)
        self.zone = try ZoneTable(zone)
    }

    /// The longest wait of an expression that names a day: 29 February on one weekday, across a year without it.
    private static let horizon: Int64 = 41 * 366 * 1440
    private static let longestCaughtUpJump: Int64 = 180

    /// The first fire after `time`, or nil when there is none within 41 years.
    public func next(after time: Timestamp) -> Timestamp? {
        let last: Int64 = .max / 120_000
        let first = min(last, max(-last, time.milliseconds.flooredDivision(by: 60_000).quotient + 1))
        let limit = first + Self.horizon
        var index = zone.index(at: first)
        while true {
            if let minute = fire(in: index, from: first, before: limit) {
                return Timestamp(milliseconds: minute * 60_000)
            }
            let end = zone.end(of: index)
            guard end < limit else { return nil }
            index += 1
        }
    }

    /// The first fire at or after the UTC minute `first` while offset `index` holds.
    private func fire(in index: Int, from first: Int64, before limit: Int64) -> Int64? {
        let offset = zone.offsets[index]
        let start = zone.starts[index]
        let end = min(zone.end(of: index), limit)
        var wall = max(start, first) + offset
        if index > 0, !expression.isWildcard {
            let previous = zone.offsets[index - 1]
            let jump = offset - previous
            if jump > 0, jump < Self.longestCaughtUpJump, start >= first,
                expression.firstMatch(from: start + previous, before: start + offset) != nil
            {
                return start
            }
            if jump < 0, -jump <= Self.longestCaughtUpJump { wall = max(wall, start + previous) }
        }
        return expression.firstMatch(from: wall, before: end + offset).map { $0 - offset }
    }
}
