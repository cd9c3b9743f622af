import TaskModel
import Testing

@testable import TidemillSlice

/// A chaos run that went well, to spoil in one way a test: event 1 completed after a retry, event 2 ran twice because its
/// first worker was killed, and a schedule of 1 s fired three times. Times are milliseconds.
private struct ChaosCase {
    static let alive: Int32 = 10
    static let victim: Int32 = 11
    static let schedule = ScheduleRange(
        id: "s", trigger: .interval(milliseconds: 1000, anchor: nil), after: Timestamp(milliseconds: 99_500),
        through: Timestamp(milliseconds: 102_000))

    var input = AuditInput()

    init() {
        input.faults = [fault(.kill, from: 50_100, to: 50_200)]
        input.schedules = [Self.schedule]
        input.accepted = Self.schedule.fingerprints.union([Self.fingerprint(1), Self.fingerprint(2)])
        runs(Self.at(1), from: 10_000, .failed)
        ends(Self.at(1), .retrying, at: 10_005)
        input.waiting = [WaitingRecord(coordinate: Self.at(1, turn: 2), dueTime: Timestamp(milliseconds: 10_500))]
        emits(Self.at(1, turn: 2), at: 10_500)
        runs(Self.at(1, turn: 2), from: 10_510, .succeeded)
        ends(Self.at(1, turn: 2), .completed, at: 10_515)
        runs(Self.at(2), from: 50_000, nil, by: Self.victim)
        runs(Self.at(2), from: 56_000, .succeeded)
        ends(Self.at(2), .completed, at: 56_005)
        for time in Self.schedule.nominalTimes { fires(time) }
    }

    static func fingerprint(_ index: Int) -> Fingerprint { Fingerprint(high: 9, low: UInt64(index)) }

    static func at(_ index: Int, turn: UInt32 = 1) -> Coordinate {
        Coordinate(fingerprint: fingerprint(index), replay: 0, turn: turn)
    }

    static func fire(_ seconds: Int64) -> Coordinate {
        Coordinate(fingerprint: schedule.fingerprint(of: Timestamp(seconds: seconds)), replay: 0, turn: 1)
    }

    func fault(
        _ kind: FaultWindow.Kind, in processes: Set<Int32> = [Self.victim], from start: Int64, to end: Int64
    ) -> FaultWindow {
        FaultWindow(
            kind: kind, targets: processes, name: "someone", start: Timestamp(milliseconds: start),
            end: Timestamp(milliseconds: end))
    }

    mutating func fires(_ nominal: Timestamp) {
        let coordinate = Coordinate(fingerprint: Self.schedule.fingerprint(of: nominal), replay: 0, turn: 1)
        emits(coordinate, at: nominal.milliseconds + 3, fire: Emission.Fire(schedule: "s", nominal: nominal))
        runs(coordinate, from: nominal.milliseconds + 5, .succeeded)
        ends(coordinate, .completed, at: nominal.milliseconds + 9)
    }

    mutating func emits(_ coordinate: Coordinate, at time: Int64, fire: Emission.Fire? = nil) {
        input.emissions.append(Emission(coordinate: coordinate, time: Timestamp(milliseconds: time), fire: fire))
    }

    mutating func runs(
        _ coordinate: Coordinate, from start: Int64, _ result: ExecutionLine.Result?, by process: Int32 = Self.alive
    ) {
        input.executions.append(
            Execution(
                coordinate: coordinate, attempt: 1, worker: "w\(process)", processID: process,
                start: Timestamp(milliseconds: start), end: result.map { _ in Timestamp(milliseconds: start + 4) },
                result: result))
    }

    mutating func ends(_ coordinate: Coordinate, _ outcome: Outcome, at time: Int64, by process: Int32 = Self.alive) {
        input.statements.append(
            LedgerStatement(
                coordinate: coordinate, outcome: outcome, worker: "w\(process)", endedAt: Timestamp(milliseconds: time))
        )
        let key = WorkKey(coordinate)
        guard outcome.outcomeClass != .again, input.endReadAt[key] == nil else { return }
        input.endReadAt[key] = Timestamp(milliseconds: time + 10)
    }

    var report: AuditReport { Auditor.audit(input) }
}

struct ChaosAuditTests {
    @Test func aGoodRunHasNoFindings() {
        let report = ChaosCase().report
        #expect(report.details.isEmpty)
        #expect(report.accepted == 5)
        #expect(report.completed == 5)
        #expect(report.repetitions.map(\.causes) == [[.kill]])
        let failing = report.invariants.filter { !$0.isOK }
        #expect(failing.isEmpty)
    }

