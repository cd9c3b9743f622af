/// A cron expression: which local times match, in one of the dialects.
///
/// All dialects take lists, ranges (also past the end: `FRI-MON`, `22-2`), steps, names of months and weekdays, `L`, `L-3`,
/// `LW`, `15W` for days of the month, `FRIL`, `FRI#2` for days of the week, `H` for a number spread by the schedule's id,
/// and the macros `@hourly`, `@daily` (`@midnight`), `@weekly`, `@monthly`, `@yearly` (`@annually`).
/// In `unix`, two restricted day fields mean either day; a day field that begins with `*` (also `*/2`) counts as
/// unrestricted, and then both must match. An expression that names no day of any calendar (`0 0 30 2 *`) is refused.
public struct CronExpression: Hashable, Sendable {
    /// The expression with single spaces between its fields, or the macro.
    public let source: String
    public let dialect: CronDialect
    /// What `H` is spread by; nil when it does not occur.
    public let spread: String?

    let seconds: UInt64
    let minutes: UInt64
    let hours: UInt64
    let months: UInt64
    let days: CronDays
    /// Ascending; nil means any.
    let years: [Int]?
    /// The minute or the hour field begins with `*`, or has an open step in `quartz`: the job follows elapsed time when
    /// the clocks change.
    public let isWildcard: Bool

    public init(
        _ text: String, dialect: CronDialect = .unix, spread: String? = nil
    ) throws(TriggerError) {
        let words = text.split { $0 == " " || $0 == "\t" }
        source = words.joined(separator: " ")
        self.dialect = dialect
        var content: [CronField: CronFieldContent] = [:]
        var dayError: TriggerError?
        for slot in try CronSlots.slots(words, dialect) {
            let reader = CronFieldReader(
                field: slot.field, dialect: slot.dialect, text: slot.text, place: slot.place, spread: spread)
            content[slot.field] = try reader.read()
            if slot.field == .dayOfMonth {
                dayError = reader.error("no month and year of the expression has such a day")
            }
            if slot.field == .dayOfWeek, slot.dialect == .quartz, content[.dayOfMonth]?.isStar != true,
                content[.dayOfWeek]?.isStar != true
            {
                throw reader.error("both day fields are restricted; one of them must be ?")
            }
        }
        func mask(_ field: CronField) -> UInt64 { content[field]?.mask ?? 1 }
        seconds = mask(.second)
        minutes = mask(.minute)
        hours = mask(.hour)
        months = mask(.month)
        let monthDay = content[.dayOfMonth] ?? CronFieldContent()
        let weekday = content[.dayOfWeek] ?? CronFieldContent()
        days = CronDays(
            monthDays: monthDay.mask, specialMonthDays: monthDay.monthDays, weekdays: weekday.mask,
            specialWeekdays: weekday.weekdays,
            needsBoth: dialect == .fields || monthDay.isStar || weekday.isStar)
        let named = Set(content[.year]?.numbers ?? [])
        years = named.isEmpty || named.count == CronField.year.range(in: dialect).count ? nil : named.sorted()
        isWildcard = [content[.minute], content[.hour]].contains { $0?.isStar == true || $0?.isOpenStep == true }
        self.spread = content.values.contains(where: \.usesSpread) ? spread : nil
        guard firstMatch(from: 0, before: Self.end) != nil else {
            throw dayError ?? TriggerError(field: "cron", message: "\"\(source.prefix(60))\" names no day")
        }
    }

    /// 2200-01-01 in seconds: later years cannot be written.
    static let end: Int64 = 7_258_118_400
}

/// The fields of an expression as they were written.
struct CronSlots {
    var field: CronField
    var text: Substring
    var place: String
    var dialect: CronDialect

    private static let macros = [
        "@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@weekly": "0 0 * * 0",
        "@monthly": "0 0 1 * *", "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *",
    ]

    static func slots(_ words: [Substring], _ dialect: CronDialect) throws(TriggerError) -> [CronSlots] {
        if let word = words.first, word.hasPrefix("@") {
            guard words.count == 1, let expansion = macros[word.lowercased()] else {
                throw refusal(words, "is no macro; accepted are " + macros.keys.sorted().joined(separator: ", "))
            }
            return try slots(expansion.split(separator: " "), .unix)
        }
        switch dialect {
        case .unix:
            guard words.count == 5 else {
                throw refusal(
                    words,
                    "has \(words.count) fields; five are needed: minute hour day-of-month month day-of-week"
                        + (words.count > 5 ? " (with seconds and years: dialect quartz)" : ""))
            }
        case .quartz:
            guard (6...7).contains(words.count) else {
                throw refusal(
                    words,
                    "has \(words.count) fields; six or seven are needed: second minute hour day-of-month month day-of-week "
                        + "[year]" + (words.count == 5 ? " (five fields: dialect unix)" : ""))
            }
        case .fields: return try named(words)
        }
        return zip(dialect.layout, words).enumerated().map { index, slot in
            CronSlots(
                field: slot.0, text: slot.1, place: "field \(index + 1) of \(words.count)", dialect: dialect)
        }
    }

    /// `key=value` words, and what those that are left out mean.
    private static func named(_ words: [Substring]) throws(TriggerError) -> [CronSlots] {
        let layout = CronDialect.fields.layout
        var texts: [CronField: Substring] = [:]
        for word in words {
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let field = layout.first(where: { $0.key == parts[0].lowercased() }), parts.count == 2 else {
                throw refusal(
                    words,
                    "holds \"\(word.prefix(40))\"; accepted are "
                        + layout.map { "\($0.key)=…" }.joined(separator: ", "))
            }
            guard texts.updateValue(parts[1], forKey: field) == nil else {
                throw refusal(words, "names \(field.key) twice")
            }
        }
        guard let least = layout.lastIndex(where: { texts[$0] != nil }) else {
            throw refusal(words, "names no field; accepted are " + layout.map(\.key).joined(separator: ", "))
        }
        return layout.enumerated().map { index, field in
            let isMinimum = index > least && field != .dayOfWeek
            let fallback = Substring(isMinimum ? String(field.range(in: .fields).lowerBound) : "*")
            return CronSlots(
                field: field, text: texts[field] ?? fallback, place: "field \(field.key)", dialect: .fields)
        }
    }

    private static func refusal(_ words: [Substring], _ problem: String) -> TriggerError {
        TriggerError(field: "cron", message: "\"\(words.joined(separator: " ").prefix(60))\" \(problem)")
    }
}
