import ServiceRuntime
import TaskLog
import TaskModel
import TaskTestKit
import Testing

@testable import WorkerRole

/// The log is away for a while under a worker that runs.
@Suite struct WorkerOutageTests {
    /// For 30 s every append, fetch and commit fails. Decisions that were ready are appended once the log is back, what
    /// was published meanwhile runs then: nothing is lost, nothing runs twice, and the worker lives on.
    @Test func anOutageLosesAndRepeatsNothing() async throws {
        let world = try await WorkerWorld()
        let starts = Observed<[String: Int]>([:])
        let gate = OneShot()
        let tasks = ["work", "fail"].map { name in
            TaskDefinition(
                name, retry: RetryPolicy(initial: 1000, maxAttempts: 3),
                handler: ClosureHandler { context in
                    starts.update { $0[context.idempotencyKey, default: 0] += 1 }
                    guard await gate.wait() else { throw CancellationError() }
                    if name == "fail" { throw TaskFailure.retry("no luck") }
                })
        }
        let log = MemoryTaskLog(broker: world.broker)
        let refusals = Observed(0)
        let worker = try world.worker(
            tasks: tasks, log: log,
            onReport: { report in if case .appendFailed = report { refusals.update { $0 += 1 } } })
        let working = (0..<12).map { world.event("work", id: "\($0)") }
        let failing = (12..<16).map { world.event("fail", id: "\($0)") }
        let late = (16..<30).map { world.event("work", id: "\($0)") }
        try await world.running(worker) {
            for event in working + failing { try await world.publish(event) }
            try await starts.wait { $0.count == 16 }
            log.faults.makeUnavailable()
            gate.fire()
            for event in late { try await world.publish(event) }
            try await refusals.wait { $0 > 0 }
            try await world.pass(30_000, sleepers: 2)
            #expect(refusals.value > 3, "it keeps trying")
            #expect(world.broker.records(in: world.names.ledger("default")).isEmpty)
            log.faults.makeAvailable()
            try await world.pass(30_000, sleepers: 2)
            try await starts.wait { $0.count == 30 }
            try await world.broker.waitForAppend(to: world.names.ledger("default"), count: 30)
            try await world.broker.waitForAppend(to: world.names.retry, count: 4)
        }
        #expect(Set(starts.value.values) == [1])
        for event in working + late { #expect(world.outcomes(of: event.fingerprint) == [.completed]) }
        for event in failing { #expect(world.outcomes(of: event.fingerprint) == [.retrying]) }
        #expect(world.broker.records(in: world.names.retry).count == 4)
        for partition in 0..<world.partitions {
            let end = world.broker.records(of: world.due(partition)).count
            #expect(
                world.broker.committed(group: world.names.workerGroup, world.due(partition))?.offset == Int64(end))
        }
    }
}
