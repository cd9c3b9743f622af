/// RFC 3339 date-times in UTC with milliseconds, as CloudEvents wants them. Proleptic Gregorian calendar.
extension Timestamp {
    /// `2026-11-21T09:30:00.250Z`; the fraction is left out when it is zero. Years 0 to 9999, clamped.
    public var rfc3339: String {
        String(unsafeUninitializedCapacity: Self.maximumRFC3339Count) { writeRFC3339($0) }
    }

    static let maximumRFC3339Count = 24

    /// Writes ``rfc3339`` to where there is room for the longest, and returns its length.
    func writeRFC3339(_ buffer: UnsafeMutableBufferPointer<UInt8>) -> Int {
        let clamped = max(-62_167_219_200_000, min(253_402_300_799_999, milliseconds))
        let (days, inDay) = clamped.flooredDivision(by: 86_400_000)
        let (year, month, day) = Self.civil(fromDays: days)
        let (seconds, fraction) = inDay.quotientAndRemainder(dividingBy: 1000)
        Self.put(year / 100, at: 0, then: "-", buffer)
        Self.put(year % 100, at: 2, then: "-", buffer)
        Self.put(month, at: 5, then: "-", buffer)
        Self.put(day, at: 8, then: "T", buffer)
        Self.put(seconds / 3600, at: 11, then: ":", buffer)
        Self.put(seconds / 60 % 60, at: 14, then: ":", buffer)
        Self.put(seconds % 60, at: 17, then: fraction == 0 ? "Z" : ".", buffer)
        guard fraction != 0 else { return 20 }
        Self.put(fraction / 10, at: 20, then: Unicode.Scalar(UInt8(ascii: "0") + UInt8(fraction % 10)), buffer)
        buffer[23] = UInt8(ascii: "Z")
        return 24
    }

    /// Two digits, and what follows them.
    @inline(__always)
    private static func put(
        _ number: Int64, at place: Int, then mark: Unicode.Scalar, _ buffer: UnsafeMutableBufferPointer<UInt8>
    ) {
        buffer[place] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number / 10)
        buffer[place + 1] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number % 10)
        buffer[place + 2] = UInt8(ascii: mark)
    }

    /// Reads RFC 3339 (`T` or space, `Z` or ±hh:mm, any number of fraction digits, cut to milliseconds); nil for anything else.
    public init?(rfc3339 text: some StringProtocol) {
        var text = String(text)
        guard let time = text.withUTF8({ Timestamp(rfc3339: UnsafeRawBufferPointer($0)) }) else { return nil }
        self = time
    }

    /// Reads the same from bytes.
    init?(rfc3339 text: UnsafeRawBufferPointer) {
        var reader = DigitReader(text)
        guard let year = reader.number(4), reader.skip("-"), let month = reader.number(2), reader.skip("-"),
            let day = reader.number(2), reader.skip("T") || reader.skip("t") || reader.skip(" "),
            let hour = reader.number(2), reader.skip(":"), let minute = reader.number(2), reader.skip(":"),
            let second = reader.number(2), (1...12).contains(month),
            (1...Self.daysInMonth(year: year, month: month)).contains(day), hour < 24, minute < 60, second < 61
        else { return nil }
        var fraction: Int64 = 0
        if reader.skip(".") {
            guard let value = reader.milliseconds() else { return nil }
            fraction = value
        }
        var offset: Int64 = 0
        if !(reader.skip("Z") || reader.skip("z")) {
            let sign: Int64 = reader.skip("-") ? -1 : reader.skip("+") ? 1 : 0
            guard sign != 0, let hours = reader.number(2), reader.skip(":"), let minutes = reader.number(2), hours < 24,
                minutes < 60
            else { return nil }
            offset = sign * (hours * 60 + minutes) * 60_000
        }
        guard reader.isAtEnd else { return nil }
        let days = Self.days(fromCivil: year, month, day)
        let seconds = days * 86_400 + hour * 3600 + minute * 60 + min(second, 59)
        self.init(milliseconds: seconds * 1000 + fraction - offset)
    }

    /// Days since 1970-01-01 of a civil date (Howard Hinnant's algorithm, 400-year eras from 1 March).
    static func days(fromCivil year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let (era, yearOfEra) = shifted.flooredDivision(by: 400)
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    static func civil(fromDays days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let (era, dayOfEra) = (days + 719_468).flooredDivision(by: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }

    static func daysInMonth(year: Int64, month: Int64) -> Int64 {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}

extension Int64 {
    /// Quotient rounded towards minus infinity, and the remainder that is never negative (`divisor` > 0).
    func flooredDivision(by divisor: Int64) -> (quotient: Int64, remainder: Int64) {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}

private struct DigitReader {
    private let bytes: UnsafeRawBufferPointer
    private var position = 0

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    var isAtEnd: Bool { position == bytes.count }

    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    mutating func skip(_ character: Unicode.Scalar) -> Bool {
        guard next == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    /// Exactly `count` digits.
    mutating func number(_ count: Int) -> Int64? {
        var value: Int64 = 0
        for _ in 0..<count {
            guard let digit = nextDigit() else { return nil }
            value = value * 10 + digit
        }
        return value
    }

    /// One digit or more after a decimal point, as milliseconds.
    mutating func milliseconds() -> Int64? {
        var value: Int64 = 0
        var count = 0
        while let digit = nextDigit() {
            if count < 3 { value = value * 10 + digit }
            count += 1
        }
        guard count > 0 else { return nil }
        for _ in 0..<max(0, 3 - count) { value *= 10 }
        return value
    }

    private mutating func nextDigit() -> Int64? {
        guard let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
        position += 1
        return Int64(byte - UInt8(ascii: "0"))
    }
}
