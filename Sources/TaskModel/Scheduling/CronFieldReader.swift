/// What one field of a cron expression says.
struct CronFieldContent {
    /// The numbers that it names, as the matcher counts them.
    var numbers: [Int] = []
    var monthDays: [CronDays.MonthDay] = []
    var weekdays: [CronDays.Weekday] = []
    /// It begins with `*`, or is left to another field (`?`): cron treats it apart.
    var isStar = false
    /// It says every so many, from a number on, without an end (`0/15`, quartz's way to write `*/15`).
    var isOpenStep = false
    /// It holds an `H`.
    var usesSpread = false

    var mask: UInt64 { numbers.reduce(0) { $0 | 1 << UInt64($1) } }
}

/// Reads one field of a cron expression.
struct CronFieldReader {
    let field: CronField
    let dialect: CronDialect
    let text: Substring
    /// Where it stands, for messages: `field 4 of 5`.
    let place: String
    /// What `H` is spread by: the schedule's id.
    let spread: String?

    private var range: ClosedRange<Int> { field.range(in: dialect) }

    func read() throws(TriggerError) -> CronFieldContent {
        var content = CronFieldContent()
        let isDay = field == .dayOfMonth || field == .dayOfWeek
        content.isStar = dialect == .quartz && isDay ? text == "*" : text.first == "*"
        if text == "?", dialect == .quartz, isDay {
            content.isStar = true
            content.numbers = numbers(range.lowerBound, range.upperBound, by: 1)
            return content
        }
        for item in text.uppercased().split(separator: ",", omittingEmptySubsequences: false) {
            guard try !readDay(item, into: &content) else { continue }
            try readNumbers(item, into: &content)
        }
        return content
    }

    func error(_ problem: String) -> TriggerError {
        TriggerError(
            field: field.name,
            message: "\(place) is \"\(text.prefix(60))\": \(problem); \(field.accepted(in: dialect))")
    }

    // MARK: numbers

    private func readNumbers(_ item: Substring, into content: inout CronFieldContent) throws(TriggerError) {
        let parts = item.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let base = parts.first, !base.isEmpty else { throw error("an empty item") }
        let step = parts.count == 2 ? try readStep(parts[1]) : nil
        if base.first == "H" {
            content.numbers += try hashed(base, step: step)
            content.usesSpread = true
            return
        }
        if base == "*" {
            content.numbers += numbers(range.lowerBound, range.upperBound, by: step ?? 1)
            return
        }
        guard base != "?" else { throw error("? stands alone, in a day field of the dialect quartz") }
        let ends = base.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        let first = try number(ends[0])
        if ends.count == 2 {
            let last = try number(ends[1])
            guard first <= last || field.period != nil else { throw error("the range \(base) runs backwards") }
            content.numbers += numbers(first, last, by: step ?? 1)
        } else if let step {
            guard dialect == .quartz else { throw error("a step after the single number \(base)") }
            content.numbers += numbers(first, range.upperBound, by: step)
            content.isOpenStep = true
        } else {
            content.numbers.append(field.normalized(first, in: dialect))
        }
    }

    /// The numbers from `first` to `last`, past the end if `last` is the lower one.
    private func numbers(_ first: Int, _ last: Int, by step: Int) -> [Int] {
        let period = field.period ?? 0
        let end = first <= last ? last : last + period
        return stride(from: first, through: end, by: step).map { number in
            let wrapped = number > range.upperBound ? number - period : number
            return field.normalized(wrapped, in: dialect)
        }
    }

    private func readStep(_ text: Substring) throws(TriggerError) -> Int {
        guard let value = Self.digits(text), value >= 1 else {
            throw error("the step \"\(text.prefix(20))\" is no number from 1 on")
        }
        guard dialect != .quartz || value <= field.largestStep else {
            throw error("the step \(value) is larger than \(field.largestStep)")
        }
        return value
    }

