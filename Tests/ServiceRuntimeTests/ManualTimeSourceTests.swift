import ServiceRuntime
import TaskModel
import TaskTestKit
import Testing

@Suite struct ManualTimeSourceTests {
    @Test func standsStillUntilMoved() {
        let time = ManualTimeSource(now: Timestamp(milliseconds: 1000), uptime: 50)
        #expect(time.now() == Timestamp(milliseconds: 1000))
        #expect(time.uptime() == 50)
        time.advance(milliseconds: 25)
        #expect(time.now() == Timestamp(milliseconds: 1025))
        #expect(time.uptime() == 75)
    }

    @Test func aWallStepLeavesUptimeAlone() async throws {
        let time = ManualTimeSource(now: Timestamp(milliseconds: 1000), uptime: 50)
        let sleeper = Task { try await time.sleep(milliseconds: 10) }
        try await withTimeout("the sleeper") { try await time.waitForSleepers(count: 1) }
        time.stepWall(by: 3_600_000)
        #expect(time.uptime() == 50)
        #expect(time.now() == Timestamp(milliseconds: 3_601_000))
        #expect(time.sleeperCount == 1)
        time.stepWall(by: -3_600_500)
        #expect(time.now() == Timestamp(milliseconds: 500))
        time.advance(milliseconds: 10)
        try await withTimeout("the sleeper's end") { try await sleeper.value }
    }

    @Test func wakesThoseWhoseTimeHasCome() async throws {
        let time = ManualTimeSource()
        let woken = Observed<[Int]>([])
        let sleepers = [300, 100, 200].map { milliseconds in
            Task {
                try await time.sleep(milliseconds: Int64(milliseconds))
                woken.update { $0.append(milliseconds) }
            }
        }
        try await withTimeout("three sleepers") { try await time.waitForSleepers(count: 3) }
        #expect(time.millisecondsToNextSleeper == 100)
        for expected in [[100], [100, 200], [100, 200, 300]] {
            time.advance(milliseconds: 99)
            #expect(time.sleeperCount == 4 - expected.count)
            time.advance(milliseconds: 1)
            try await withTimeout("sleeper \(expected.count)") { try await woken.wait { $0 == expected } }
        }
        for sleeper in sleepers { try await sleeper.value }
        #expect(time.millisecondsToNextSleeper == nil)
    }

    @Test func noTimeIsNoSleep() async throws {
        let time = ManualTimeSource()
        try await time.sleep(milliseconds: 0)
        try await time.sleep(milliseconds: -5)
    }

    @Test func sleepEndsWithItsTask() async throws {
        let time = ManualTimeSource()
        let sleeper = Task { try await time.sleep(milliseconds: .max) }
        try await withTimeout("the sleeper") { try await time.waitForSleepers(count: 1) }
        sleeper.cancel()
        let result = try await withTimeout("the cancelled sleeper") { await sleeper.result }
        #expect(throws: CancellationError.self) { try result.get() }
        #expect(time.sleeperCount == 0)
    }

    @Test func aCancelledTaskDoesNotFallAsleep() async throws {
        let time = ManualTimeSource()
        let started = Observed(false)
        let sleeper = Task {
            _ = try? await started.wait { $0 }
            try await time.sleep(milliseconds: 10)
        }
        sleeper.cancel()
        started.update { $0 = true }
        let result = try await withTimeout("the cancelled sleeper") { await sleeper.result }
        #expect(throws: CancellationError.self) { try result.get() }
    }

    @Test func waitingForSleepersEndsWithItsTask() async throws {
        let time = ManualTimeSource()
        let waiter = Task { try await time.waitForSleepers(count: 1) }
        waiter.cancel()
        let result = try await withTimeout("the cancelled waiter") { await waiter.result }
        #expect(throws: CancellationError.self) { try result.get() }
    }

    @Test func observersHearOfAnAdvanceBeforeSleepersWake() async throws {
        let time = ManualTimeSource(uptime: 0)
        let events = Observed<[String]>([])
        time.onAdvance { [weak time] in events.update { $0.append("observer at \(time?.uptime() ?? -1)") } }
        let sleeper = Task {
            try await time.sleep(milliseconds: 5)
            events.update { $0.append("sleeper") }
        }
        try await withTimeout("the sleeper") { try await time.waitForSleepers(count: 1) }
        time.advance(milliseconds: 5)
        try await withTimeout("the sleeper's end") { try await sleeper.value }
        #expect(events.value == ["observer at 5", "sleeper"])
    }
}
