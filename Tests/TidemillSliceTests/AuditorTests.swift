import TaskModel
import Testing

@testable import TidemillSlice

/// A run that went well, to spoil in one way a test: five events; one failed once, one is dead, one was cut off by a kill.
private struct Run {
    var input = AuditInput()

    static let alive: Int32 = 10
    static let killed: Int32 = 11
    static let terminated: Int32 = 12

    init() {
        input.interventions = [Self.killed: .killed, Self.terminated: .terminated]
        for index in 1...5 { input.accepted.insert(Self.fingerprint(index)) }
        ends(Self.at(1), .completed)
        runs(Self.at(1), .succeeded)
        // Fails once, comes back in time.
        ends(Self.at(2), .retrying)
        runs(Self.at(2), .failed)
        waits(Self.at(2, turn: 2), until: 1000)
        input.emissions.append(Emission(coordinate: Self.at(2, turn: 2), time: Timestamp(milliseconds: 1000)))
        runs(Self.at(2, turn: 2), .succeeded, start: 1010)
        ends(Self.at(2, turn: 2), .completed)
        // Dead, with its letter.
        runs(Self.at(3), .failed)
        ends(Self.at(3), .dead)
        input.letters.insert(DeadLetterKey(fingerprint: Self.fingerprint(3), replay: 0))
        // Cut off by a kill, run again by another.
        runs(Self.at(4), nil, processID: Self.killed)
        runs(Self.at(4), .succeeded, start: 900)
        ends(Self.at(4), .completed)
        runs(Self.at(5), .succeeded, processID: Self.terminated)
        ends(Self.at(5), .completed, worker: "w12")
    }

    static func fingerprint(_ index: Int) -> Fingerprint { Fingerprint(high: 7, low: UInt64(index)) }

    static func at(_ index: Int, replay: UInt32 = 0, turn: UInt32 = 1) -> Coordinate {
        Coordinate(fingerprint: fingerprint(index), replay: replay, turn: turn)
    }

    mutating func ends(_ coordinate: Coordinate, _ outcome: Outcome, worker: String = "w10", at time: Int64 = 500) {
        input.statements.append(
            LedgerStatement(
                coordinate: coordinate, outcome: outcome, worker: worker, endedAt: Timestamp(milliseconds: time)))
    }

    mutating func runs(
        _ coordinate: Coordinate, _ result: ExecutionLine.Result?, start: Int64 = 400, processID: Int32 = Run.alive
    ) {
        input.executions.append(
            Execution(
                coordinate: coordinate, attempt: 1, worker: "w\(processID)", processID: processID,
                start: Timestamp(milliseconds: start), end: result.map { _ in Timestamp(milliseconds: start + 5) },
                result: result))
    }

    mutating func waits(_ coordinate: Coordinate, until time: Int64) {
        input.waiting.append(WaitingRecord(coordinate: coordinate, dueTime: Timestamp(milliseconds: time)))
    }

    var report: AuditReport { Auditor.audit(input) }
}

struct AuditorTests {
    @Test func aGoodRunHasNoFindings() {
        let report = Run().report
        #expect(report.accepted == 5)
        #expect(report.completed == 4)
        #expect(report.dead == 1)
        #expect(report.executions == 7)
        #expect(report.coordinates == 6)
        #expect(report.cutOff == 1)
        #expect(report.repeated == 1)
        #expect(report.excused == 1)
        let failing = report.invariants.filter { !$0.isOK }
        #expect(failing.isEmpty)
        #expect(report.details.isEmpty)
    }

    @Test func findsALostEvent() {
        var run = Run()
        run.input.statements.removeAll { $0.coordinate == Run.at(1) }
        #expect(run.report.lost == [WorkKey(Run.fingerprint(1))])
    }

    @Test func aRetryIsNoEnd() {
        var run = Run()
        run.input.statements.removeAll { $0.coordinate == Run.at(2, turn: 2) }
        #expect(run.report.lost == [WorkKey(Run.fingerprint(2))])
    }

    @Test func findsTwoEnds() {
        var run = Run()
        run.ends(Run.at(1), .completed, worker: "w12")
        #expect(run.report.settledTwice == [WorkKey(Run.fingerprint(1))])
        run = Run()
        run.ends(Run.at(3, turn: 2), .completed)
        #expect(run.report.settledTwice == [WorkKey(Run.fingerprint(3))])
    }

