import Testing

@testable import TaskModel

@Suite("SettleMachine")
struct SettleMachineTests {
    private func decision(_ outcome: Outcome, turn: UInt32 = 1) -> Decision {
        Decision(
            coordinate: Coordinate(fingerprint: Fingerprint(high: 1, low: 1), replay: 2, turn: turn), attempt: 4,
            worker: "w", laneHash: 9,
            detail: OutcomeDetail(
                outcome, delay: 100, nextAttempt: 5, endedAt: Timestamp(milliseconds: 77), code: "error", message: "m"))
    }

    @Test("decide, then do, then settled", arguments: Outcome.allCases)
    func order(_ outcome: Outcome) {
        let decision = decision(outcome)
        var machine = SettleMachine()
        #expect(machine.state == .undecided)
        let first = machine.decide(decision)
        #expect(first == .appendDecision(decision))
        #expect(machine.state == .deciding(decision))
        let step = machine.decided(decision)
        if [.retrying, .snoozed, .dead].contains(outcome) {
            #expect(step == .appendEffect(decision))
            #expect(machine.state == .doing(decision))
            let last = machine.settle()
            #expect(last == .settle)
        } else {
            #expect(step == .settle)
        }
        #expect(machine.state == .settled)
    }

    @Test("a turn that the ledger knows as decided starts at its effect") func redo() {
        var machine = SettleMachine()
        let step = machine.decided(decision(.retrying))
        #expect(step == .appendEffect(decision(.retrying)))
    }

    @Test("the next turn is one higher, carries the failure, and knows when the first one fell due") func nextTurn() {
        var event = TaskEvent(id: "1", source: "s", task: "t", payload: [1], fingerprint: Fingerprint(high: 1, low: 1))
        event.replay = 2
        event.attempt = 4
        event.isForwarded = true
        let recorded = Timestamp(milliseconds: 5)
        let next = decision(.retrying).nextTurn(of: event, recordTime: recorded)
        #expect(next.turn == 2 && next.attempt == 5 && next.replay == 2 && next.payload == [1] && !next.isForwarded)
        #expect(next.firstDueAt == recorded)
        #expect(
            next.history.failures == [
                AttemptFailure(
                    attempt: 4, turn: 1, replay: 2, at: Timestamp(milliseconds: 77), worker: "w", code: "error",
                    message: "m")
            ])
        let third = decision(.snoozed, turn: 2).nextTurn(of: next, recordTime: Timestamp(milliseconds: 6))
        #expect(third.turn == 3 && third.firstDueAt == recorded)
        #expect(third.history == next.history, "a snooze is no failure")
        #expect(decision(.dead, turn: 3).lastTurn(of: third).history.failures.count == 2)
        #expect(decision(.dead, turn: 3).lastTurn(of: third).turn == 3)
    }
}
