import ServiceRuntime
import TaskLog
import TaskModel
import TaskTestKit
import Testing

@testable import WorkerRole

/// Partitions move between worker services while their tasks run.
@Suite struct WorkerTakeoverTests {
    /// Killed in mid-task, it left no lease: once its session is over the successor runs the turn at once.
    @Test func theSuccessorOfADeadWorkerRunsItsTurn() async throws {
        let world = try await WorkerWorld(partitions: 1)
        let starts = Observed<[String]>([])
        let task = TaskDefinition(
            "work",
            handler: ClosureHandler { context in
                starts.update { $0.append(context.worker) }
                if context.worker.hasPrefix("w1") { try await Observed(()).wait { _ in false } }
            })
        let log = MemoryTaskLog(broker: world.broker)
        let (first, second) = (try world.worker("w1", tasks: [task], log: log), try world.worker("w2", tasks: [task]))
        let event = world.event("work", id: "1")
        try await world.fleet { fleet in
            fleet.start(first)
            try await world.broker.waitForMembers(of: world.names.workerGroup, count: 1)
            fleet.start(second)
            try await world.broker.waitForMembers(of: world.names.workerGroup, count: 2)
            try await world.publish(event)
            try await starts.wait { $0.count == 1 }
            log.crash()
            await fleet.died(first)
            world.time.advance(milliseconds: 8000)
            try await starts.wait { $0.count == 2 }
            #expect(try await world.outcome(of: event.fingerprint) == .completed)
        }
        #expect(starts.value == ["w1/n-w1", "w2/n-w2"])
        #expect(world.outcomes(of: event.fingerprint) == [.completed])
        #expect(world.leases(0) == 0)
        #expect(world.broker.committed(group: world.names.workerGroup, world.due(0))?.offset == 1)
    }

    /// Two workers join while a third runs tasks of 60 s. No task starts twice: the first worker finishes what it started
    /// under its leases and decides; who owns the partition then does what the decision asks for.
    @Test func noTaskStartsTwiceWhenTwoWorkersJoin() async throws {
        let world = try await WorkerWorld(partitions: 3)
        let starts = Observed<[String]>([])
        let gate = OneShot()
        let task = TaskDefinition(
            "slow", retry: RetryPolicy(initial: 1000, maxAttempts: 2),
            handler: ClosureHandler { context in
                starts.update { $0.append(context.worker) }
                guard await gate.wait() else { throw CancellationError() }
                throw TaskFailure.retry("not yet")
            })
        let appended = Observed<[String: [String]]>([:])
        let workers = try ["w1", "w2", "w3"].map { name in
            let log = MemoryTaskLog(broker: world.broker)
            log.faults.decideAppends { record in
                appended.update { $0[name, default: []].append(record.topic) }
                return .written
            }
            return try world.worker(name, tasks: [task], log: log)
        }
        let events = world.eventPerPartition("slow")
        let group = world.names.workerGroup
        try await world.fleet { fleet in
            fleet.start(workers[0])
            for event in events { try await world.publish(event) }
            try await starts.wait { $0.count == 3 }
            for (index, worker) in workers.enumerated().dropFirst() {
                fleet.start(worker)
                try await world.broker.waitForMembers(of: group, count: index + 1)
                try await world.broker.waitForIdleMembers(of: group)
            }
            try await world.pass(60_000, sleepers: 6)
            #expect(world.leases(1) > 4 && world.leases(2) > 4, "they were renewed")
            gate.fire()
            try await world.broker.waitForAppend(to: world.names.retry, count: 3)
        }
        #expect(starts.value == Array(repeating: "w1/n-w1", count: 3))
        for (partition, event) in events.enumerated() {
            #expect(world.outcomes(of: event.fingerprint) == [.retrying])
            #expect(world.authors(of: event.fingerprint) == ["w1/n-w1"])
            #expect(world.broker.committed(group: group, world.due(Int32(partition)))?.offset == 1)
        }
        for name in ["w1", "w2", "w3"] {
            #expect(appended.value[name]?.count { $0 == world.names.retry } == 1, "the effect is its owner's: \(name)")
        }
    }

    /// A worker that holds a lease is stopped (SIGSTOP) until long after it. The owner has started the turn when the
    /// sleeper wakes and its attempt ends: that it completed is true and counts, anything else comes too late.
    @Test(arguments: [true, false])
    func aWorkerThatWakesPastItsLease(completes: Bool) async throws {
        let world = try await WorkerWorld(partitions: 1)
        let starts = Observed<[String]>([])
        let ended = Observed<[String]>([])
        let gates = ["w0/n-w0": OneShot(), "w1/n-w1": OneShot()]
        let task = TaskDefinition(
            "slow",
            handler: ClosureHandler { context in
                defer { ended.update { $0.append(context.worker) } }
                starts.update { $0.append(context.worker) }
                guard context.worker.hasPrefix("w1") else {
                    guard await gates[context.worker]!.wait() else { throw CancellationError() }
                    return
                }
                // Deaf to its cancellation.
                await Task { _ = await gates[context.worker]!.wait() }.value
                if !completes { throw TaskFailure.retry("no luck") }
            })
        let log = MemoryTaskLog(broker: world.broker)
        let stoppedClock = ManualTimeSource()
        let holder = try world.worker("w1", tasks: [task], log: log, time: stoppedClock)
        let owner = try world.worker("w0", tasks: [task])
        let event = world.event("slow", id: "1")
        let group = world.names.workerGroup
        try await world.fleet { fleet in
            fleet.start(holder)
            try await world.publish(event)
            try await starts.wait { $0.count == 1 }
            fleet.start(owner)
            try await world.broker.waitForMembers(of: group, count: 2)
            try await world.broker.waitForIdleMembers(of: group)
            // Its clock stands, it hears nothing and shows no life.
            log.faults.holdDeliveries()
            log.vanish()
            // The end of its session moves the partition once more, so the owner counts the lease anew.
            try await world.pass(sleepers: 2) { starts.value.count == 2 }
            #expect(starts.value == ["w1/n-w1", "w0/n-w0"])
            #expect(world.time.uptime() - stoppedClock.uptime() >= 30_000, "not before the lease ended")
            stoppedClock.advance(milliseconds: 40_000)
            gates["w1/n-w1"]!.fire()
            log.returnToLife()
            log.faults.releaseDeliveries()
            try await ended.wait { $0.contains("w1/n-w1") }
            if !completes { gates["w0/n-w0"]!.fire() }
            try await ended.wait { $0.count == 2 }
            _ = try await world.outcome(of: event.fingerprint)
            // The owner's partition comes back to it, and it passes what is settled.
            try await world.pass(sleepers: 2) {
                world.broker.committed(group: group, world.due(0))?.offset == 1
            }
        }
        #expect(world.outcomes(of: event.fingerprint) == [.completed])
        #expect(world.authors(of: event.fingerprint) == [completes ? "w1/n-w1" : "w0/n-w0"])
        #expect(world.broker.records(in: world.names.retry).isEmpty)
        #expect(world.broker.records(in: world.names.dead).isEmpty)
        #expect(world.broker.committed(group: group, world.due(0))?.offset == 1)
    }
}
