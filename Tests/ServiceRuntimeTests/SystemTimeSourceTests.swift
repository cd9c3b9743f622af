import ServiceRuntime
import TaskTestKit
import Testing

@Suite struct SystemTimeSourceTests {
    @Test func uptimeNeverGoesBack() {
        let time = SystemTimeSource()
        let readings = (0..<1000).map { _ in time.uptime() }
        #expect(zip(readings, readings.dropFirst()).allSatisfy { $0 <= $1 })
    }

    @Test func aCancelledSleepThrows() async throws {
        let sleeper = Task { try await SystemTimeSource().sleep(milliseconds: 3_600_000) }
        sleeper.cancel()
        let result = try await withTimeout("the cancelled sleeper") { await sleeper.result }
        #expect(throws: CancellationError.self) { try result.get() }
    }

    @Test func noTimeIsNoSleep() async throws {
        try await withTimeout("two sleeps of nothing") {
            try await SystemTimeSource().sleep(milliseconds: 0)
            try await SystemTimeSource().sleep(milliseconds: -1)
        }
    }
}
