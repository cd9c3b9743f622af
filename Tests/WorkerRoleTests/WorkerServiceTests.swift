import ServiceRuntime
import TaskLog
import TaskModel
import TaskTelemetry
import TaskTestKit
import Testing

@testable import WorkerRole

/// The worker service on the in-memory log: records in, records out.
@Suite struct WorkerServiceTests {
    @Test func runsAnEventAndSettlesIt() async throws {
        let world = try await WorkerWorld()
        let ran = Observed<[String]>([])
        let worker = try world.worker(tasks: [
            TaskDefinition(
                "greet", handler: ClosureHandler { context in ran.update { $0.append(context.idempotencyKey) } })
        ])
        try await world.running(worker) {
            let event = world.event("greet", id: "1")
            try await world.publish(event)
            _ = try await ran.wait { $0 == [event.fingerprint.hex] }
            let outcome = try await world.outcome(of: event.fingerprint)
            #expect(outcome == .completed)
        }
    }

    @Test func retriesThenDies() async throws {
        let world = try await WorkerWorld()
        let worker = try world.worker(tasks: [
            TaskDefinition(
                "fail", retry: RetryPolicy(initial: 10, maxAttempts: 2),
                handler: ClosureHandler { _ in throw TaskFailure.retry("no luck") })
        ])
        try await world.running(worker) {
            var event = world.event("fail", id: "1")
            try await world.publish(event)
            try await world.broker.waitForAppend(to: world.names.retry)
            let waiting = try WaitingEvent(world.broker.records(in: world.names.retry)[0])
            #expect(waiting.event.turn == 2 && waiting.event.attempt == 2)
            event = waiting.event
            try await world.publish(event)
            try await world.broker.waitForAppend(to: world.names.dead)
            let record = world.broker.records(in: world.names.dead)[0]
            guard case .letter(let letter) = try DeadTopicRecord(record) else {
                Issue.record("no letter")
                return
            }
            #expect(letter.event.history.failures.map(\.message) == ["no luck", "no luck"])
            #expect(letter.reason == .attemptsExhausted)
        }
    }
}
