import Foundation
import Testing

/// Whole worlds from seeds: real state machines, simulated time, faults. See `scripts/simulate`.
@Suite struct SeededSimulation {
    private static func number(_ name: String, _ fallback: UInt64) -> UInt64 {
        ProcessInfo.processInfo.environment[name].flatMap(UInt64.init) ?? fallback
    }

    /// The violation of a seed with its last steps, or nil.
    private static func story(of seed: UInt64, _ violation: SimViolation, _ sabotage: SimSabotage) -> String {
        let again = SimWorld(seed: seed, sabotage: sabotage, isTraced: true)
        again.runAll()
        return """
            seed \(seed): \(violation.rule): \(violation.detail)
            last steps:
              \(again.traceLines.suffix(SimTrace.length).joined(separator: "\n  "))
            rerun: scripts/simulate --seeds 1 --seed \(seed)
            """
    }

    @Test func everySeedKeepsThePromises() {
        let first = Self.number("TIDEMILL_SIM_SEED", 1)
        let count = Self.number("TIDEMILL_SIM_SEEDS", 500)
        var (events, executions, faults, violations, reattached, meetings) = (0, 0, 0, 0, UInt64(0), 0)
        for seed in first..<first + count {
            let world = SimWorld(seed: seed)
            world.runAll()
            events += world.plan.events.count
            executions += world.executionCount
            faults += world.faultCount
            reattached += world.reattached
            meetings += world.laneMeetings
            guard let violation = world.violation else { continue }
            violations += 1
            if violations <= 3 {
                print(Self.story(of: seed, violation, .none))
            } else {
                print("seed \(seed): \(violation.rule): \(violation.detail)")
            }
        }
        print(
            "simulation: \(count) seeds, \(events) events, \(executions) executions, \(faults) faults, "
                + "\(violations) violations")
        #expect(violations == 0)
        // A lease that came back is rare in one world and sure in hundreds.
        if count >= 100 { #expect(reattached > 0) }
        // Two of a lane that allows two.
        if count >= 100 { #expect(meetings > 0) }
    }

    @Test func oneSeedIsOneStory() {
        let worlds = (0..<2).map { _ in SimWorld(seed: 2, isTraced: true) }
        for world in worlds { world.runAll() }
        #expect(worlds[0].traceLines == worlds[1].traceLines)
        #expect(worlds[0].steps == worlds[1].steps)
    }

    @Test(arguments: [SimSabotage.skipsRedo, .ignoresLeases])
    func aWrongWorkerIsCaught(_ sabotage: SimSabotage) throws {
        var caught: (seed: UInt64, violation: SimViolation)?
        for seed in UInt64(1)...60 where caught == nil {
            let world = SimWorld(seed: seed, sabotage: sabotage)
            world.runAll()
            caught = world.violation.map { (seed, $0) }
        }
        let found = try #require(caught)
        #expect(SimWorld(seed: found.seed).violationAfterRun == nil)
        print("simulation of a worker that \(sabotage): caught by seed \(found.seed): \(found.violation.rule)")
    }
}

extension SimWorld {
    fileprivate var violationAfterRun: SimViolation? {
        runAll()
        return violation
    }
}
