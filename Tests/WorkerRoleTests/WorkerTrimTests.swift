import ServiceRuntime
import TaskLog
import TaskModel
import TaskTestKit
import Testing

@testable import WorkerRole

/// `due` loses old records: by its owner's hand, or by somebody else's.
@Suite struct WorkerTrimTests {
    private static let day: Int64 = 86_400_000

    /// Settled records older than the retention go; an unsettled one stays with all that lies behind it.
    @Test func theOwnerDeletesWhatIsSettledAndOld() async throws {
        let world = try await WorkerWorld(partitions: 1)
        let gate = OneShot()
        let tasks = ["quick", "slow"].map { name in
            TaskDefinition(
                name, timeout: 365 * Self.day, handler: ClosureHandler { _ in if name == "slow" { await gate.wait() } })
        }
        let worker = try world.worker(tasks: tasks)
        try await world.running(worker) {
            try await world.publish(world.event("quick", id: "old"))
            try await world.publish(world.event("slow", id: "unsettled"))
            try await world.publish(world.event("quick", id: "settled, behind it"))
            try await world.broker.waitForAppend(to: world.names.ledger("default"), count: 2)
            world.time.advance(milliseconds: 8 * Self.day)
            try await world.publish(world.event("quick", id: "fresh"))
            try await world.broker.waitForAppend(to: world.names.ledger("default"), count: 3)
            // The watermark's own time is old, so nothing is past the retention yet.
            try await world.pass(3_600_000, sleepers: 2)
            #expect(world.broker.records(of: world.due(0)).count == 4)
            gate.fire()
            try await world.broker.waitForAppend(to: world.names.ledger("default"), count: 4)
            try await world.publish(world.event("quick", id: "newest"))
            try await world.broker.waitForAppend(to: world.names.ledger("default"), count: 5)
            try await world.pass(3_600_000, sleepers: 2)
            try await world.broker.waitForTrim(world.due(0), below: 3)
        }
        #expect(world.broker.records(of: world.due(0)).map(\.offset) == [3, 4])
    }

    /// The log starts past the committed watermark: the worker starts there, and what the commit says of the offsets
    /// above still holds.
    @Test func aLogThatWasTrimmedPastTheCommit() async throws {
        let world = try await WorkerWorld(partitions: 1)
        let log = MemoryTaskLog(broker: world.broker)
        for id in 0..<12 { try await world.publish(world.event("work", id: "\(id)")) }
        let metadata = CommitMetadata(highMark: 10, holes: [3, 7], isClean: true).encoded(offset: 3)
        let member = try await log.join(
            GroupOptions(group: world.names.workerGroup, topics: [world.names.due("default")], clientID: "before"))
        guard case .assigned? = try await member.next() else {
            Issue.record("no assignment")
            return
        }
        try await member.commit([world.due(0): CommittedOffset(offset: 3, metadata: metadata)])
        await member.leave()
        try await log.trim(world.due(0), before: 5)
        let ran = Observed<Set<String>>([])
        let reports = Observed<[WorkerReport]>([])
        let worker = try world.worker(
            tasks: [
                TaskDefinition(
                    "work", handler: ClosureHandler { context in ran.update { _ = $0.insert(context.event.id) } })
            ],
            onReport: { report in reports.update { $0.append(report) } })
        try await world.running(worker) {
            try await world.broker.waitForAppend(to: world.names.ledger("default"), count: 3)
        }
        #expect(ran.value == ["7", "10", "11"])
        #expect(reports.value.contains(.deleted(world.due(0), from: 3, to: 5)))
        #expect(world.broker.committed(group: world.names.workerGroup, world.due(0))?.offset == 12)
    }
}
