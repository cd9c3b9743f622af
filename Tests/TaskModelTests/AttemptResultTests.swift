import Testing

@testable import TaskModel

@Suite("OutcomePolicy")
struct OutcomePolicyTests {
    private let start = Timestamp(seconds: 1_800_000_000)
    private let policy = OutcomePolicy(
        retry: RetryPolicy(initial: 1000, factor: 2, maximum: 60_000, jitter: 0, maxAttempts: 3, maxAge: 10_000),
        unknownTaskMaxAge: 5000)

    private func event(attempt: UInt32 = 1, turn: UInt32 = 1) -> TaskEvent {
        var event = TaskEvent(id: "1", source: "s", task: "t", payload: [], fingerprint: Fingerprint(high: 1, low: 1))
        event.attempt = attempt
        event.turn = turn
        return event
    }

    private func outcome(_ result: AttemptResult, _ event: TaskEvent, after age: Int64 = 0) -> OutcomeDetail {
        policy.outcome(of: result, event: event, firstDue: start, startedAt: start, now: start + age)
    }

    @Test("success, cancel and a fatal error end it") func ends() {
        #expect(outcome(.completed, event()) == OutcomeDetail(.completed, startedAt: start, endedAt: start))
        let cancelled = outcome(.cancelled(message: "by hand"), event())
        #expect(cancelled.outcome == .cancelled && cancelled.message == "by hand" && cancelled.code == "cancelled")
        let fatal = outcome(.fatal(reason: .undecodable, code: "undecodable", message: "m"), event())
        #expect(fatal.outcome == .dead && fatal.deathReason == .undecodable && fatal.delay == nil)
    }

    @Test("a failure is tried again with the policy's delay until the attempts are spent") func failures() {
        let failed = AttemptResult.failed(code: "error", message: "m")
        let first = outcome(failed, event())
        #expect(first.outcome == .retrying && first.delay == 1000 && first.nextAttempt == 2)
        let second = outcome(failed, event(attempt: 2, turn: 5))
        #expect(second.outcome == .retrying && second.delay == 2000 && second.nextAttempt == 3)
        for attempt in [3, 4, .max] as [UInt32] {
            let last = outcome(failed, event(attempt: attempt))
            #expect(last.outcome == .dead && last.deathReason == .attemptsExhausted && last.code == "error")
        }
    }

    @Test("a retry that would fall past the age is a death by age, not by attempts") func age() {
        let failed = AttemptResult.failed(code: "error", message: "m")
        #expect(outcome(failed, event(), after: 9000).outcome == .retrying)
        let late = outcome(failed, event(), after: 9001)
        #expect(late.outcome == .dead && late.deathReason == .tooOld)
        #expect(outcome(failed, event(attempt: 3), after: 9001).deathReason == .attemptsExhausted)
        #expect(outcome(.retryAfter(milliseconds: .max, code: "c", message: ""), event()).deathReason == .tooOld)
    }

    @Test("the event's own policy comes before the task's") func ownPolicy() {
        var event = event()
        event.retryPolicy = RetryPolicy.none
        #expect(outcome(.failed(code: "c", message: ""), event).outcome == .dead)
        event.retryPolicy = RetryPolicy(initial: 7, jitter: 0, maxAge: nil)
        #expect(outcome(.failed(code: "c", message: ""), event, after: 1 << 40).delay == 7)
    }

    @Test("retry-after spends the attempt with the given delay, a snooze does not") func delays() {
        let after = outcome(.retryAfter(milliseconds: 300, code: "http-503", message: ""), event())
        #expect(after.outcome == .retrying && after.delay == 300 && after.nextAttempt == 2)
        let snoozed = outcome(.snoozed(milliseconds: 300, message: "later"), event(attempt: 3), after: 1 << 40)
        #expect(snoozed.outcome == .snoozed && snoozed.delay == 300 && snoozed.nextAttempt == 3)
        #expect(outcome(.snoozed(milliseconds: -5, message: ""), event()).delay == 0)
        #expect(outcome(.snoozed(milliseconds: .max, message: ""), event()).delay == OutcomePolicy.maximumDelay)
    }

    @Test("an unknown task comes back for a while, then it is dead") func unknownTask() {
        let waits = policy.unknownTask(event: event(attempt: 2), firstDue: start, now: start + 4999)
        #expect(waits.outcome == .snoozed && waits.nextAttempt == 2 && waits.code == "unknown-task")
        #expect((800...1200).contains(waits.delay ?? 0))
        let dead = policy.unknownTask(event: event(), firstDue: start, now: start + 5000)
        #expect(dead.outcome == .dead && dead.deathReason == .unknownTask)
        let many = policy.unknownTask(event: event(turn: 2_000_000_000), firstDue: start, now: start)
        #expect((240_000...300_000).contains(many.delay ?? 0))
    }
}
