import Testing

@testable import WorkerRole

@Suite struct ExitMappingTests {
    @Test func theDefaultTellsTemporaryFromPermanentFailures() {
        let mapping = ExitMapping()
        #expect(mapping.failure(for: .exited(0), message: "ignored") == nil)
        #expect(mapping.failure(for: .exited(1), message: "no") == .retry(code: "exit-1", "no"))
        #expect(mapping.failure(for: .exited(75), message: "busy") == .retry(code: "exit-75", "busy"))
        for status: Int32 in [64, 65, 78] {
            #expect(mapping.failure(for: .exited(status), message: "bad") == .fail(code: "exit-\(status)", "bad"))
        }
    }

    @Test func configuredAnswersWinOverTheDefault() {
        let mapping = ExitMapping([
            0: .retry, 75: .snooze(milliseconds: 60_000), 3: .retryAfter(milliseconds: 5), 4: .cancel, 5: .done,
        ])
        #expect(mapping.failure(for: .exited(0), message: "") == .retry(code: "exit-0", "exit status 0"))
        #expect(mapping.failure(for: .exited(75), message: "later") == .snooze(milliseconds: 60_000, "later"))
        #expect(
            mapping.failure(for: .exited(3), message: "x") == .retryAfter(milliseconds: 5, code: "exit-3", "x"))
        #expect(mapping.failure(for: .exited(4), message: "x") == .cancel("x"))
        #expect(mapping.failure(for: .exited(5), message: "x") == nil)
        #expect(mapping.failure(for: .exited(65), message: "x") == .fail(code: "exit-65", "x"))
    }

    @Test func aSignalAndALostStatusAreTriedAgain() {
        #expect(
            ExitMapping().failure(for: .signalled(9), message: "")
                == .retry(code: "signal-9", "the process was killed by signal 9"))
        guard case .retry(code: "exec-lost", _) = ExitMapping().failure(for: .unknown, message: "") else {
            Issue.record("a lost status must be tried again")
            return
        }
    }

    @Test func valuesOutOfRangeAreNamed() {
        #expect(ExitMapping().problems.isEmpty)
        #expect(ExitMapping([256: .done]).problems == ["exit status 256 is not between 0 and 255"])
        #expect(
            ExitMapping([1: .snooze(milliseconds: -1)]).problems == ["the delay of exit status 1 must not be negative"])
    }
}
