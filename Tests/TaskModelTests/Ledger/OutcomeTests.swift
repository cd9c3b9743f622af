import Testing

@testable import TaskModel

@Suite("Outcome")
struct OutcomeTests {
    @Test("numbers are those of the wire, words are read back") func table() {
        let table: [(Outcome, UInt8, Outcome.Class)] = [
            (.retrying, 1, .again), (.snoozed, 2, .again), (.dead, 16, .ended), (.cancelled, 17, .ended),
            (.expired, 18, .ended), (.skipped, 19, .ended), (.completed, 32, .completed),
        ]
        #expect(table.map(\.0) == Outcome.allCases)
        for (outcome, number, outcomeClass) in table {
            #expect(outcome.rawValue == number && outcome.outcomeClass == outcomeClass)
            #expect(Outcome(word: outcome.word) == outcome)
        }
        #expect(Outcome(word: "lost") == nil)
        #expect(Outcome.Class.again < .ended && Outcome.Class.ended < .completed)
    }
}
