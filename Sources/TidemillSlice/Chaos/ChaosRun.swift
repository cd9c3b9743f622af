import Foundation
import ServiceRuntime
import TaskClient
import TaskModel

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Faults for some minutes while a known set of events is published, then an audit of all that they left.
struct ChaosRun: Sendable {
    private let options: ChaosOptions
    private let plan: ChaosPlan
    private let time = SystemTimeSource()

    init(_ arguments: SliceArguments) throws {
        options = try ChaosOptions(arguments)
        plan = ChaosPlan(seed: options.seed)
    }

    /// Whether everything held.
    func run() async throws -> Bool {
        SliceProgram.say(
            "seed \(options.seed): \(options.minutes) min, \(options.rate) events/s, \(options.workers) workers, 2 schedulers, load \(load); "
                + "faults: \(options.faults.map(\.rawValue).joined(separator: " "))")
        // A child that ends while it is told something is no reason to end too.
        signal(SIGPIPE, SIG_IGN)
        return try await Bench.with(options.place) { bench in
            // A run that ends in an error leaves at least this, and its logs.
            try write("seed \(options.seed)\nnot ended\n")
            let roster = Roster(fleet: bench.fleet)
            for number in 1...2 { try await roster.hire(.scheduler, "scheduler\(number)") }
            for number in 1...options.workers { try await roster.hire(.worker, "worker\(number)") }
            let schedules = ScheduleSet(client: bench.client, specs: try plan.schedules())
            try await schedules.create()
            let log = FaultLog(path: options.place.folder + "/faults.txt")
            let observer = Observer(bench: bench, roster: roster, log: log)
            let result = try await withThrowingTaskGroup(of: ChaosResult?.self) { group in
                group.addTask {
                    try await observer.run()
                    return nil
                }
                group.addTask { try await faultsThenRest(bench, roster, log, schedules) }
                defer { group.cancelAll() }
                while let result = try await group.next() {
                    if let result { return result }
                }
                throw SliceFailure("the run was cancelled")
            }
            return try await conclude(bench, result, roster, observer, log)
        }
    }

    /// Publishes and injects side by side; then waits for what is still under way.
    private func faultsThenRest(
        _ bench: Bench, _ roster: Roster, _ log: FaultLog, _ schedules: ScheduleSet
    ) async throws -> ChaosResult {
        let publisher = SteadyPublisher(plan: plan, client: bench.client, rate: options.rate)
        let injector = Injector(options: options, fleet: bench.fleet, roster: roster, log: log)
        let end = time.uptime() + Int64(options.minutes) * 60_000
        async let published: Void = publisher.run(until: end)
        try await injector.run(until: end)
        try await published
        let accepted = await publisher.accepted
        SliceProgram.say(
            "faults are over: \(await log.faults.count), \(accepted.count) events accepted; waiting for the rest")
        var result = ChaosResult(
            accepted: accepted, doomed: await publisher.doomed, plannedStarts: await publisher.plannedStarts,
            repeats: await publisher.repeats)
        result.complaints += await schedules.finish(bench.watch)
        result.schedules = schedules.ranges
        result.complaints += await Settling(watch: bench.watch).wait(for: result.allAccepted)
        return result
    }

    private func conclude(
        _ bench: Bench, _ result: ChaosResult, _ roster: Roster, _ observer: Observer, _ log: FaultLog
    ) async throws -> Bool {
        let stillRunning = await roster.running
        var badEnds = await bench.fleet.stopAll() + bench.watch.read(\.unexpectedEnds)
        let faults = await log.faults
        badEnds += FaultTimeline(faults).unexplainedGiveUps.map(\.line)
        var input = try await RunReading(place: options.place, installation: bench.installation).auditInput(
            accepted: result.allAccepted, interventions: [:], watch: bench.watch)
        input.faults = faults
        input.schedules = result.schedules
        input.plannedStarts = result.plannedStarts
        input.retryPolicy = WorkHandler.retryPolicy
        input.endReadAt = bench.watch.read(\.endReadAt)
        let report = Auditor.audit(input)
        let census = await observer.census
        let checks = ChaosChecks(
            options: options, result: result, report: report, letters: bench.watch.read(\.letters), faults: faults,
            pulse: await observer.pulse, badEnds: badEnds.count,
            processes: census.notes(.worker, name: "worker", stillRunning: stillRunning)
                + census.notes(.scheduler, name: "scheduler", stillRunning: stillRunning)
        ).all
        for text in badEnds { SliceProgram.say("ended badly: \(text)") }
        for text in result.complaints { SliceProgram.say("FAIL: \(text)") }
        let text = CheckTable.render("After \(faults.count) faults, seed \(options.seed), load \(load)", checks)
        SliceProgram.say("\n" + text + report.details)
        try write("seed \(options.seed)\n" + text + report.details + result.complaints.joined(separator: "\n"))
        let failures = checks.count { !$0.isOK } + result.complaints.count
        let pulse = await observer.pulse
        let recovery = faults.compactMap(pulse.recovery)
        let times = [0.5, 1].map { Pulse.quantile($0, of: recovery).map(String.init) ?? "-" }.joined(separator: "/")
        SliceProgram.say(
            "chaos: seed \(options.seed), \(faults.count) faults, \(report.accepted) events, recovery p50/max "
                + "\(times) ms, \(failures) checks failed")
        return failures == 0
    }

    private func write(_ report: String) throws {
        try report.write(toFile: options.place.folder + "/report.txt", atomically: true, encoding: .utf8)
    }

    private var load: String {
        var loads = [0.0]
        getloadavg(&loads, 1)
        return String(format: "%.1f on %d cores", loads[0], ProcessInfo.processInfo.activeProcessorCount)
    }
}

/// What a run published, and what it noticed on the way.
struct ChaosResult: Sendable {
    var accepted: Set<Fingerprint>
    /// Those of them that must end as dead letters.
    var doomed: Set<Fingerprint>
    var plannedStarts: [Fingerprint: Timestamp]
    var repeats: Int
    var schedules: [ScheduleRange] = []
    /// What went wrong before the audit.
    var complaints: [String] = []

    /// With the fires that the schedules owe.
    var allAccepted: Set<Fingerprint> { schedules.reduce(into: accepted) { $0.formUnion($1.fingerprints) } }
}
