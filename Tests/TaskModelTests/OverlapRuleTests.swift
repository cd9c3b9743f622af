import TaskModel
import Testing

@Suite struct OverlapRuleTests {
    struct Row: CustomTestStringConvertible {
        var rule: OverlapRule
        var limit: UInt32?
        var lane: LaneState
        var new: LaneMove
        /// When it waits already.
        var again: LaneMove

        init(
            _ rule: OverlapRule, limit: UInt32? = nil, _ lane: LaneState, _ new: LaneMove, again: LaneMove? = nil
        ) {
            self.rule = rule
            self.limit = limit
            self.lane = lane
            self.new = new
            self.again = again ?? new
        }

        var testDescription: String { "\(rule) \(limit.map(String.init) ?? "") \(lane)" }
    }

    private static let busy = LaneState(open: 1)
    private static let queued = LaneState(open: 1, waiting: 1)
    private static let crowded = LaneState(open: 1, waiting: 3)
    private static let ending = LaneState(ending: 1)
    private static let full = LaneState(open: 1, isFull: true)
    private static let isOpen = LaneMove.skip("an earlier event of this lane is still open")
    private static let noRoom = LaneMove.skip("too many events of this partition wait for their lanes")

    static let rows: [Row] =
        OverlapRule.allCases.map { Row($0, LaneState(isFull: true), LaneMove.enter) } + [
            Row(.skip, busy, isOpen), Row(.skip, queued, isOpen), Row(.skip, ending, .enter),
            Row(.bufferOne, busy, .wait), Row(.bufferOne, ending, .wait), Row(.bufferOne, full, noRoom, again: .wait),
            Row(.bufferOne, queued, .skip("1 of this lane wait already; at most 1 may"), again: .wait),
            Row(.bufferAll, busy, .wait), Row(.bufferAll, crowded, .wait), Row(.bufferAll, ending, .wait),
            Row(.bufferAll, limit: 3, crowded, .skip("3 of this lane wait already; at most 3 may"), again: .wait),
            Row(.bufferAll, limit: 4, crowded, .wait), Row(.bufferAll, full, noRoom, again: .wait),
            Row(
                .bufferAll, LaneState(open: 1, waiting: 100), .skip("100 of this lane wait already; at most 100 may"),
                again: .wait),
            Row(.cancelOther, busy, .cancelOthers), Row(.cancelOther, queued, .cancelOthers),
            Row(.cancelOther, ending, .cancelOthers), Row(.cancelOther, full, noRoom, again: .cancelOthers),
            Row(.terminateOther, busy, .terminateOthers), Row(.terminateOther, queued, .terminateOthers),
            Row(.terminateOther, full, noRoom, again: .terminateOthers),
            Row(.allow, crowded, .enter), Row(.allow, limit: 2, busy, .enter), Row(.allow, limit: 2, ending, .enter),
            Row(.allow, limit: 2, queued, .skip("2 events of this lane are open; max_instances is 2")),
            Row(.allow, limit: 1, busy, .skip("1 events of this lane are open; max_instances is 1")),
        ]

    @Test(arguments: rows)
    func moves(_ row: Row) {
        #expect(row.rule.move(limit: row.limit, lane: row.lane, isNew: true) == row.new)
        #expect(row.rule.move(limit: row.limit, lane: row.lane, isNew: false) == row.again)
    }

    @Test func aLimitGoesWithItsRule() {
        func problems(_ rule: OverlapRule, instances: Int? = nil, buffered: Int? = nil) -> [String] {
            ScheduleSpec(
                id: "s", task: "t", trigger: .never, overlap: rule, maxInstances: instances, maxBuffered: buffered
            ).problems
        }
        #expect(problems(.allow, instances: 1000) == [] && problems(.bufferAll, buffered: 250) == [])
        #expect(problems(.allow, instances: 0) == ["max_instances must be 1 to 1000"])
        #expect(problems(.bufferAll, buffered: 251) == ["max_buffered must be 1 to 250"])
        #expect(problems(.skip, instances: 2) == ["max_instances goes with overlap allow, and overlap is skip"])
        #expect(
            problems(.allow, buffered: 2) == ["max_buffered goes with overlap buffer-all, and overlap is allow"])
    }

    @Test func eventsCarryTheBoundOfTheirRule() {
        func limit(_ rule: OverlapRule, instances: Int? = nil, buffered: Int? = nil) -> UInt32? {
            ScheduleSpec(
                id: "s", task: "t", trigger: .never, overlap: rule, maxInstances: instances, maxBuffered: buffered
            ).overlapLimit
        }
        #expect(limit(.allow) == nil && limit(.allow, instances: 3) == 3)
        #expect(limit(.bufferAll) == nil && limit(.bufferAll, buffered: 5) == 5 && limit(.skip) == nil)
    }
}
