import Foundation
import ServiceRuntime
import TaskModel
import TidemillHarness

extension Fault {
    /// The successor runs the turn again, once.
    static let killInMidTask = Fault(letter: "a", title: "SIGKILL of a worker in mid-task") { bench in
        let victim = try await bench.fleet.start(.worker, "victim")
        let accepted = try await bench.publish([Work(index: 0, milliseconds: 1500)])
        try await bench.waitForStarts(1, in: victim)
        try await bench.fleet.kill(victim)
        let successor = try await bench.fleet.start(.worker, "successor")
        try await bench.waitForStarts(1, in: successor)
        try await bench.watch.waitForEnds(1)
        return try await bench.conclude(accepted) { report in
            [
                Check("completed", report.completed, equals: 1), Check("handler runs", report.executions, equals: 2),
                Check("cut off by the kill", report.cutOff, equals: 1),
            ]
        }
    }

    /// A deploy repeats nothing: what runs is finished under a lease, the rest goes to the other worker.
    static let terminateWithRunningTasks = Fault(letter: "b", title: "SIGTERM with running tasks") { bench in
        let leaver = try await bench.fleet.start(.worker, "leaver")
        let accepted = try await bench.publish((0..<40).map { Work(index: $0, milliseconds: 1000) })
        try await bench.waitForStarts(bench.place.concurrency, in: leaver)
        try await bench.fleet.start(.worker, "stayer")
        try await bench.fleet.terminate(leaver)
        let finished = bench.watch.read { state in
            state.lines.count { $0.processID == leaver.processID && $0.result == .succeeded }
        }
        try await bench.watch.waitForEnds(accepted.count)
        return try await bench.conclude(accepted) { report in
            [
                Check("completed", report.completed, equals: accepted.count),
                Check("finished by the one that left", finished, atLeast: bench.place.concurrency),
                Check("repeated", report.repeated, equals: 0),
            ]
        }
    }

    /// Tasks of more than two lease lengths: rebalances move their partitions, and no turn starts twice.
    static let workersJoinDuringLongTasks = Fault(
        letter: "c", title: "two workers start while a third runs long tasks (8 s, lease 3 s)",
        lease: 3000, concurrency: 12
    ) { bench in
        let first = try await bench.fleet.start(.worker, "first")
        let accepted = try await bench.publish((0..<12).map { Work(index: $0, milliseconds: 8000) })
        try await bench.waitForStarts(12, in: first)
        try await bench.fleet.start(.worker, "second")
        try await bench.fleet.start(.worker, "third")
        try await bench.watch.waitForEnds(accepted.count)
        let leases = bench.watch.read(\.leases)
        return try await bench.conclude(accepted) { report in
            [
                Check("completed", report.completed, equals: accepted.count),
                Check("turns under a lease", Set(leases.map(\.coordinate)).count, atLeast: 1),
                Check("leases and renewals", leases.count, atLeast: 2),
                Check("started twice", report.repeated, equals: 0),
            ]
        }
    }

    /// It sleeps past its lease, others run its turns, it wakes and completes them too: nobody is harmed.
    static let sleeperWakesAfterItsLease = Fault(
        letter: "d", title: "a worker sleeps past its lease, wakes, and completes",
        lease: 3000, concurrency: 12
    ) { bench in
        let sleeper = try await bench.fleet.start(.worker, "sleeper")
        let accepted = try await bench.publish(
            (0..<12).map { Work(index: $0, fate: .stubborn, milliseconds: 8000) })
        try await bench.waitForStarts(12, in: sleeper)
        let other = try await bench.fleet.start(.worker, "other")
        try await bench.watch.wait(for: "a lease") { !$0.leases.isEmpty }
        try await bench.suspendBetweenWrites(sleeper)
        try await bench.waitForStarts(1, in: other)
        let before = bench.watch.read(\.lines.count)
        await bench.fleet.resume(sleeper)
        try await bench.watch.wait(for: "the sleeper to complete") { state in
            state.lines.dropFirst(before).contains {
                $0.processID == sleeper.processID && $0.result == .succeeded
            }
        }
        try await bench.watch.waitForEnds(accepted.count)
        let later = try await bench.publish([Work(index: 100)])
        try await bench.watch.waitForEnds(accepted.count + 1)
        return try await bench.conclude(accepted.union(later)) { report in
            [
                Check("completed", report.completed, equals: accepted.count + 1),
                Check("dead", report.dead, equals: 0),
                Check("run again while it slept", report.repeated, atLeast: 1),
                Check("runs of one turn, at most", (report.repetitions.map(\.extra).max() ?? 0) + 1, equals: 2),
            ]
        }
    }

    /// Poison: a supervisor starts the worker again and again; the event is found out, its neighbours are not blamed.
    static let eventThatKillsItsProcess = Fault(
        letter: "e", title: "one event kills its process, among 200 innocents", concurrency: 8
    ) { bench in
        let innocents = (0..<200).map { Work(index: $0, milliseconds: 20) }
        var works = innocents
        works.insert(Work(index: 1000, fate: .kills), at: 100)
        let requests = try works.map { try $0.request() }
        let accepted = try await bench.publish(requests)
        let poison = Fingerprint(.event(source: "slice", id: requests[100].id))
        let starts = try await supervise(bench, until: accepted.count)
        return try await bench.conclude(accepted) { report in
            let letters = bench.watch.read(\.letters)
            return [
                Check("completed", report.completed, equals: innocents.count),
                Check("dead: only it", letters.keys.map(\.fingerprint) == [poison] ? 1 : 0, equals: 1),
                Check("dead as worker-lost", letters.values.count { $0 == .workerLost }, equals: 1),
                Check(note: "starts of the worker", starts),
            ]
        }
    }

    /// Starts the worker again whenever it ends, until all events have ended. Returns how often it was started.
    private static func supervise(_ bench: Bench, until count: Int) async throws -> Int {
        for start in 1...12 {
            let worker = try await bench.fleet.start(.worker, "worker")
            await bench.fleet.expectLoss(of: worker)
            let ended = await withTaskGroup(of: Bool.self) { group in
                group.addTask { await bench.watch.holds(atMost: 60_000) { $0.ended >= count } }
                group.addTask {
                    _ = try? await worker.waitForEnd(milliseconds: 60_000)
                    return false
                }
                defer { group.cancelAll() }
                return await group.next() ?? false
            }
            if ended { return start }
        }
        let ended = bench.watch.read(\.ended)
        throw SliceFailure("\(ended) of \(count) events have ended after 12 starts of the worker")
    }
}

extension Bench {
    /// A process that stops inside a write of the embedded log holds up all others until it goes on, which is another
    /// fault than the one meant here.
    fileprivate func suspendBetweenWrites(_ child: ChildProcess) async throws {
        for _ in 0..<1000 {
            await fleet.suspend(child)
            guard place.writer == child.processID else { return }
            await fleet.resume(child)
            try await SystemTimeSource().sleep(milliseconds: 10)
        }
        throw SliceFailure("\(child.name) writes without a pause")
    }
}
