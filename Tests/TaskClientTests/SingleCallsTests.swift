import TaskModel
import TaskTestKit
import Testing

@testable import TaskClient

struct SingleCallsTests {
    private let start = Timestamp(milliseconds: 1_000_000)

    /// Calls that end at once, in the span before `start`.
    private func flow(_ calls: Int) -> SingleCalls {
        var singles = SingleCalls(phase: 0)
        for _ in 0..<calls {
            singles.begin(now: start - 1)
            singles.end()
        }
        return singles
    }

    /// The turn that the last one of `count` calls gets, all of them open.
    private func turn(of partitions: Int32, _ singles: SingleCalls, open count: Int) -> PartitionTurn? {
        var singles = singles
        for _ in 0..<count { singles.begin(now: start) }
        return singles.turn(of: partitions, now: start)
    }

    @Test func aThirdHasItsTurnWhileManyAreUnderWay() throws {
        let turn = try #require(self.turn(of: 12, flow(500), open: 100))
        #expect(turn.count == 12 && turn.width == 4)
    }

    @Test func allHaveItWithoutAFlow() {
        #expect(turn(of: 12, flow(499), open: 100) == nil)
        // Many at once, and none before: one of these may be an hour's work.
        #expect(turn(of: 12, flow(0), open: 100) == nil)
    }

    @Test func allHaveItWhereCallsMeetNowhereOrEverywhere() {
        #expect(turn(of: 12, flow(500), open: 15) == nil)
        #expect(turn(of: 12, flow(500), open: 16) != nil)
        #expect(turn(of: 12, flow(500), open: 191) != nil)
        #expect(turn(of: 12, flow(500), open: 192) == nil)
    }

    @Test func allHaveItWhereTheyAreFew() {
        #expect(turn(of: 1, flow(500), open: 10) == nil)
        #expect(turn(of: 2, flow(500), open: 20) == nil)
        #expect(turn(of: 3, flow(500), open: 20)?.width == 2)
    }

    @Test func aFlowEndsWithThePauseAfterIt() {
        var singles = flow(10_000)
        let later = start + SingleCalls.spanMilliseconds
        for _ in 0..<100 { singles.begin(now: later) }
        #expect(singles.turn(of: 12, now: later) == nil)
    }

    @Test func aClockThatGoesBackEndsAFlow() {
        var singles = flow(10_000)
        for _ in 0..<100 { singles.begin(now: start - 10_000) }
        #expect(singles.turn(of: 12, now: start - 10_000) == nil)
    }

    @Test(arguments: 3...50 as ClosedRange<Int32>)
    func allPartitionsHaveItEquallyOften(partitions: Int32) throws {
        var singles = flow(500)
        for _ in 0..<16 * partitions - 1 { singles.begin(now: start) }
        var turns = Array(repeating: 0, count: Int(partitions))
        for number in 0..<Int64(partitions) {
            let time = start + number * SingleCalls.turnMilliseconds
            let turn = try #require(singles.turn(of: partitions, now: time))
            #expect(singles.turn(of: partitions, now: time + SingleCalls.turnMilliseconds - 1) == turn)
            for partition in 0..<partitions where turn.contains(partition) { turns[Int(partition)] += 1 }
        }
        #expect(Set(turns).count == 1 && turns[0] > 0)
    }

    @Test func publishersTakeTheirTurnsApart() throws {
        var turns: Set<PartitionTurn> = []
        for phase in 0..<24 as Range<Int64> {
            var singles = SingleCalls(phase: phase)
            for _ in 0..<500 { singles.begin(now: start - 1) }
            for _ in 0..<499 { singles.end() }
            for _ in 0..<100 { singles.begin(now: start) }
            turns.insert(try #require(singles.turn(of: 12, now: start)))
        }
        #expect(turns.map(\.first).sorted() == [0, 4, 8])
    }
}