    @Test func findsOneLoss() {
        var run = ChaosCase()
        run.input.statements.removeAll { $0.coordinate == ChaosCase.at(2) }
        #expect(run.report.lost == [WorkKey(ChaosCase.fingerprint(2))])
    }

    @Test func findsOneDoubleSettle() {
        var run = ChaosCase()
        run.ends(ChaosCase.at(1, turn: 2), .dead, at: 10_600)
        #expect(run.report.settledTwice == [WorkKey(ChaosCase.fingerprint(1))])
    }

    @Test func aTurnThatBothRunsOfAnExplainedRepetitionCompleteHasOneEnd() {
        var run = ChaosCase()
        run.input.faults = [run.fault(.stop, from: 50_001, to: 57_000)]
        let index = run.input.executions.firstIndex { $0.processID == ChaosCase.victim } ?? 0
        run.input.executions[index].end = Timestamp(milliseconds: 57_001)
        run.input.executions[index].result = .succeeded
        run.ends(ChaosCase.at(2), .completed, at: 57_001, by: ChaosCase.victim)
        #expect(run.report.settledTwice.isEmpty)
        #expect(run.report.endedByBoth == [WorkKey(ChaosCase.fingerprint(2))])
        // Without a fault, without a run of its own, or of another kind, it is two ends.
        var spoilt = run
        spoilt.input.faults = []
        #expect(spoilt.report.settledTwice == [WorkKey(ChaosCase.fingerprint(2))])
        spoilt = run
        spoilt.input.executions[index].result = .failed
        #expect(spoilt.report.settledTwice == [WorkKey(ChaosCase.fingerprint(2))])
        spoilt = run
        spoilt.ends(ChaosCase.at(2, turn: 2), .completed, at: 58_000)
        #expect(spoilt.report.settledTwice == [WorkKey(ChaosCase.fingerprint(2))])
        spoilt = run
        spoilt.ends(ChaosCase.at(2), .dead, at: 58_000, by: ChaosCase.victim)
        #expect(spoilt.report.settledTwice == [WorkKey(ChaosCase.fingerprint(2))])
    }

    /// A process that slept fails its turn for good as its successor did: one death, said twice.
    @Test func aTurnThatBothRunsOfAnExplainedRepetitionBuryHasOneEnd() {
        var run = ChaosCase()
        run.input.faults = [run.fault(.stop, from: 50_001, to: 57_000)]
        run.input.statements.removeAll { $0.coordinate == ChaosCase.at(2) }
        for index in run.input.executions.indices where run.input.executions[index].coordinate == ChaosCase.at(2) {
            run.input.executions[index].end = Timestamp(milliseconds: 57_001)
            run.input.executions[index].result = .failed
        }
        run.ends(ChaosCase.at(2), .dead, at: 57_000)
        run.ends(ChaosCase.at(2), .dead, at: 57_001, by: ChaosCase.victim)
        #expect(run.report.settledTwice.isEmpty)
        #expect(run.report.endedByBoth == [WorkKey(ChaosCase.fingerprint(2))])
        for index in run.input.executions.indices where run.input.executions[index].processID == ChaosCase.victim {
            run.input.executions[index].result = .cancelled
        }
        #expect(run.report.settledTwice == [WorkKey(ChaosCase.fingerprint(2))])
    }

    @Test func findsOneEarlyRetry() {
        var run = ChaosCase()
        run.input.waiting[0].dueTime = Timestamp(milliseconds: 10_501)
        #expect(run.report.early == [ChaosCase.at(1, turn: 2)])
    }

    @Test func findsAFireBeforeItsNominalTime() throws {
        var run = ChaosCase()
        let index = try #require(run.input.emissions.firstIndex { $0.fire != nil })
        run.input.emissions[index].time = Timestamp(milliseconds: 99_999)
        #expect(run.report.early == [ChaosCase.fire(100)])
    }

    @Test func findsAMissedNominalTime() {
        var run = ChaosCase()
        run.input.statements.removeAll { $0.coordinate == ChaosCase.fire(101) }
        run.input.emissions.removeAll { $0.coordinate == ChaosCase.fire(101) }
        let missed = NominalTime(schedule: "s", time: Timestamp(seconds: 101))
        #expect(run.report.missedTimes == [missed])
        #expect(run.report.details.contains("missed: s@1970-01-01T00:01:41"))
    }

