@testable import TaskModel

/// A random cron expression made from its meaning: what each field names, and the text that says so. Matching tries every
/// day and every second by that meaning, and shares nothing with the code under test but the dialect's name.
struct BruteCron {
    enum MonthDay {
        case number(Int)
        case last(minus: Int)
        case lastWeekday
        case weekdayNearest(Int)
    }

    /// Weekdays from Sunday as 0.
    enum Weekday {
        case number(Int)
        case last(Int)
        case nth(Int, Int)
    }

    let dialect: CronDialect
    private(set) var text = ""
    private var seconds: Set<Int> = [0]
    private var minutes: Set<Int> = []
    private var hours: Set<Int> = []
    private var monthDays: [MonthDay] = []
    private var months: Set<Int> = []
    private var weekdays: [Weekday] = []
    private var years: Set<Int>?
    /// Either day is enough.
    private var takesEither = false

    static let monthNames = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
    static let weekdayNames = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]

    init(_ dialect: CronDialect, using generate: inout Generate) {
        self.dialect = dialect
        var words: [String] = []
        func add(_ field: (text: String, numbers: Set<Int>)) -> Set<Int> {
            words.append(field.text)
            return field.numbers
        }
        let isQuartz = dialect == .quartz
        if isQuartz { seconds = add(Self.field(0...59, isQuartz, using: &generate)) }
        minutes = add(Self.field(0...59, isQuartz, using: &generate))
        hours = add(Self.field(0...23, isQuartz, using: &generate))
        let day = Self.monthDays(isQuartz, using: &generate)
        let month =
            generate.chance(0.5)
            ? ("*", Set(1...12)) : Self.field(1...12, isQuartz, names: Self.monthNames, using: &generate)
        let weekday = Self.weekdays(isQuartz, using: &generate)
        monthDays = day.days
        weekdays = weekday.days
        var dayText = day.text
        var weekdayText = weekday.text
        if isQuartz {
            if generate.chance(0.5) {
                dayText = "?"
                monthDays = (1...31).map { .number($0) }
            } else {
                weekdayText = "?"
                weekdays = (0...6).map { .number($0) }
            }
        } else {
            takesEither = !dayText.hasPrefix("*") && !weekdayText.hasPrefix("*")
        }
        words.append(dayText)
        months = add(month)
        words.append(weekdayText)
        if isQuartz, generate.chance(0.2) {
            let first = generate.int(2020...2040)
            let last = generate.int(first...2045)
            words.append("\(first)-\(last)")
            years = Set(first...last)
        }
        text = words.joined(separator: " ")
    }

    private static func field(
        _ range: ClosedRange<Int>, _ hasOpenStep: Bool, names: [String] = [], using generate: inout Generate
    ) -> (text: String, numbers: Set<Int>) {
        var words: [String] = []
        var numbers: Set<Int> = []
        func word(_ number: Int) -> String {
            guard !names.isEmpty, generate.chance(0.5) else { return "\(number)" }
            return names[number - range.lowerBound]
        }
        for _ in 0..<generate.int(1...3) {
            let first = generate.int(range)
            let last = generate.int(range)
            let step = generate.int(1...5)
            // From `first` on, one after the other, past the end if need be.
            var run = [first]
            while run[run.count - 1] != last {
                run.append(run[run.count - 1] == range.upperBound ? range.lowerBound : run[run.count - 1] + 1)
            }
            switch generate.int(0...6) {
            case 0:
                words.append("*")
                numbers.formUnion(range)
            case 1:
                words.append("*/\(step)")
                numbers.formUnion(range.filter { ($0 - range.lowerBound) % step == 0 })
            case 2:
                words.append("\(word(first))-\(word(last))")
                numbers.formUnion(run)
            case 3:
                words.append("\(word(first))-\(word(last))/\(step)")
                for (index, number) in run.enumerated() where index % step == 0 { numbers.insert(number) }
            case 4 where hasOpenStep:
                words.append("\(first)/\(step)")
                numbers.formUnion(range.filter { $0 >= first && ($0 - first) % step == 0 })
            default:
                words.append(word(first))
                numbers.insert(first)
            }
        }
        return (words.joined(separator: ","), numbers)
    }

    private static func monthDays(
        _ isQuartz: Bool, using generate: inout Generate
    ) -> (text: String, days: [MonthDay]) {
        guard generate.chance(0.5) else {
            let plain = field(1...31, isQuartz, using: &generate)
            return (plain.text, plain.numbers.map { .number($0) })
        }
        var words: [String] = []
        var days: [MonthDay] = []
        for _ in 0..<generate.int(1...2) {
            let number = generate.int(1...31)
            switch generate.int(0...3) {
            case 0:
                words.append("L")
                days.append(.last(minus: 0))
            case 1:
                words.append("L-\(number - 1)")
                days.append(.last(minus: number - 1))
            case 2:
                words.append("LW")
                days.append(.lastWeekday)
            default:
                words.append("\(number)W")
                days.append(.weekdayNearest(number))
            }
        }
        return (words.joined(separator: ","), days)
    }

    private static func weekdays(_ isQuartz: Bool, using generate: inout Generate) -> (text: String, days: [Weekday]) {
        let first = isQuartz ? 1 : 0
        guard generate.chance(0.5) else {
            let plain = field(first...first + 6, isQuartz, names: weekdayNames, using: &generate)
            return (plain.text, plain.numbers.map { .number($0 - first) })
        }
        var words: [String] = []
        var days: [Weekday] = []
        for _ in 0..<generate.int(1...2) {
            let weekday = generate.int(0...6)
            let name = generate.chance(0.5) ? weekdayNames[weekday] : "\(weekday + first)"
            if generate.chance(0.5) {
                words.append(name + "L")
                days.append(.last(weekday))
            } else {
                let count = generate.int(1...5)
                words.append("\(name)#\(count)")
                days.append(.nth(count, weekday))
            }
        }
        return (words.joined(separator: ","), days)
    }

    // MARK: matching

    /// The first matching second later than `start`, within so many days; local seconds since 1970, no time zone.
    func walk(after start: Int64, days: Int) -> Int64? {
        let hours = hours.sorted()
        let minutes = minutes.sorted()
        let seconds = seconds.sorted()
        let today = Int(start / 86_400)
        for number in today...today + days where matches(WalkedDate.all[number]) {
            for hour in hours {
                for minute in minutes {
                    for second in seconds {
                        let time = Int64(number) * 86_400 + Int64(hour * 3600 + minute * 60 + second)
                        if time > start { return time }
                    }
                }
            }
        }
        return nil
    }

    private func matches(_ date: WalkedDate) -> Bool {
        guard months.contains(date.month), years?.contains(date.year) ?? true else { return false }
        let byMonth = monthDays.contains { Self.matches($0, date) }
        let byWeek = weekdays.contains {
            switch $0 {
            case .number(let weekday): weekday == date.weekday
            case .last(let weekday): weekday == date.weekday && date.day + 7 > date.length
            case .nth(let count, let weekday): weekday == date.weekday && (date.day + 6) / 7 == count
            }
        }
        return takesEither ? byMonth || byWeek : byMonth && byWeek
    }

    private static func matches(_ day: MonthDay, _ date: WalkedDate) -> Bool {
        func isWorkday(_ day: Int) -> Bool { (1...5).contains((date.weekday + day - date.day + 70) % 7) }
        switch day {
        case .number(let number): return number == date.day
        case .last(let distance): return date.day == date.length - distance
        case .lastWeekday: return date.day == (1...date.length).last(where: isWorkday)
        case .weekdayNearest(let number):
            guard number <= date.length else { return false }
            let nearest = (1...date.length).filter(isWorkday).min { abs($0 - number) < abs($1 - number) }
            return date.day == nearest
        }
    }
}

/// A day, reached from 1 January 1970 one by one.
struct WalkedDate {
    /// From 1970 to 2060.
    static let all: [WalkedDate] = {
        var dates = [WalkedDate()]
        for _ in 0..<33_000 {
            var next = dates[dates.count - 1]
            next.advance()
            dates.append(next)
        }
        return dates
    }()

    private(set) var year = 1970
    private(set) var month = 1
    private(set) var day = 1
    /// From Sunday as 0.
    private(set) var weekday = 4

    var length: Int {
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        return [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]
    }

    mutating func advance() {
        weekday = weekday == 6 ? 0 : weekday + 1
        if day < length {
            day += 1
        } else {
            day = 1
            month += 1
        }
        if month > 12 {
            month = 1
            year += 1
        }
    }
}
