import TaskModel
import Testing

@testable import WorkerRole

@Suite struct RetryAfterTests {
    /// 1994-11-06T08:49:37Z.
    private let date = Timestamp(milliseconds: 784_111_777_000)

    @Test(arguments: [("7", 7000), (" 120\t", 120_000), ("86400", 86_400_000), ("86401", 86_400_000)])
    func seconds(_ text: String, _ expected: Int64) {
        #expect(RetryAfter.milliseconds(text, now: .epoch) == expected)
    }

    @Test func digitsThatDoNotFitAreALongTime() {
        #expect(RetryAfter.milliseconds("99999999999999999999999", now: .epoch) == RetryAfter.maximum)
        #expect(RetryAfter.milliseconds("9223372036854775807", now: .epoch) == RetryAfter.maximum)
    }

    @Test(arguments: ["", "0", "-1", "1.5", "soon", "７", "Sun, 06 Nov 1994 08:49:37", "1994-11-06T08:49:37Z"])
    func whatSaysNothingUsable(_ text: String) {
        #expect(RetryAfter.milliseconds(text, now: date - 10_000) == nil)
    }

    @Test(arguments: ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"])
    func allThreeFormsOfADate(_ text: String) {
        #expect(RetryAfter.milliseconds(text, now: date - 10_000) == 10_000)
        #expect(RetryAfter.milliseconds(text, now: date) == nil)
        #expect(RetryAfter.milliseconds(text, now: date - 10 * RetryAfter.maximum) == RetryAfter.maximum)
    }

    @Test func twoDigitsOfAYearMeanTheNearOne() {
        let now = Timestamp(rfc3339: "2026-11-21T10:00:00Z")!
        func year(_ text: String) -> String? {
            Timestamp(httpDate: "Sunday, 06-Nov-\(text) 08:49:37 GMT", now: now).map { String($0.rfc3339.prefix(4)) }
        }
        #expect(year("27") == "2027")
        #expect(year("76") == "2076")
        #expect(year("77") == "1977")
        #expect(year("1994") == nil)
    }
}