    @Test func findsTwoEventsOfOneNominalTime() {
        var run = ChaosCase()
        let fire = Emission.Fire(schedule: "s", nominal: Timestamp(seconds: 101))
        run.emits(ChaosCase.at(77), at: 101_050, fire: fire)
        #expect(run.report.doubledTimes == [NominalTime(schedule: "s", time: Timestamp(seconds: 101))])
    }

    @Test func findsAFireThatNoTriggerNamed() {
        var run = ChaosCase()
        run.fires(Timestamp(milliseconds: 101_500))
        #expect(run.report.doubledTimes == [NominalTime(schedule: "s", time: Timestamp(milliseconds: 101_500))])
    }

    @Test func findsAFireThatRanTwiceWithoutAReason() {
        var run = ChaosCase()
        run.runs(ChaosCase.fire(102), from: 102_007, .succeeded)
        #expect(run.report.doubledTimes == [NominalTime(schedule: "s", time: Timestamp(seconds: 102))])
    }

    @Test func findsAStartAfterTheEnd() {
        var run = ChaosCase()
        run.runs(ChaosCase.at(1, turn: 2), from: 12_000, .succeeded)
        #expect(run.report.startedAfterEnd == [ChaosCase.at(1, turn: 2)])
        #expect(run.report.unexplained == 1)
    }

    @Test func aProcessThatSleptMayStartWhatItHadRead() {
        var run = ChaosCase()
        run.runs(ChaosCase.at(1, turn: 2), from: 12_000, .succeeded, by: ChaosCase.victim)
        let sleep = run.fault(.stop, from: 9000, to: 11_900)
        run.input.faults?.append(sleep)
        #expect(run.report.startedAfterEnd.isEmpty)
        #expect(run.report.unexplained == 0)
    }

    /// What was in the log before a fault, and could be read after it, nobody had a reason to run again.
    @Test(arguments: [FaultWindow.Kind.stop, .cut, .full, .brokerKill, .brokerStop])
    func aFaultBetweenTwoRunsThatConcernedNeitherExplainsNothing(_ kind: FaultWindow.Kind) {
        var run = ChaosCase()
        run.runs(ChaosCase.at(1, turn: 2), from: 90_000, .succeeded, by: ChaosCase.victim)
        let targets = run.fault(kind, from: 30_000, to: 34_000)
        run.input.faults?.append(targets)
        #expect(run.report.startedAfterEnd == [ChaosCase.at(1, turn: 2)])
        #expect(run.report.unexplained == 1)
        // Still under way as the second begins.
        run.input.faults?[1].end = Timestamp(milliseconds: 89_000)
        #expect(run.report.startedAfterEnd.isEmpty)
        #expect(run.report.unexplained == 0)
        // It came before the first had a chance to say how it ended.
        run.input.faults?[1].end = Timestamp(milliseconds: 34_000)
        run.input.faults?[1].start = Timestamp(milliseconds: 10_600)
        #expect(run.report.unexplained == 0)
    }

    /// The log's own word is not asked: a scheduler that writes a wrong time down would pass.
    @Test func findsAStartBeforeThePlan() {
        var run = ChaosCase()
        run.input.plannedStarts = [ChaosCase.fingerprint(1): Timestamp(milliseconds: 10_000)]
        #expect(run.report.early.isEmpty)
        run.input.plannedStarts = [ChaosCase.fingerprint(1): Timestamp(milliseconds: 10_001)]
        #expect(run.report.early == [ChaosCase.at(1)])
    }

    @Test func findsARetrySoonerThanItsPolicyAllows() {
        var run = ChaosCase()
        run.input.retryPolicy = RetryPolicy(initial: 506, jitter: 0)
        #expect(run.report.early.isEmpty)
        run.input.retryPolicy = RetryPolicy(initial: 507, jitter: 0)
        #expect(run.report.early == [ChaosCase.at(1, turn: 2)])
    }

    @Test func aKillExcusesOnlyWhatItCutOff() {
        var run = ChaosCase()
        run.input.faults = [run.fault(.kill, in: [ChaosCase.alive], from: 50_100, to: 50_200)]
        #expect(run.report.unexplained == 1)
        run = ChaosCase()
        run.ends(ChaosCase.at(2), .completed, at: 50_050, by: ChaosCase.victim)
        #expect(run.report.unexplained == 1)
        run = ChaosCase()
        run.runs(ChaosCase.at(2), from: 57_000, .succeeded)
        #expect(run.report.unexplained == 1)
    }

