import TaskTestKit
import Testing

/// The kit's own means of waiting.
@Suite struct WaitingTests {
    @Test func observedWakesOnlyWhomItConcerns() async throws {
        let number = Observed(0)
        let two = Task { try await number.wait { $0 >= 2 } }
        let five = Task { try await number.wait { $0 >= 5 } }
        for _ in 0..<2 { number.update { $0 += 1 } }
        let found = try await withTimeout("two") { try await two.value }
        #expect(found == 2)
        for _ in 0..<3 { number.update { $0 += 1 } }
        #expect(try await withTimeout("five") { try await five.value } == 5)
    }

    @Test func observedReturnsAtOnceWhenItHoldsAlready() async throws {
        #expect(try await Observed("x").wait { $0 == "x" } == "x")
    }

    @Test func aCancelledWaitThrows() async throws {
        let waiter = Task { try await Observed(0).wait { $0 == 1 } }
        waiter.cancel()
        let result = try await withTimeout("the cancelled waiter") { await waiter.result }
        #expect(throws: CancellationError.self) { try result.get() }
    }

    @Test func timeoutPassesResultsAndErrorsThrough() async throws {
        struct Mine: Error {}
        #expect(try await withTimeout("seven") { 7 } == 7)
        await #expect(throws: Mine.self) { try await withTimeout("an error") { throw Mine() } }
    }

    /// Even an operation that ignores its cancellation is left behind.
    @Test func timeoutGivesUpOnWhatHangs() async throws {
        let never = Observed(false)
        await #expect(throws: TimedOut.self) {
            try await withTimeout(seconds: 0, "never") {
                await Task { _ = try? await never.wait { $0 } }.value
            }
        }
        never.update { $0 = true }
    }
}
