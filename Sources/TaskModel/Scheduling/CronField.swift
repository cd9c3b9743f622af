/// One of the five fields of a crontab line: its name, its range, and the names that stand for numbers.
enum CronField: Int, CaseIterable {
    case minute, hour, dayOfMonth, month, dayOfWeek

    var name: String {
        switch self {
        case .minute: "minute"
        case .hour: "hour"
        case .dayOfMonth: "day-of-month"
        case .month: "month"
        case .dayOfWeek: "day-of-week"
        }
    }

    var range: ClosedRange<Int> {
        switch self {
        case .minute: 0...59
        case .hour: 0...23
        case .dayOfMonth: 1...31
        case .month: 1...12
        case .dayOfWeek: 0...7
        }
    }

    /// The names of the range's numbers in order, from its lower bound.
    private var names: [String] {
        switch self {
        case .minute, .hour, .dayOfMonth: []
        case .month: ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
        case .dayOfWeek: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
        }
    }

    private var accepted: String {
        let words =
            switch self {
            case .minute, .hour, .dayOfMonth: ""
            case .month: " or jan-dec"
            case .dayOfWeek: " or sun-sat (0 and 7 are Sunday)"
            }
        return "accepted are \(range.lowerBound)-\(range.upperBound)\(words), *, ranges (1-5), lists (1,3) "
            + "and steps after * or a range (*/2, 1-9/2)"
    }

    /// The numbers that `text` names, as bits, and whether it begins with `*` (which cron treats apart).
    func parse(_ text: Substring) throws(TriggerError) -> (mask: UInt64, isStar: Bool) {
        var mask: UInt64 = 0
        for item in text.split(separator: ",", omittingEmptySubsequences: false) {
            mask |= try parse(item: item, of: text)
        }
        return (mask, text.first == "*")
    }

    private func parse(item: Substring, of text: Substring) throws(TriggerError) -> UInt64 {
        let parts = item.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let base = parts.first, !base.isEmpty else { throw error("an empty item", in: text) }
        var first = range.lowerBound
        var last = range.upperBound
        if base != "*" {
            let ends = base.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
            first = try number(ends[0], in: text)
            last = ends.count == 2 ? try number(ends[1], in: text) : first
            guard first <= last else { throw error("the range \(base) runs backwards", in: text) }
            guard ends.count == 2 || parts.count == 1 else {
                throw error("a step after the single number \(base)", in: text)
            }
        }
        var step = 1
        if parts.count == 2 {
            guard let value = Self.digits(parts[1]), value >= 1 else {
                throw error("the step \"\(parts[1].prefix(20))\" is no number from 1 on", in: text)
            }
            step = value
        }
        return stride(from: first, through: last, by: step).reduce(0) { $0 | 1 << UInt64($1) }
    }

    private func number(_ word: Substring, in text: Substring) throws(TriggerError) -> Int {
        if let value = Self.digits(word) {
            guard range.contains(value) else { throw error("\(value) is out of range", in: text) }
            return value
        }
        guard let index = names.firstIndex(of: word.lowercased()) else {
            throw error(word.isEmpty ? "a number is missing" : "\"\(word.prefix(20))\" is not known", in: text)
        }
        return range.lowerBound + index
    }

    private static func digits(_ word: Substring) -> Int? {
        guard !word.isEmpty, word.utf8.count <= 4, word.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return nil
        }
        return Int(word)
    }

    func error(_ problem: String, in text: Substring) -> TriggerError {
        TriggerError(
            field: name, message: "field \(rawValue + 1) of 5 is \"\(text.prefix(60))\": \(problem); \(accepted)")
    }
}
