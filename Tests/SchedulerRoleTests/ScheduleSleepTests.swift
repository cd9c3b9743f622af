import SchedulerRole
import TaskLog
import TaskModel
import Testing

/// An hour passes at once for a scheduler that runs: the machine slept, or somebody set its clock, and the log's with it.
struct ScheduleSleepTests {
    enum Jump: CaseIterable {
        /// Timers count the sleep, so it wakes as soon as the machine does.
        case asleep
        /// Seen at its next look at the clock, within half a minute.
        case clockSetForward
    }

    /// Minutes past noon that fire, and how many nominal times each stands for.
    private static func fires(_ rule: CatchUp) -> [[Int64]] {
        switch rule {
        case .skip: [[60, 1]]
        case .latest: [[60, 60]]
        case .earliest: [[1, 60]]
        case .all: (1...60).map { [$0, 1] }
        }
    }

    @Test(arguments: Jump.allCases, CatchUp.allCases)
    func followsTheCatchUpRule(jump: Jump, rule: CatchUp) async throws {
        let noon = Timestamp(rfc3339: "2026-11-21T12:00:00Z")!
        let harness = try await SchedulerHarness()
        try await harness.withScheduler { scheduler in
            try await scheduler.restored()
            try await harness.send(put(everyMinute { $0.catchUp = rule }, id: "c1"))
            try await scheduler.answered("c1")
            try await scheduler.armed(inMilliseconds: 30_000)
            switch jump {
            case .asleep: harness.time.advance(milliseconds: 3_600_000)
            case .clockSetForward:
                harness.time.stepWall(by: 3_570_000)
                harness.time.advance(milliseconds: 30_000)
                // Until the log's own time is known to have moved as well.
                try await scheduler.wait { $0 == .held(leadMilliseconds: 3_570_000) }
            }
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
