import Foundation
import TaskClient
import TaskModel
import TidemillHarness

/// The acceptance run: many events, processes killed and stopped on the way, an audit, the fix, the replay.
struct SliceRun: Sendable {
    private let place: RunPlace
    private let plan: WorkPlan
    private let workers: Int

    init(_ arguments: SliceArguments) throws {
        let count = try arguments.number("events", standard: 10_000, in: 100...1_000_000)
        plan = WorkPlan(seed: try arguments.seed(), count: count)
        workers = try arguments.number("workers", standard: 3, in: 2...20)
        place = RunPlace(
            folder: try arguments.text("folder"), engine: try arguments.engine(), prefix: "slice\(plan.seed).")
    }

    /// Whether everything held.
    func run() async throws -> Bool {
        SliceProgram.say(
            "\(plan.count) events, seed \(plan.seed), \(workers) workers and 2 schedulers, in \(place.folder)")
        return try await Bench.with(place) { bench in
            let processes = try await start(bench)
            async let interruptions: Void = interrupt(processes, bench)
            let accepted = try await publish(bench)
            SliceProgram.say("published: \(accepted.count) accepted")
            try await interruptions
            try await bench.watch.waitForEnds(accepted.count)
            await bench.waitForRetryToDrain()
            let report = try await bench.audit(accepted)
            let first = firstChecks(report)
            SliceProgram.say("\n" + CheckTable.render("After \(plan.count) events", first) + report.details)
            let second = try await replay(bench, accepted)
            SliceProgram.say("\n" + CheckTable.render("After the fix and the replay of all dead letters", second))
            return (first + second).allSatisfy(\.isOK)
        }
    }

    private struct Processes: Sendable {
        var workers: [ChildProcess]
        var schedulers: [ChildProcess]
    }

    private func start(_ bench: Bench) async throws -> Processes {
        var processes = Processes(workers: [], schedulers: [])
        for number in 1...2 {
            processes.schedulers.append(try await bench.fleet.start(.scheduler, "scheduler\(number)"))
        }
        for number in 1...workers { processes.workers.append(try await bench.fleet.start(.worker, "worker\(number)")) }
        return processes
    }

    private func publish(_ bench: Bench) async throws -> Set<Fingerprint> {
        var accepted: Set<Fingerprint> = []
        for chunk in stride(from: 0, to: plan.count, by: 500) {
            let requests = try (chunk..<min(chunk + 500, plan.count)).map {
                try plan.work($0).request(start: plan.start($0))
            }
            accepted.formUnion(try await bench.publish(requests))
        }
        return accepted
    }

    /// At shares of the work done: kills a worker, stops one, kills a scheduler; each is started again.
    private func interrupt(_ processes: Processes, _ bench: Bench) async throws {
        let fleet = bench.fleet
        try await waitForShare(0.2, bench)
        let victim = processes.workers[0]
        try await waitUntilBusy(victim, bench)
        try await fleet.kill(victim)
        SliceProgram.say("SIGKILL for worker1 after \(bench.watch.read(\.ended)) events; started again")
        try await fleet.start(.worker, "worker1")
        try await waitForShare(0.4, bench)
        let leaver = processes.workers[1]
        try await waitUntilBusy(leaver, bench)
        try await fleet.terminate(leaver)
        SliceProgram.say(
            "SIGTERM for worker2 after \(bench.watch.read(\.ended)) events: it ended with 0; started again")
        try await fleet.start(.worker, "worker2")
        try await waitForShare(0.6, bench)
        try await fleet.kill(processes.schedulers[0])
        SliceProgram.say("SIGKILL for scheduler1 after \(bench.watch.read(\.ended)) events; started again")
        try await fleet.start(.scheduler, "scheduler1")
    }

    private func waitForShare(_ share: Double, _ bench: Bench) async throws {
        try await bench.watch.waitForEnds(Int(Double(plan.count) * share))
    }

    /// The next handler that it starts: what follows at once finds it running.
    private func waitUntilBusy(_ child: ChildProcess, _ bench: Bench) async throws {
        let seen = bench.watch.read(\.lines.count)
        let processID = child.processID
        try await bench.watch.wait(for: "a handler to start in \(child.name)") { state in
            state.lines.count > seen && state.lines.last.map { $0.mark == .begin && $0.processID == processID } ?? false
        }
    }

    private func firstChecks(_ report: AuditReport) -> [Check] {
        let dead = plan.expected(.failsAlways)
        return [
            Check("accepted", report.accepted, equals: plan.count),
            Check("completed", report.completed, equals: plan.count - dead),
            Check("dead (those that always fail)", report.dead, equals: dead),
            Check(note: "failed once and then completed", plan.expected(.failsOnce)),
            Check(note: "published with a delay", plan.expectedDelayed),
        ] + report.invariants
    }

    /// The bug is fixed, all dead letters are sent back: all complete, none is open, and a second replay finds nothing.
    private func replay(_ bench: Bench, _ accepted: Set<Fingerprint>) async throws -> [Check] {
        guard FileManager.default.createFile(atPath: place.fixMark, contents: nil) else {
            throw SliceFailure("\(place.fixMark) cannot be written")
        }
        let order = DeadLetterOrder(author: "slice", reason: "the task is fixed")
        let everything = DeadLetterSelection.matching(DeadLetterFilter())
        let replayed = try await bench.client.replay(everything, order: order)
        try await bench.watch.waitForEnds(replayed.done, replay: 1)
        await bench.waitForRetryToDrain()
        let open = try await bench.client.deadLetters().matching
        let again = try await bench.client.replay(everything, order: order)
        let badEnds = await bench.fleet.stopAll()
        let unexpected = bench.watch.read(\.unexpectedEnds)
        let report = try await bench.audit(accepted)
        for text in badEnds + unexpected { SliceProgram.say("ended badly: \(text)") }
        let dead = plan.expected(.failsAlways)
        SliceProgram.say(report.details)
        return [
            Check("dead letters replayed", replayed.done, equals: dead),
            Check("refused", replayed.refused, equals: 0),
            Check("completed, replays included", report.completed, equals: plan.count),
            Check("open dead letters", open, equals: 0),
            Check("replayed by a second replay", again.done, equals: 0),
            Check("processes that ended badly", badEnds.count + unexpected.count, equals: 0),
        ] + report.invariants
    }
}
