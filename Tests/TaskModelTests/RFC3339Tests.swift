import Foundation
import Testing

@testable import TaskModel

@Suite("RFC 3339")
struct RFC3339Tests {
    @Test("a thousand random instants are written as Foundation writes them, and read back") func roundTrip() {
        var generate = Generate(seed: 8)
        let formatter = ISO8601DateFormatter()
        formatter.formatOptions = [.withInternetDateTime, .withFractionalSeconds]
        for _ in 0..<1000 {
            // From 1700 on: before October 1582 Foundation's formatter counts days in the Julian calendar.
            let time = Timestamp(
                milliseconds: Int64.random(in: -8_520_336_000_000...253_402_300_799_999, using: &generate.random))
            let text = time.rfc3339
            #expect(Timestamp(rfc3339: text) == time)
            let full = text.contains(".") ? text : text.replacingOccurrences(of: "Z", with: ".000Z")
            let date = Date(timeIntervalSince1970: Double(time.milliseconds) / 1000)
            #expect(full == formatter.string(from: date))
        }
    }

    @Test("every day from year 0 to 9999 is itself again, and the next one is one later") func days() {
        let first = Timestamp.days(fromCivil: 0, 1, 1)
        var last = (year: Int64(0), month: Int64(1), day: Int64(0))
        for day in stride(from: first, through: Timestamp.days(fromCivil: 9999, 12, 31), by: 1) {
            let civil = Timestamp.civil(fromDays: day)
            guard Timestamp.days(fromCivil: civil.year, civil.month, civil.day) == day, civil > last,
                civil.day <= Timestamp.daysInMonth(year: civil.year, month: civil.month)
            else {
                Issue.record("day \(day) is \(civil) after \(last)")
                return
            }
            last = civil
        }
    }

    @Test(
        "what is equal is read equal",
        arguments: [
            ("2026-11-21T09:30:00Z", 1_795_253_400_000), ("2026-11-21t09:30:00z", 1_795_253_400_000),
            ("2026-11-21 09:30:00.0Z", 1_795_253_400_000), ("2026-11-21T10:30:00+01:00", 1_795_253_400_000),
            ("2026-11-21T04:00:00-05:30", 1_795_253_400_000), ("2026-11-21T09:30:00.2509999Z", 1_795_253_400_250),
            ("2026-11-21T09:30:00.5Z", 1_795_253_400_500), ("1969-12-31T23:59:59.999Z", -1),
            ("2016-12-31T23:59:60Z", 1_483_228_799_000), ("0000-01-01T00:00:00Z", -62_167_219_200_000),
            ("2024-02-29T00:00:00Z", 1_709_164_800_000), ("9999-12-31T23:59:59.999Z", 253_402_300_799_999),
        ] as [(String, Int64)])
    func reads(_ text: String, _ milliseconds: Int64) {
        #expect(Timestamp(rfc3339: text)?.milliseconds == milliseconds)
    }

    @Test(
        "anything else is refused",
        arguments: [
            "", "2026-11-21", "2026-11-21T09:30Z", "2026-11-21T09:30:00", "2026-13-01T00:00:00Z",
            "2026-00-01T00:00:00Z", "2026-02-29T00:00:00Z", "2100-02-29T00:00:00Z", "2026-04-31T00:00:00Z",
            "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z", "2026-01-01T00:00:61Z", "2026-01-01T00:00:00.Z",
            "2026-01-01T00:00:00Zx", "2026-01-01T00:00:00+0100", "2026-01-01T00:00:00+24:00",
            "2026-01-01T00:00:00+01:60", "26-01-01T00:00:00Z", " 2026-01-01T00:00:00Z", "2026-1-01T00:00:00Z",
            "+2026-01-01T00:00:00Z", "２026-01-01T00:00:00Z", "2026-01-01T00:00:00±00:00",
        ])
    func refuses(_ text: String) { #expect(Timestamp(rfc3339: text) == nil) }

    @Test("what has no four-digit year is written as the nearest that has") func clamps() {
        #expect(Timestamp.distantFuture.rfc3339 == "9999-12-31T23:59:59.999Z")
        #expect(Timestamp(milliseconds: .min).rfc3339 == "0000-01-01T00:00:00Z")
    }
}
