import Foundation
import TaskModel
import TidemillHarness

/// One thing that goes wrong in production, done to real processes.
struct Fault: Sendable {
    /// Short, for `--only`.
    var letter: String
    var title: String
    /// Milliseconds.
    var lease: Int64 = 30_000
    /// Handlers at once in one process.
    var concurrency = 4
    var run: @Sendable (Bench) async throws -> [Check]
}

/// All of them, each on topics of its own.
enum FaultSuite {
    static let faults: [Fault] = [
        .killInMidTask, .terminateWithRunningTasks, .workersJoinDuringLongTasks, .sleeperWakesAfterItsLease,
        .eventThatKillsItsProcess, .twoReplaysAtOnce, .schedulerKilledWhileEventsWait, .workersKilledInBusyLanes,
    ]

    /// Whether everything held.
    static func run(_ arguments: SliceArguments) async throws -> Bool {
        let folder = try arguments.text("folder")
        let engine = try arguments.engine()
        var failed: [String] = []
        let chosen = faults.filter { fault in arguments.only.map { $0.contains(fault.letter) } ?? true }
        guard !chosen.isEmpty else { throw SliceArguments.Problem(text: "--only names no fault") }
        for fault in chosen {
            var place = RunPlace(folder: "\(folder)/\(fault.letter)", engine: engine, prefix: "fault-\(fault.letter).")
            place.lease = fault.lease
            place.concurrency = fault.concurrency
            let title = "(\(fault.letter)) \(fault.title)"
            do {
                let checks = try await Bench.with(place, fault.run)
                SliceProgram.say(CheckTable.render(title, checks))
                if !checks.allSatisfy(\.isOK) { failed.append(fault.letter) }
            } catch {
                SliceProgram.say("\(title)\n  FAIL: \(error)\n")
                failed.append(fault.letter)
            }
        }
        let letters = chosen.map(\.letter).joined(separator: ", ")
        SliceProgram.say(failed.isEmpty ? "faults \(letters): ok" : "FAIL: \(failed.joined(separator: ", "))")
        return failed.isEmpty
    }
}

extension Bench {
    /// Ends what still runs in good order and audits; what every fault must leave behind comes last.
    func conclude(_ accepted: Set<Fingerprint>, _ checks: (AuditReport) -> [Check]) async throws -> [Check] {
        try await conclude(accepted) { _, report in checks(report) }
    }

    func conclude(
        _ accepted: Set<Fingerprint>, _ checks: (AuditInput, AuditReport) -> [Check]
    ) async throws -> [Check] {
        await waitForRetryToDrain()
        let badEnds = await fleet.stopAll()
        let unexpected = watch.read(\.unexpectedEnds)
        let input = try await auditInput(accepted)
        let report = Auditor.audit(input)
        for text in badEnds + unexpected { SliceProgram.say("ended badly: \(text)") }
        let ends = Check("processes that ended badly", badEnds.count + unexpected.count, equals: 0)
        let all = checks(input, report) + report.invariants + [ends]
        if !all.allSatisfy(\.isOK) { SliceProgram.say(report.details) }
        return all
    }

    func publish(_ works: [Work]) async throws -> Set<Fingerprint> { try await publish(works.map { try $0.request() }) }

    /// Waits until `count` handlers have started in this process.
    func waitForStarts(_ count: Int, in child: ChildProcess) async throws {
        let processID = child.processID
        try await watch.wait(for: "\(count) starts in \(child.name)") { state in
            state.lines.count { $0.mark == .begin && $0.processID == processID } >= count
        }
    }
}
