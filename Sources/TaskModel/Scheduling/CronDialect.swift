/// Which cron's rules hold for an expression: named, never guessed, because the same text means different days.
public enum CronDialect: String, Hashable, Sendable, Codable, CaseIterable {
    /// Five fields from the minute on, as Debian's cron reads them: Sunday is 0 or 7; two restricted day fields mean either.
    case unix
    /// Six or seven fields from the second on, the year last and optional: Sunday is 1; one of the day fields is `?` or `*`.
    case quartz
    /// Named fields as APScheduler takes them, `hour=9 minute=0 day_of_week=mon-fri`: a number in `day_of_week` counts from
    /// Monday as 0; the day fields must both match. Fields left out below the least one given are at their minimum
    /// (`day_of_week` apart, which is any), higher ones are any.
    case fields

    /// The fields in the order in which they are written; `fields` takes them in any order.
    var layout: [CronField] {
        switch self {
        case .unix: [.minute, .hour, .dayOfMonth, .month, .dayOfWeek]
        case .quartz: [.second, .minute, .hour, .dayOfMonth, .month, .dayOfWeek, .year]
        case .fields: [.year, .month, .dayOfMonth, .dayOfWeek, .hour, .minute, .second]
        }
    }
}

/// One of the time fields of a cron expression: its name, its range, and the names that stand for numbers.
enum CronField: Int, CaseIterable {
    case second, minute, hour, dayOfMonth, month, dayOfWeek, year

    var name: String {
        switch self {
        case .second: "second"
        case .minute: "minute"
        case .hour: "hour"
        case .dayOfMonth: "day-of-month"
        case .month: "month"
        case .dayOfWeek: "day-of-week"
        case .year: "year"
        }
    }

    /// Its name in the dialect `fields`.
    var key: String {
        switch self {
        case .dayOfMonth: "day"
        case .dayOfWeek: "day_of_week"
        default: name
        }
    }

    /// The numbers that may be written.
    func range(in dialect: CronDialect) -> ClosedRange<Int> {
        switch self {
        case .second, .minute: 0...59
        case .hour: 0...23
        case .dayOfMonth: 1...31
        case .month: 1...12
        case .dayOfWeek: dialect == .quartz ? 1...7 : dialect == .unix ? 0...7 : 0...6
        case .year: 1970...2199
        }
    }

    /// After how many numbers a range that runs past the end begins anew; nil where it may not.
    var period: Int? {
        switch self {
        case .second, .minute: 60
        case .hour: 24
        case .dayOfMonth: 31
        case .month: 12
        case .dayOfWeek: 7
        case .year: nil
        }
    }

    /// The names of numbers, the first one that of `range.lowerBound`.
    func names(in dialect: CronDialect) -> [String] {
        switch self {
        case .month: ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
        case .dayOfWeek:
            dialect == .fields
                ? ["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"] : ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
        case .second, .minute, .hour, .dayOfMonth, .year: []
        }
    }

    /// A written number as the matcher counts: weekdays from Sunday as 0, all else as it is.
    func normalized(_ number: Int, in dialect: CronDialect) -> Int {
        guard self == .dayOfWeek else { return number }
        switch dialect {
        case .unix: return number % 7
        case .quartz: return (number + 6) % 7
        case .fields: return (number + 1) % 7
        }
    }

    /// The largest step that makes sense in `quartz`, which refuses larger ones.
    var largestStep: Int {
        switch self {
        case .second, .minute: 59
        case .hour: 23
        case .dayOfMonth: 31
        case .month: 12
        case .dayOfWeek: 7
        case .year: 230
        }
    }

    /// What may stand in the field, for error messages.
    func accepted(in dialect: CronDialect) -> String {
        let range = range(in: dialect)
        let names = names(in: dialect).map { $0.lowercased() }
        var text = "accepted are \(range.lowerBound)-\(range.upperBound)"
        if let first = names.first, let last = names.last { text += " or \(first)-\(last)" }
        if self == .dayOfWeek {
            text +=
                dialect == .unix ? " (0 and 7 are Sunday)" : dialect == .quartz ? " (1 is Sunday)" : " (0 is Monday)"
        }
        text += ", *, ranges (\(range.lowerBound)-\(range.lowerBound + 4)), lists, steps (*/2"
        text += dialect == .quartz ? ", \(range.lowerBound)/2)" : ", \(range.lowerBound)-\(range.lowerBound + 4)/2)"
        if self != .year { text += ", H, H/n, H(a-b)" }
        if self == .dayOfMonth { text += ", L, L-3, LW, 15W" }
        if self == .dayOfWeek { text += ", \(names[5])L, \(names[5])#2" }
        if dialect == .quartz, self == .dayOfMonth || self == .dayOfWeek { text += ", ?" }
        return text
    }
}
