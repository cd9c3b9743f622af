import TaskModel
import TaskTestKit
import Testing

@testable import TaskClient

struct SingleCallsTests {
    private let start = Timestamp(milliseconds: 1_000_000)

    /// Calls that end at once, in the span before `start`.
    private func flow(_ calls: Int, partitions: Int32 = 12, phase: Int64 = 0) -> SingleCalls {
        var singles = SingleCalls(partitions: partitions, phase: phase)
        for _ in 0..<calls {
            _ = singles.begin(now: start - 1)
            singles.end()
        }
        return singles
    }

    /// What the last one of `count` calls gets, all of them open.
    private func turn(_ singles: SingleCalls, open count: Int, at now: Timestamp? = nil) -> PartitionTurn? {
        var singles = singles
        var turn: PartitionTurn?
        for _ in 0..<count { turn = singles.begin(now: now ?? start) }
        return turn
    }

    @Test func aThirdHasItsTurnWhileManyAreUnderWay() throws {
        let turn = try #require(self.turn(flow(500), open: 100))
        #expect(turn.count == 12 && turn.width == 4)
    }

    @Test func allHaveItWithoutAFlow() {
        #expect(turn(flow(499), open: 100) == nil)
        // Many at once, and none before: one of these may be an hour's work.
        #expect(turn(flow(0), open: 1000) == nil)
    }

    @Test func allHaveItWhereCallsMeetNowhereOrEverywhere() {
        #expect(turn(flow(500), open: 15) == nil)
        #expect(turn(flow(500), open: 16) != nil)
        #expect(turn(flow(500), open: 191) != nil)
        #expect(turn(flow(500), open: 192) == nil)
    }

    @Test func allHaveItWhereTheyAreFew() {
        #expect(turn(flow(500, partitions: 1), open: 10) == nil)
        #expect(turn(flow(500, partitions: 2), open: 20) == nil)
        #expect(turn(flow(500, partitions: 3), open: 20)?.width == 2)
    }

    @Test func aFlowEndsWithThePauseAfterIt() {
        #expect(turn(flow(10_000), open: 100, at: start + SingleCalls.spanMilliseconds) == nil)
    }

    @Test func aClockThatGoesBackEndsAFlow() {
        #expect(turn(flow(10_000), open: 100, at: start - 10_000) == nil)
    }

    @Test func aCallThatReadTheClockBeforeTheOthersEndsNone() {
        var singles = flow(500)
        _ = singles.begin(now: start)
        _ = singles.begin(now: start - 1)
        #expect(turn(singles, open: 98) != nil)
    }

    @Test(arguments: 3...50 as ClosedRange<Int32>)
    func allPartitionsHaveItEquallyOften(partitions: Int32) throws {
        let singles = flow(500, partitions: partitions)
        let open = 16 * Int(partitions) - 1
        let length = SingleCalls.turnMilliseconds
        var turns = Array(repeating: 0, count: Int(partitions))
        for number in 0..<Int64(partitions) {
            // The phase moves the turns as the clock does.
            let turn = try #require(self.turn(flow(500, partitions: partitions, phase: number * length), open: open))
            if number < 6 {
                let later = try #require(self.turn(singles, open: open, at: start + number * length))
                #expect(later == turn)
                #expect(self.turn(singles, open: open, at: start + (number + 1) * length - 1) == turn)
            }
            for partition in 0..<partitions where turn.contains(partition) { turns[Int(partition)] += 1 }
        }
        #expect(Set(turns).count == 1 && turns[0] > 0)
    }
}
