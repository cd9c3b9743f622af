/// A cron expression in a time zone, with a rule for the days on which the clocks change.
public struct CronTrigger: Hashable, Sendable {
    public let expression: CronExpression
    public let zone: ZoneTable
    public let changes: ClockChanges

    /// `spread` is what `H` is spread by: the schedule's id.
    public init(
        _ expression: String, zone: String, dialect: CronDialect = .unix, spread: String? = nil,
        changes: ClockChanges = .debian
    ) throws(TriggerError) {
        self.expression = try CronExpression(expression, dialect: dialect, spread: spread)
        self.zone = try ZoneTable(zone)
        self.changes = changes
    }

    public var dialect: CronDialect { expression.dialect }

    /// The longest wait of an expression that names a day: 29 February on one weekday, across a year without it.
    private static let longestWait: Int64 = 41 * 366 * 86_400
    /// 1 January of the years 1 and 9999, the range in which times can be written.
    private static let span: ClosedRange<Int64> = -62_135_596_800...253_370_764_800

    /// The first fire after `time`, or nil when there is none before the year 2200 (after it: within 41 years).
    public func next(after time: Timestamp) -> Timestamp? {
        let second = time.milliseconds.flooredDivision(by: 1000).quotient + 1
        guard second <= Self.span.upperBound else { return nil }
        let first = max(second, Self.span.lowerBound)
        let limit = max(first + Self.longestWait, CronExpression.end)
        var index = zone.index(at: first)
        while true {
            if let fire = fire(in: index, from: first, before: limit) { return Timestamp(seconds: fire) }
            let end = zone.end(of: index)
            guard end < limit else { return nil }
            index += 1
        }
    }

    /// The first fire at or after the UTC second `first` while offset `index` holds.
    private func fire(in index: Int, from first: Int64, before limit: Int64) -> Int64? {
        let offset = zone.offsets[index]
        let start = max(zone.starts[index], first)
        let end = zone.end(of: index)
        var wall = start + offset
        var wallEnd = min(end, limit) + offset
        var madeUp: Int64?
        if index > 0 {
            let jump = offset - zone.offsets[index - 1]
            if jump > 0 {
                madeUp = fireForGap(before: index, of: jump, from: first)
            } else if overlap(of: -jump) == .first {
                wall = max(wall, zone.starts[index] + zone.offsets[index - 1])
            }
        }
        if end < limit {
            let jump = zone.offsets[index + 1] - offset
            if jump < 0, overlap(of: -jump) == .second { wallEnd += jump }
        }
        let regular = expression.firstMatch(from: wall, before: wallEnd).map { $0 - offset }
        guard let madeUp else { return regular }
        return min(madeUp, regular ?? madeUp)
    }

    private func overlap(of length: Int64) -> ClockChanges.Overlap {
        changes.ruleForOverlap(of: length, isWildcard: expression.isWildcard)
    }

    /// The first fire at or after `first` for a local time that the clocks pass over when offset `index` begins.
    private func fireForGap(before index: Int, of length: Int64, from first: Int64) -> Int64? {
        let start = zone.starts[index]
        let offset = zone.offsets[index - 1]
        let gapEnd = start + offset + length
        switch changes.ruleForGap(of: length, isWildcard: expression.isWildcard) {
        case .skip: return nil
        case .runAfter:
            guard start >= first else { return nil }
            return expression.firstMatch(from: start + offset, before: gapEnd) == nil ? nil : start
        case .shift:
            // By the old offset, a time of the gap is an instant as far after its start as the time is in it.
            return expression.firstMatch(from: max(start, first) + offset, before: gapEnd).map { $0 - offset }
        }
    }
}
