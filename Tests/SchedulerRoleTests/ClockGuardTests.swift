import TaskModel
import Testing

@testable import SchedulerRole

struct ClockGuardTests {
    private func reading(_ wall: Int64, _ uptime: Int64) -> ClockReading {
        ClockReading(wall: Timestamp(milliseconds: wall), uptime: uptime)
    }

    @Test func knowsNothingBeforeAnAcknowledgement() {
        #expect(ClockGuard(maximumLead: 5000).judge(reading(0, 0)) == .unknown)
    }

    @Test(
        arguments: [
            (100_000, ClockGuard.Verdict.agrees), (105_000, .agrees), (105_001, .ahead(milliseconds: 5001)),
        ] as [(Int64, ClockGuard.Verdict)])
    func comparesWithTheTimeOfSending(wall: Int64, verdict: ClockGuard.Verdict) {
        var clock = ClockGuard(maximumLead: 5000)
        clock.acknowledged(Timestamp(milliseconds: 100_000), sent: reading(wall, 50))
        #expect(clock.judge(reading(wall, 50)) == verdict)
    }

    /// The acknowledgement came a minute late; the stamp is from the end of that minute.
    @Test func aSlowBrokerIsNoWrongClock() {
        var clock = ClockGuard(maximumLead: 5000)
        clock.acknowledged(Timestamp(milliseconds: 160_000), sent: reading(100_000, 0))
        #expect(clock.judge(reading(160_000, 60_000)) == .agrees)
    }

    @Test func seesAStepWithoutAnAcknowledgement() {
        var clock = ClockGuard(maximumLead: 5000)
        clock.acknowledged(Timestamp(milliseconds: 100_000), sent: reading(100_000, 0))
        #expect(clock.judge(reading(3_700_000, 0)) == .ahead(milliseconds: 3_600_000))
        #expect(clock.judge(reading(160_000, 60_000)) == .agrees)
        #expect(clock.judge(reading(0, 60_000)) == .agrees)
    }
}