    @Test func oneStatementSentTwiceIsOneEnd() {
        var run = Run()
        run.ends(Run.at(1), .completed)
        #expect(run.report.settledTwice.isEmpty)
    }

    @Test func findsAnUnexplainedExecution() {
        var run = Run()
        run.runs(Run.at(1), .succeeded, start: 800)
        #expect(run.report.unexplained == 1)
        #expect(run.report.repeatedByTermination == 0)
    }

    @Test func aKillExcusesOnlyOneExecution() {
        var run = Run()
        run.runs(Run.at(4), .succeeded, start: 950)
        #expect(run.report.excused == 1)
        #expect(run.report.unexplained == 1)
    }

    @Test func aKillAfterTheOutcomeExcusesNothing() {
        var run = Run()
        run.ends(Run.at(4), .completed, worker: "w\(Run.killed)")
        #expect(run.report.unexplained == 1)
    }

    @Test func findsARepetitionBySIGTERM() {
        var run = Run()
        run.runs(Run.at(5), .succeeded, start: 800)
        #expect(run.report.repeatedByTermination == 1)
    }

    @Test func findsAnEarlyRetry() {
        var run = Run()
        run.input.emissions[0].time = Timestamp(milliseconds: 999)
        #expect(run.report.early == [Run.at(2, turn: 2)])
    }

    @Test func findsAnEarlyExecution() throws {
        var run = Run()
        let index = try #require(run.input.executions.firstIndex { $0.coordinate == Run.at(2, turn: 2) })
        run.input.executions[index].start = Timestamp(milliseconds: 999)
        #expect(run.report.early == [Run.at(2, turn: 2)])
    }

    @Test func aRetryRecordWrittenAgainCountsFromTheFirst() {
        var run = Run()
        run.waits(Run.at(2, turn: 2), until: 5000)
        #expect(run.report.early.isEmpty)
    }

    @Test func findsAnOrphan() {
        var run = Run()
        run.input.stillWaiting = [Run.at(2, turn: 2)]
        #expect(run.report.orphans == [Run.at(2, turn: 2)])
    }

    @Test func findsADeathWithoutALetterAndALetterWithoutADeath() {
        var run = Run()
        run.input.letters = [DeadLetterKey(fingerprint: Run.fingerprint(1), replay: 0)]
        #expect(run.report.withoutLetter == [WorkKey(Run.fingerprint(3))])
        #expect(run.report.withoutDeath == [WorkKey(Run.fingerprint(1))])
    }

    @Test func findsWorkThatNobodyAsked() {
        var run = Run()
        run.runs(Run.at(9), .succeeded)
        run.ends(Run.at(9), .completed)
        #expect(run.report.unknown == [WorkKey(Run.fingerprint(9))])
    }

    @Test func findsACompletionThatNoHandlerReached() {
        var run = Run()
        run.input.executions.removeAll { $0.coordinate == Run.at(1) }
        #expect(run.report.completedUnseen == [WorkKey(Run.fingerprint(1))])
    }

    @Test func aReplayedLetterMustEnd() {
        var run = Run()
        let key = DeadLetterKey(fingerprint: Run.fingerprint(3), replay: 0)
        run.input.marks[key] = .replayed
        #expect(run.report.lost == [WorkKey(Run.fingerprint(3), replay: 1)])
        #expect(run.input.openLetters.isEmpty)
        run.runs(Run.at(3, replay: 1), .succeeded)
        run.ends(Run.at(3, replay: 1), .completed)
        #expect(run.report.lost.isEmpty)
        #expect(run.report.completed == 5)
    }

    @Test func aFailedCheckSaysSo() {
        var run = Run()
        run.input.statements.removeAll { $0.coordinate == Run.at(1) }
        let report = run.report
        let failing = report.invariants.filter { !$0.isOK }
        #expect(failing.map(\.name) == ["lost"])
        #expect(report.details.contains("lost: \(Run.fingerprint(1).hex)/0"))
        let table = CheckTable.render("title", [Check("lost", 1, equals: 0), Check(note: "runs", 3)])
        #expect(table == "title\n  lost  1  0  FAIL\n  runs  3\n")
    }
}
