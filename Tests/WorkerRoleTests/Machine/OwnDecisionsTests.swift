import Testing

@testable import WorkerRole

@Suite struct OwnDecisionsTests {
    private func own(_ offsets: Int64...) -> OwnDecisions {
        var own = OwnDecisions()
        for offset in offsets { own.insert(offset) }
        return own
    }

    @Test func neighboursAreOneRun() {
        #expect(own(3, 4, 5, 9, 10).runs == [3..<6, 9..<11])
    }

    @Test func itTakesWhatWasPutIn() {
        var own = own(3, 4, 9)
        let taken = (0...10).filter { own.takes($0) }
        #expect(taken == [3, 4, 9])
        #expect(own.runs == [], "what lies below is forgotten")
    }

    @Test func itReachesAsFarAsNobodyElseHasWritten() {
        let own = own(3, 4, 5, 9, 10)
        let ends = (2...11).map { own.end(from: $0) }
        #expect(ends == [nil, 6, 6, 6, nil, nil, nil, 11, 11, nil])
    }

    /// The log did not tell, or told of something earlier: the follower's copy is read.
    @Test func whatHasNoPlaceIsLeftToTheFollower() {
        #expect(own(-1).runs == [])
        #expect(own(5, -1, 4, 5, 6).runs == [5..<7])
    }

    @Test func itForgetsTheOldestRuns() {
        var own = OwnDecisions()
        let count = Int64(OwnDecisions.maximumRuns)
        for number in 0...count { own.insert(2 * number) }
        #expect(own.runs.count == OwnDecisions.maximumRuns)
        let taken = [0, 2, 2 * count].map { own.takes($0) }
        #expect(taken == [false, true, true])
    }
}