    @Test(arguments: [FaultWindow.Kind.terminate, .rolling, .scale, .clock])
    func whatMustNotRepeatWorkExplainsNothing(_ kind: FaultWindow.Kind) {
        var run = ChaosCase()
        run.input.faults = [run.fault(kind, from: 50_100, to: 50_200)]
        #expect(run.report.unexplained == 1)
        #expect(run.report.repeatedByTermination == (kind == .terminate ? 1 : 0))
    }

    @Test func aBrokersFaultConcernsAllForAWhile() {
        var run = ChaosCase()
        run.input.faults = [run.fault(.brokerKill, in: [], from: 30_000, to: 36_000)]
        #expect(run.report.repetitions.map(\.causes) == [[.brokerKill]])
        run.input.faults = [run.fault(.brokerKill, in: [], from: 30_000, to: 34_000)]
        #expect(run.report.unexplained == 1)
    }

    /// A process that is told to end while the log is away may say so; while all is well it may not.
    @Test func onlyAFaultOfTheLogExcusesAnEndInBadOrder() {
        let run = ChaosCase()
        var end = run.fault(.terminate, from: 10_000, to: 20_000)
        #expect(FaultTimeline([end]).unexplainedGiveUps == [])
        end.gaveUp = true
        #expect(FaultTimeline([end]).unexplainedGiveUps == [end])
        let away = run.fault(.brokerKill, in: [], from: 5000, to: 9000)
        #expect(FaultTimeline([end, away]).unexplainedGiveUps == [])
        let back = run.fault(.brokerKill, in: [], from: 1000, to: 4000)
        #expect(FaultTimeline([end, back]).unexplainedGiveUps == [end], "it was back when the patience ended")
        let before = run.fault(.brokerStop, in: [], from: -20_000, to: -10_000)
        #expect(FaultTimeline([end, before]).unexplainedGiveUps == [end])
        var writer = run.fault(.stop, in: [99], from: 5000, to: 19_000)
        #expect(FaultTimeline([end, writer]).unexplainedGiveUps == [end])
        writer.heldLog = true
        #expect(FaultTimeline([end, writer]).unexplainedGiveUps == [])
        let other = run.fault(.full, in: [99], from: 5000, to: 9000)
        #expect(FaultTimeline([end, other]).unexplainedGiveUps == [end])
        let own = run.fault(.cut, from: 12_000, to: 16_000)
        #expect(FaultTimeline([end, own]).unexplainedGiveUps == [])
    }

    /// Who is stopped in the middle of a write of the embedded log keeps everybody from renewing a lease.
    @Test func aStoppedWriterConcernsAllForAWhile() {
        var run = ChaosCase()
        let index = run.input.executions.firstIndex { $0.processID == ChaosCase.victim } ?? 0
        run.input.executions[index].end = Timestamp(milliseconds: 51_000)
        run.input.executions[index].result = .cancelled
        var fault = run.fault(.stop, in: [99], from: 50_100, to: 55_900)
        run.input.faults = [fault]
        #expect(run.report.unexplained == 1)
        fault.heldLog = true
        run.input.faults = [fault]
        #expect(run.report.repetitions.map(\.causes) == [[.stop]])
        // The last note of its lease reached the log after that, so its successor waited.
        fault.end = Timestamp(milliseconds: 50_900)
        run.input.faults = [fault]
        #expect(run.report.unexplained == 0)
        fault.end = Timestamp(milliseconds: 55_900)
        // What ended long before was in the log by then.
        run.input.executions[index].end = Timestamp(milliseconds: 50_004)
        fault.start = Timestamp(milliseconds: 55_500)
        run.input.faults = [fault]
        #expect(run.report.unexplained == 1)
    }

    /// What could not be written for a stopped writer is lost with its process, however long after.
    @Test func aKillBehindAStoppedWriterExcusesWhatWasNotWritten() {
        var run = ChaosCase()
        let index = run.input.executions.firstIndex { $0.processID == ChaosCase.victim } ?? 0
        run.input.executions[index].end = Timestamp(milliseconds: 50_004)
        run.input.executions[index].result = .succeeded
        run.runs(ChaosCase.at(2), from: 90_000, .succeeded)
        let replaced = Timestamp(milliseconds: 56_000)
        run.input.executions.removeAll { $0.coordinate == ChaosCase.at(2) && $0.start == replaced }
        let kill = run.fault(.kill, from: 60_000, to: 60_030)
        run.input.faults = [kill]
        #expect(run.report.unexplained == 1)
        var writer = run.fault(.stop, in: [99], from: 50_030, to: 70_000)
        run.input.faults = [kill, writer]
        #expect(run.report.unexplained == 1)
        writer.heldLog = true
        run.input.faults = [kill, writer]
        #expect(run.report.repetitions.map(\.causes) == [[.kill]])
    }

