internal import TaskModel

/// The HTTP header `Retry-After`: a count of seconds or a date. Pure.
enum RetryAfter {
    /// A wait longer than this is cut to it: a server must not park an event for a year. 24 h.
    static let maximum: Int64 = 86_400_000

    /// Milliseconds to wait, more than zero; nil when the header says nothing usable (zero and dates gone by included).
    static func milliseconds(_ text: String, now: Timestamp) -> Int64? {
        let text = text.trimmingSpaces()
        guard !text.isEmpty else { return nil }
        let delay: Int64
        if text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) {
            // Digits that do not fit are a long time too.
            let seconds = Int64(text) ?? .max
            delay = seconds > maximum / 1000 ? maximum : seconds * 1000
        } else if let date = Timestamp(httpDate: text, now: now) {
            delay = min(maximum, date - now)
        } else {
            return nil
        }
        return delay > 0 ? delay : nil
    }
}

extension Timestamp {
    /// Reads the three forms of an HTTP date that a recipient has to accept (RFC 9110, 5.6.7); nil for anything else:
    /// `Sun, 06 Nov 1994 08:49:37 GMT`, `Sunday, 06-Nov-94 08:49:37 GMT`, `Sun Nov  6 08:49:37 1994`.
    ///
    /// The year of the second form is the one within 50 years of `now`. The name of the day is not compared.
    init?(httpDate text: String, now: Timestamp) {
        let words = text.split(separator: " ").map(String.init)
        let parts: (day: String, month: String, year: String, time: String)
        switch words.count {
        case 6 where words[0].hasSuffix(",") && words[5] == "GMT":
            parts = (words[1], words[2], words[3], words[4])
        case 4 where words[0].hasSuffix(",") && words[3] == "GMT":
            let date = words[1].split(separator: "-").map(String.init)
            guard date.count == 3, date[2].utf8.count == 2, let year = Int(date[2]) else { return nil }
            parts = (date[0], date[1], String(Self.fullYear(year, now: now)), words[2])
        case 5:
            parts = (words[2].utf8.count == 1 ? "0\(words[2])" : words[2], words[1], words[4], words[3])
        default:
            return nil
        }
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        guard let month = months.firstIndex(of: parts.month) else { return nil }
        let number = month < 9 ? "0\(month + 1)" : "\(month + 1)"
        self.init(rfc3339: "\(parts.year)-\(number)-\(parts.day)T\(parts.time)Z")
    }

    private static func fullYear(_ twoDigits: Int, now: Timestamp) -> Int {
        let thisYear = Int(now.rfc3339.prefix(4)) ?? 1970
        let year = thisYear - thisYear % 100 + twoDigits
        return year > thisYear + 50 ? year - 100 : year
    }
}

extension String {
    /// Without spaces and tabs at both ends.
    func trimmingSpaces() -> String {
        var rest = self[...]
        while rest.first == " " || rest.first == "\t" { rest.removeFirst() }
        while rest.last == " " || rest.last == "\t" { rest.removeLast() }
        return String(rest)
    }
}
