import Testing

@testable import TidemillBench

struct FireComparisonTests {
    @Test func countsOneMissedAndOneDoubledAsBoth() {
        let comparison = FireComparison(wanted: [1000: 2, 2000: 2], seen: [[1000: 1, 2000: 2], [2000: 1]])
        #expect(comparison.fired == 4)
        #expect(comparison.missed == 1)
        #expect(comparison.doubled == 1)
    }

    @Test func findsNothingWrongWithWhatIsRight() {
        let comparison = FireComparison(wanted: [1000: 2, 2000: 1], seen: [[1000: 1], [1000: 1, 2000: 1]])
        #expect(comparison.fired == 3)
        #expect(comparison.missed == 0)
        #expect(comparison.doubled == 0)
    }

    @Test func takesAFireThatNobodyWantedForOneTooMany() {
        let comparison = FireComparison(wanted: [1000: 1], seen: [[1000: 1, 1500: 2]])
        #expect(comparison.doubled == 2)
        #expect(comparison.missed == 0)
    }
}
