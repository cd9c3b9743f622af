/// A day of the calendar, without a time or a zone.
public struct LocalDate: Hashable, Comparable, Sendable, Codable, CustomStringConvertible {
    /// Days since 1970-01-01.
    public let day: Int64

    public init(day: Int64) { self.day = day }

    /// `2026-01-31`; nil for anything else.
    public init?(_ text: some StringProtocol) {
        guard text.utf8.count == 10, let time = Timestamp(rfc3339: "\(text)T00:00:00Z") else { return nil }
        day = time.milliseconds / 86_400_000
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let date = LocalDate(text) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "\"\(text.prefix(40))\" is no date such as 2026-01-31")
        }
        self = date
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }

    public var description: String { String(Timestamp(milliseconds: day * 86_400_000).rfc3339.prefix(10)) }

    var civil: (year: Int64, month: Int64, day: Int64) { Timestamp.civil(fromDays: day) }

    public static func < (left: LocalDate, right: LocalDate) -> Bool { left.day < right.day }
}

extension ZoneTable {
    /// The local date-time at an instant, with its offset: `2026-03-29T03:30:00+02:00`.
    public func rfc3339(_ time: Timestamp) -> String {
        let offset = offsets[index(at: time.milliseconds.flooredDivision(by: 1000).quotient)]
        let minutes = abs(offset) / 60
        func digits(_ number: Int64) -> String { (number < 10 ? "0" : "") + "\(number)" }
        let sign = offset < 0 ? "-" : "+"
        let wall = (time + offset * 1000).rfc3339.dropLast()
        return "\(wall)\(sign)\(digits(minutes / 60)):\(digits(minutes % 60))"
    }

    /// The local date at an instant.
    public func date(at time: Timestamp) -> LocalDate {
        let second = time.milliseconds.flooredDivision(by: 1000).quotient
        return LocalDate(day: (second + offsets[index(at: second)]).flooredDivision(by: 86_400).quotient)
    }

    /// The instants of a local time given as seconds on the wall, in order, by the rules for changing clocks: none, one, or
    /// two.
    func instants(ofWall wall: Int64, _ changes: ClockChanges, isWildcard: Bool = false) -> [Int64] {
        // No offset exceeds a day.
        var index = index(at: wall - 86_400)
        let last = self.index(at: wall + 86_400)
        var found: [Int64] = []
        while index <= last {
            let instant = wall - offsets[index]
            if index > 0 {
                let before = wall - offsets[index - 1]
                let jump = offsets[index] - offsets[index - 1]
                if before >= starts[index], instant < starts[index] {
                    switch changes.ruleForGap(of: jump, isWildcard: isWildcard) {
                    case .runAfter: found.append(starts[index])
                    case .shift: found.append(before)
                    case .skip: break
                    }
                } else if before < starts[index], instant >= starts[index], !found.isEmpty {
                    switch changes.ruleForOverlap(of: -jump, isWildcard: isWildcard) {
                    case .first: return found
                    case .second: return [instant]
                    case .both: return [found[0], instant]
                    }
                }
            }
            if instant >= starts[index], instant < end(of: index), found.isEmpty { found.append(instant) }
            index += 1
        }
        return found
    }
}