    /// Whoever runs twice as its process is killed looks as if it had killed it; once may be chance.
    @Test func onlySeveralKillsExcuseABurial() {
        var run = ChaosCase()
        run.input.statements.removeAll { $0.coordinate == ChaosCase.at(2) }
        run.ends(ChaosCase.at(2), .dead, at: 70_000)
        #expect(run.report.killedTooOften.isEmpty, "one kill")
        run.runs(ChaosCase.at(2), from: 60_000, nil, by: 12)
        let early = run.fault(.kill, in: [12], from: 59_000, to: 59_900)
        let stop = run.fault(.stop, in: [12], from: 60_100, to: 61_000)
        run.input.faults? += [early, stop]
        #expect(run.report.killedTooOften.isEmpty, "killed before it ran, and stopped")
        let kill = run.fault(.kill, in: [12], from: 62_000, to: 62_100)
        run.input.faults?.append(kill)
        #expect(run.report.killedTooOften == [ChaosCase.fingerprint(2)])
    }

    @Test func faultsWithoutTimesLeaveTheSliceRulesAlone() {
        var run = ChaosCase()
        run.input.faults = nil
        #expect(run.report.unexplained == 1)
        run.input.interventions = [ChaosCase.victim: .killed]
        #expect(run.report.unexplained == 0)
    }
}

struct ChaosPlanTests {
    @Test func isAFunctionOfSeedAndIndex() throws {
        let now = Timestamp(seconds: 1000)
        let first = try (0..<500).map { try ChaosPlan(seed: 4).request($0, now: now) }
        let again = try (0..<500).map { try ChaosPlan(seed: 4).request($0, now: now) }
        #expect(first == again)
        #expect(try first != (0..<500).map { try ChaosPlan(seed: 5).request($0, now: now) })
    }

    @Test func hasAboutTheSharesThatItNames() throws {
        let plan = ChaosPlan(seed: 1)
        let works = (0..<10_000).map(plan.work)
        #expect((10...30).contains(works.count { $0.milliseconds == ChaosPlan.long }))
        #expect((70...130).contains(works.count { $0.fate == .failsAlways }))
        #expect((330...470).contains(works.count { $0.fate == .failsOnce }))
        #expect((150...250).contains(works.count { $0.fate == .failsTwice }))
        #expect(try plan.schedules().flatMap(\.problems).isEmpty)
    }
}

struct PulseTests {
    private let pulse = Pulse(
        beats: [(0, 5), (200, 400), (400, 2000), (600, 2500), (800, 30), (1000, 5)].map {
            Pulse.Beat(at: Timestamp(milliseconds: $0.0), age: $0.1)
        })

    private func fault(until end: Int64) -> FaultWindow {
        FaultWindow(kind: .stop, name: "x", start: Timestamp(milliseconds: 100), end: Timestamp(milliseconds: end))
    }

    @Test func recoveryCountsFromTheEndOfTheFaultToTheFirstHealthyBeat() {
        #expect(pulse.recovery(from: fault(until: 300)) == 500)
        #expect(pulse.recovery(from: fault(until: 1000)) == 0)
        #expect(pulse.recovery(from: fault(until: 1001)) == nil)
        // A kill is over at once, and shows later; another shows never.
        var kill = fault(until: 100)
        #expect(pulse.recovery(from: kill) == 700)
        kill.start = Timestamp(milliseconds: 790)
        kill.end = kill.start
        #expect(pulse.recovery(from: kill) == 0)
        let lines = RecoveryLine.all([fault(until: 300), fault(until: 1000), fault(until: 2000)], pulse)
        #expect(lines == [RecoveryLine(kind: .stop, count: 3, median: 500, longest: 500, open: 1)])
    }
}

struct RoleControlTests {
    @Test func isReadAsItWasWritten() {
        for control in [RoleControl.clock(-3_600_000), .cut, .fileLimit(65_536), .fileLimit(nil)] {
            #expect(RoleControl(line: control.line) == control)
        }
        for line in ["", "clock", "clock x", "limit", "limit x", "cut it"] { #expect(RoleControl(line: line) == nil) }
    }
}
