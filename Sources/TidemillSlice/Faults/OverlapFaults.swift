import Foundation
import ServiceRuntime
import TaskClient
import TaskModel
import TidemillHarness

extension Fault {
    /// One schedule per overlap rule, in a partition of its own, whose handlers take longer than its interval. Both workers
    /// are killed, one after the other, so that every lane changes hands with work open in it.
    static let workersKilledInBusyLanes = Fault(
        letter: "h", title: "both workers are killed in turn while schedules overlap, one per rule", concurrency: 12
    ) { bench in
        try await bench.fleet.start(.scheduler, "scheduler")
        let first = try await bench.fleet.start(.worker, "first")
        let second = try await bench.fleet.start(.worker, "second")
        let lanes = try BusyLane.all(partitions: bench.place.partitions)
        let schedules = ScheduleSet(client: bench.client, specs: lanes.map(\.spec))
        try await schedules.create()
        try await bench.waitForStarts(1, in: first)
        try await bench.waitForStarts(1, in: second)
        let kills = [try await bench.killInBusyLanes(first), try await bench.killInBusyLanes(second)]
        let complaints = await schedules.finish(bench.watch)
        let ranges = Dictionary(uniqueKeysWithValues: schedules.ranges.map { ($0.id, $0) })
        let accepted = ranges.values.reduce(into: Set<Fingerprint>()) { $0.formUnion($1.fingerprints) }
        try await bench.watch.wait(for: "all fires to end") { state in
            accepted.allSatisfy { state.ends[WorkKey($0)] != nil }
        }
        return try await bench.conclude(accepted) { input, report in
            let reports = lanes.compactMap { busy in
                ranges[busy.spec.id].map { OverlapLane(range: $0, rule: busy.spec.overlap, limit: busy.limit) }
            }.map { ($0, OverlapAudit.audit($0, input, kills: kills)) }
            for text in complaints + reports.flatMap({ $1.details($0.rule) }) { SliceProgram.say("  \(text)") }
            return [
                Check("complaints about the schedules", complaints.count, equals: 0),
                Check("lanes judged", reports.count, equals: OverlapRule.allCases.count),
                Check("cut off by the kills", report.cutOff, atLeast: 2),
            ] + reports.flatMap { lane, report in report.checks(lane) }
        }
    }
}

/// A schedule whose fires come faster than its handlers end.
private struct BusyLane: Sendable {
    var spec: ScheduleSpec

    /// Milliseconds.
    static let interval: Int64 = 500
    static let work: Int64 = 1300
    private static let instances = 2
    private static let buffered = 3

    var limit: Int? { spec.maxInstances ?? spec.maxBuffered }

    /// The rules spread over the partitions of the queue, so that each worker has some of them.
    static func all(partitions: Int) throws -> [BusyLane] {
        try OverlapRule.allCases.enumerated().map { index, rule in
            let partition = Int32(index % partitions)
            var number = 0
            var lane = try BusyLane(rule, number)
            while Murmur2.partition(of: Array(lane.spec.key.utf8), count: Int32(partitions)) != partition {
                number += 1
                lane = try BusyLane(rule, number)
            }
            return lane
        }
    }

    private init(_ rule: OverlapRule, _ number: Int) throws {
        let request = try PublishRequest(task: Work.task, json: Work(index: -1, milliseconds: Self.work))
        spec = ScheduleSpec(
            id: "\(rule.rawValue)-\(number)", task: Work.task, trigger: try .every(milliseconds: Self.interval),
            payload: request.payload, contentType: request.contentType, overlap: rule,
            maxInstances: rule == .allow ? Self.instances : nil, maxBuffered: rule == .bufferAll ? Self.buffered : nil,
            catchUp: .all, maxCount: ScheduleSpec.maximumCount)
    }
}

extension Bench {
    /// Kills it when several of its handlers run, starts it again, and returns when the work that was cut off has ended and
    /// both workers have started something since.
    fileprivate func killInBusyLanes(_ victim: ChildProcess) async throws -> FaultWindow {
        let time = SystemTimeSource()
        let processID = victim.processID
        try await watch.wait(for: "\(victim.name) to be busy") { $0.open(in: processID).count >= 2 }
        let start = time.now()
        try await fleet.kill(victim)
        let end = time.now()
        // The last lines of the victim come by a pipe, and are here by the time its successor has run.
        let successor = try await fleet.start(.worker, victim.name)
        try await waitForStarts(3, in: successor)
        let cut = watch.read { $0.open(in: processID) }
        try await watch.wait(for: "what the kill of \(victim.name) cut off to end") { state in
            cut.allSatisfy { state.ends[WorkKey($0)] != nil }
        }
        let seen = watch.read(\.lines.count)
        try await watch.wait(for: "all workers to go on") { state in
            Set(state.lines.dropFirst(seen).filter { $0.mark == .begin }.map(\.processID)).count >= 2
        }
        return FaultWindow(kind: .kill, targets: [processID], name: victim.name, start: start, end: end)
    }
}

extension LogState {
    /// What this process has begun and not ended.
    fileprivate func open(in processID: Int32) -> Set<Coordinate> {
        lines.reduce(into: []) { open, line in
            guard line.processID == processID else { return }
            if line.mark == .begin { open.insert(line.coordinate) } else { open.remove(line.coordinate) }
        }
    }
}

extension OverlapReport {
    /// What must hold of a lane, and that its rule had something to decide at all.
    fileprivate func checks(_ lane: OverlapLane) -> [Check] {
        let name = lane.rule.rawValue
        var checks = [
            Check(note: "\(name): fires = completed + skipped + cancelled", "\(fires) = \(ends)"),
            lane.rule == .terminateOther
                ? Check("  at once, at most", "\(mostAtOnce)", wanted: "≤ 2", isOK: mostAtOnce <= 2)
                : Check("  at once, at most", mostAtOnce, equals: lane.capacity),
        ]
        if let room = lane.room { checks.append(Check("  waiting, at most", mostWaiting, equals: room)) }
        checks.append(
            lane.newestWins
                ? Check("  ended by the next", cancelled, atLeast: 5) : Check("  skipped", skipped, atLeast: 5))
        checks.append(Check("  lost, doubled, beyond its rule", problems, equals: 0))
        return checks
    }

    private var ends: String { "\(completed) + \(skipped) + \(cancelled)" }

    /// The first few culprits of each kind.
    fileprivate func details(_ rule: OverlapRule) -> [String] {
        [
            ("lost", lost), ("doubled", doubled), ("crowded", crowded), ("overfull", overfull),
            ("disordered", disordered), ("wrong ends", wrongEnds),
        ].filter { !$0.1.isEmpty }.map { name, times in
            "\(rule.rawValue), \(name): \(times.prefix(5).map(\.description).joined(separator: " "))"
        }
    }
}
