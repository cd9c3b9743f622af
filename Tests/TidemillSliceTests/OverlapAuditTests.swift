import TaskModel
import Testing

@testable import TidemillSlice

/// A schedule that fires every second, its handlers taking a second and a half, as its rule wants it; to spoil in one way a
/// test. Times are milliseconds; fire `n` is the one of second `100 + n`.
private struct LaneCase {
    static let alive: Int32 = 10
    static let victim: Int32 = 11

    var lane: OverlapLane
    var input = AuditInput()
    var kills: [FaultWindow] = []

    init(_ rule: OverlapRule, limit: Int? = nil, fires: Int64 = 4) {
        let range = ScheduleRange(
            id: "s", trigger: .interval(milliseconds: 1000, anchor: nil), after: Timestamp(seconds: 100),
            through: Timestamp(seconds: 100 + fires))
        lane = OverlapLane(range: range, rule: rule, limit: limit)
        for number in 1...fires { emits(number) }
    }

    /// 1 and 3 run, what comes beside them is skipped.
    static var skip: LaneCase {
        var lane = LaneCase(.skip)
        for number in [Int64(1), 3] { lane.completes(number, from: 100_000 + number * 1000) }
        for number in [Int64(2), 4] { lane.ends(number, .skipped) }
        return lane
    }

    /// Nobody was there until all four had come: 2 waits for 1, 3 and 4 find it waiting.
    static var bufferOne: LaneCase {
        var lane = LaneCase(.bufferOne)
        for (number, start) in [(1, 104_500), (2, 106_010)] as [(Int64, Int64)] { lane.completes(number, from: start) }
        for number in [Int64(3), 4] { lane.ends(number, .skipped) }
        return lane
    }

    /// Each ends the one before.
    static func newest(_ rule: OverlapRule) -> LaneCase {
        var lane = LaneCase(rule)
        for number in Int64(1)...3 {
            lane.runs(number, from: 100_010 + number * 1000, for: 1000, .cancelled)
            lane.ends(number, .cancelled)
        }
        lane.completes(4, from: 104_030)
        return lane
    }

    /// 1 and 2 side by side, 3 beyond the limit, 4 beside the end of neither.
    static var allowTwo: LaneCase {
        var lane = LaneCase(.allow, limit: 2)
        for (number, start) in [(1, 101_010), (2, 102_010), (4, 104_010)] as [(Int64, Int64)] {
            lane.completes(number, from: start)
        }
        lane.ends(3, .skipped)
        return lane
    }

    static var all: [LaneCase] { [.skip, .bufferOne, .newest(.cancelOther), .newest(.terminateOther), .allowTwo] }

    func at(_ number: Int64) -> Coordinate {
        Coordinate(fingerprint: lane.range.fingerprint(of: Timestamp(seconds: 100 + number)), replay: 0, turn: 1)
    }

    func name(_ number: Int64) -> NominalTime { NominalTime(schedule: "s", time: Timestamp(seconds: 100 + number)) }

    mutating func emits(_ number: Int64) {
        let nominal = Timestamp(seconds: 100 + number)
        input.emissions.append(
            Emission(coordinate: at(number), time: nominal + 3, fire: .init(schedule: "s", nominal: nominal)))
    }

    mutating func runs(
        _ number: Int64, from start: Int64, for length: Int64 = 1500, _ result: ExecutionLine.Result?,
        by process: Int32 = Self.alive
    ) {
        input.executions.append(
            Execution(
                coordinate: at(number), attempt: 1, worker: "w", processID: process,
                start: Timestamp(milliseconds: start),
                end: result.map { _ in Timestamp(milliseconds: start + length) }, result: result))
    }

    mutating func ends(_ number: Int64, _ outcome: Outcome, by worker: String = "w") {
        input.statements.append(
            LedgerStatement(coordinate: at(number), outcome: outcome, worker: worker, endedAt: nil))
    }

    mutating func undecides(_ number: Int64) {
        let coordinate = at(number)
        input.statements.removeAll { $0.coordinate == coordinate }
    }

    mutating func completes(_ number: Int64, from start: Int64) {
        runs(number, from: start, .succeeded)
        ends(number, .completed)
    }

    mutating func kill(at time: Int64) {
        kills.append(
            FaultWindow(
                kind: .kill, targets: [Self.victim], name: "v", start: Timestamp(milliseconds: time),
                end: Timestamp(milliseconds: time + 5)))
    }

    var report: OverlapReport { OverlapAudit.audit(lane, input, kills: kills) }
}

struct OverlapAuditTests {
    @Test func whatKeepsToItsRuleHasNoProblems() {
        for lane in LaneCase.all {
            let report = lane.report
            #expect(report.problems == 0, "\(lane.lane.rule): \(report)")
            #expect(report.fires == 4 && report.completed + report.skipped + report.cancelled == 4)
            #expect(report.mostAtOnce == (lane.lane.rule == .allow ? 2 : 1))
        }
        #expect(LaneCase.bufferOne.report.mostWaiting == 1)
        #expect(LaneCase.newest(.cancelOther).report.cancelled == 3)
    }

    @Test(arguments: [0, 1, 2, 3, 4])
    func aFireWithoutAnEndIsLost(index: Int) {
        var lane = LaneCase.all[index]
        lane.undecides(2)
        lane.ends(2, .retrying)
        #expect(lane.report.lost == [lane.name(2)])
        // One that never came, too.
        var silent = LaneCase.all[index]
        let gone = silent.at(1)
        silent.input.emissions.removeAll { $0.coordinate == gone }
        silent.input.executions.removeAll { $0.coordinate == gone }
        silent.input.statements.removeAll { $0.coordinate == gone }
        #expect(silent.report.lost == [silent.name(1)])
    }

