import SchedulerRole
import TaskLog
import TaskModel
import Testing

/// An hour passes at once for a scheduler that runs: the machine slept. Timers count the sleep, so it wakes as soon as the
/// machine does.
struct ScheduleSleepTests {
    /// Minutes past noon that fire, and how many nominal times each stands for.
    private static func fires(_ rule: CatchUp) -> [[Int64]] {
        switch rule {
        case .skip: [[60, 1]]
        case .latest: [[60, 60]]
        case .earliest: [[1, 60]]
        case .all: (1...60).map { [$0, 1] }
        }
    }

    @Test(arguments: CatchUp.allCases)
    func followsTheCatchUpRule(_ rule: CatchUp) async throws {
        let noon = Timestamp(rfc3339: "2026-11-21T12:00:00Z")!
        let harness = try await SchedulerHarness()
        try await harness.withScheduler { scheduler in
            try await scheduler.restored()
            try await harness.send(put(everyMinute { $0.catchUp = rule }, id: "c1"))
            try await scheduler.answered("c1")
            try await scheduler.armed(inMilliseconds: 30_000)
            harness.time.advance(milliseconds: 3_600_000)
            try await scheduler.wait { $0 == .advanced(scheduleID: "s", cursor: noon + 3_600_000) }
            try await scheduler.armed(inMilliseconds: 30_000)
        }
        let fires = try await harness.due().map { event in
            [((event.nominalTime ?? .epoch) - noon) / 60_000, Int64(event.standsFor)]
        }
        #expect(fires == Self.fires(rule))
        let dropped = try await harness.journal("s").filter { $0.kind == .skipped }.map(\.count)
        #expect(dropped == (rule == .skip ? [59] : []))
    }
}