    private func number(_ word: some StringProtocol) throws(TriggerError) -> Int {
        if let value = Self.digits(word) {
            guard range.contains(value) else { throw error("\(value) is out of range") }
            return value
        }
        guard let index = field.names(in: dialect).firstIndex(of: String(word)) else {
            throw error(word.isEmpty ? "a number is missing" : "\"\(word.lowercased().prefix(20))\" is not known")
        }
        return range.lowerBound + index
    }

    private static func digits(_ word: some StringProtocol) -> Int? {
        guard !word.isEmpty, word.utf8.count <= 4, word.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return nil
        }
        return Int(word)
    }

    // MARK: H

    /// One number of the range that depends on nothing but the schedule's id and the field; with a step, that number as
    /// the offset of the steps. Days of the month are drawn from 1 to 28, so that no month lacks one.
    private func hashed(_ base: Substring, step: Int?) throws(TriggerError) -> [Int] {
        var low = range.lowerBound
        var high = field == .dayOfMonth ? 28 : field == .dayOfWeek ? low + 6 : range.upperBound
        guard field != .year else { throw error("H is not taken for a year") }
        if base != "H" {
            guard base.hasPrefix("H("), base.hasSuffix(")") else {
                throw error("\"\(base.lowercased().prefix(20))\" is not known")
            }
            let ends = base.dropFirst(2).dropLast().split(separator: "-", omittingEmptySubsequences: false)
            guard ends.count == 2 else { throw error("H(a-b) needs a range") }
            low = try number(ends[0])
            high = try number(ends[1])
            guard low <= high else { throw error("the range \(low)-\(high) runs backwards") }
        }
        guard let spread else { throw error("H is spread by a schedule's id, and there is none") }
        let choices = min(high - low + 1, step ?? .max)
        let first = low + Int(Self.hash(field.name + "/" + spread) % UInt64(choices))
        return numbers(first, step == nil ? first : high, by: step ?? 1)
    }

    /// FNV-1a, mixed once more: stable for ever, since schedules keep their times by it.
    private static func hash(_ text: String) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        var generator = SplitMix64(seed: hash)
        return generator.next()
    }

    // MARK: days that depend on the month

    /// Whether `item` is a day such as `L`, `15W`, `FRIL` or `2#1`; then it has been added.
    private func readDay(_ item: Substring, into content: inout CronFieldContent) throws(TriggerError) -> Bool {
        switch field {
        case .dayOfMonth:
            guard let day = try monthDay(item) else { return false }
            content.monthDays.append(day)
        case .dayOfWeek:
            if item == "L", dialect == .quartz {
                content.numbers.append(6)
            } else if let day = try weekday(item) {
                content.weekdays.append(day)
            } else {
                return false
            }
        case .second, .minute, .hour, .month, .year: return false
        }
        return true
    }

    private func monthDay(_ item: Substring) throws(TriggerError) -> CronDays.MonthDay? {
        if dialect == .fields, item == "LAST" { return .last(minus: 0, onWeekday: false) }
        let isNearest = item.hasSuffix("W")
        let day = isNearest ? item.dropLast() : item
        if day == "L" { return .last(minus: 0, onWeekday: isNearest) }
        if day.hasPrefix("L-") {
            guard let distance = Self.digits(day.dropFirst(2)), distance <= 30 else {
                throw error("the days before the last are 0 to 30")
            }
            return .last(minus: distance, onWeekday: isNearest)
        }
        guard isNearest else { return nil }
        return .weekdayNearest(try number(day))
    }

    private func weekday(_ item: Substring) throws(TriggerError) -> CronDays.Weekday? {
        if let hash = item.firstIndex(of: "#") {
            guard let count = Self.digits(item[item.index(after: hash)...]), (1...5).contains(count) else {
                throw error("after # stands which one of the month, 1 to 5")
            }
            return .nth(count, field.normalized(try number(item[..<hash]), in: dialect))
        }
        guard item.count > 1, item.hasSuffix("L") else { return nil }
        return .last(field.normalized(try number(item.dropLast()), in: dialect))
    }
}