    @Test func twoEndsOrTwoEventsAreDouble() {
        var lane = LaneCase.skip
        lane.ends(2, .skipped)
        #expect(lane.report.problems == 0, "one statement that was sent twice")
        lane.ends(2, .skipped, by: "other")
        #expect(lane.report.doubled == [lane.name(2)])
        lane = .skip
        let other = Coordinate(fingerprint: Fingerprint(high: 1, low: 1), replay: 0, turn: 1)
        let fire = Emission.Fire(schedule: "s", nominal: Timestamp(seconds: 101))
        lane.input.emissions.append(Emission(coordinate: other, time: Timestamp(seconds: 101), fire: fire))
        #expect(lane.report.doubled == [lane.name(1)])
        lane = .skip
        lane.emits(9)
        lane.completes(9, from: 109_000)
        #expect(lane.report.doubled == [lane.name(9)], "no trigger named it")
    }

    @Test func twoAtOnceAreSeen() {
        for make in [LaneCase.skip, .bufferOne, .newest(.cancelOther)] {
            var lane = make
            lane.input.executions[1].start = lane.input.executions[0].start + 500
            #expect(lane.report.crowded == [lane.name(lane.lane.rule == .skip ? 3 : 2)])
            #expect(lane.report.mostAtOnce == 2)
        }
    }

    @Test func threeAtOnceAreSeenWhereTwoMayBe() {
        var lane = LaneCase.allowTwo
        lane.input.statements.removeAll { $0.outcome == .skipped }
        lane.completes(3, from: 102_400)
        #expect(lane.report.crowded == [lane.name(3)])
        var terminated = LaneCase.newest(.terminateOther)
        terminated.input.executions[0].end = Timestamp(milliseconds: 102_500)
        #expect(terminated.report.problems == 0, "it may take a moment to end")
        terminated.input.executions[0].end = Timestamp(milliseconds: 103_500)
        terminated.input.executions[1].end = Timestamp(milliseconds: 103_400)
        #expect(terminated.report.crowded == [terminated.name(3)])
    }

    @Test func oneBesideItselfIsSeenUnderAnyRule() {
        var lane = LaneCase.allowTwo
        lane.runs(4, from: 104_100, .succeeded, by: 12)
        #expect(lane.report.crowded == [lane.name(4)])
    }

    /// What a kill cut off is over; without the kill it would run on.
    @Test func aKilledProcessRunsNothing() {
        var lane = LaneCase.skip
        lane.input.executions[0] = lane.input.executions[0].cutOff(in: LaneCase.victim)
        lane.runs(1, from: 102_200, for: 700, .succeeded)
        lane.kill(at: 101_500)
        #expect(lane.report.problems == 0)
        lane.kills = []
        #expect(lane.report.crowded == [lane.name(1), lane.name(3)])
        lane.kill(at: 102_500)
        #expect(lane.report.crowded == [lane.name(1)])
    }

    @Test func onlyWhatAKillCutOffIsSkippedAfterItsStart() {
        var lane = LaneCase.skip
        lane.runs(4, from: 104_600, nil, by: LaneCase.victim)
        lane.kill(at: 104_700)
        #expect(lane.report.problems == 0)
        lane.input.executions[2].end = Timestamp(milliseconds: 104_650)
        lane.input.executions[2].result = .failed
        #expect(lane.report.wrongEnds == [lane.name(4)])
    }

    @Test func twoThatWaitAreSeenWhereOneMay() {
        var lane = LaneCase.bufferOne
        lane.undecides(3)
        lane.completes(3, from: 107_520)
        #expect(lane.report.overfull == [lane.name(1)], "2 and 3 waited while it ran")
        #expect(lane.report.mostWaiting == 2)
        lane.lane.rule = .bufferAll
        lane.lane.limit = 2
        #expect(lane.report.problems == 0)
    }

    @Test func anEarlierOneThatStartsLaterIsSeen() {
        var lane = LaneCase.newest(.cancelOther)
        lane.runs(3, from: 105_600, for: 100, .cancelled)
        #expect(lane.report.problems == 0, "run again, not for the first time")
        lane.input.executions.removeAll { $0.start == Timestamp(milliseconds: 103_010) }
        #expect(lane.report.disordered == [lane.name(3)])
    }

    @Test func anEndThatTheRuleDoesNotKnowIsSeen() {
        func wrong(_ lane: LaneCase, _ number: Int64, _ outcome: Outcome) -> [NominalTime] {
            var lane = lane
            lane.undecides(number)
            lane.ends(number, outcome)
            return lane.report.wrongEnds
        }
        let cancelling = LaneCase.newest(.cancelOther)
        #expect(wrong(.skip, 2, .cancelled) == [cancelling.name(2)])
        #expect(wrong(.allowTwo, 3, .expired) == [cancelling.name(3)])
        #expect(wrong(cancelling, 2, .skipped) == [cancelling.name(2)])
        #expect(wrong(cancelling, 2, .completed) == [cancelling.name(2)], "its handler was cancelled")
        #expect(wrong(cancelling, 4, .cancelled) == [cancelling.name(4)], "the newest runs")
        #expect(wrong(.skip, 1, .skipped) == [cancelling.name(1)], "its handler succeeded")
    }
}

extension Execution {
    fileprivate func cutOff(in process: Int32) -> Execution {
        var copy = self
        copy.processID = process
        copy.end = nil
        copy.result = nil
        return copy
    }
}
