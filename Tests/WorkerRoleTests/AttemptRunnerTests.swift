import ServiceRuntime
import TaskLog
import TaskModel
import TaskTelemetry
import TaskTestKit
import Testing

@testable import WorkerRole

/// Handlers run side by side, each cancelled by itself, however few tasks carry them.
@Suite struct AttemptRunnerTests {
    private let ended = Observed(0)

    private func runner(_ body: @escaping @Sendable (TaskContext) async throws -> Void) -> AttemptRunner {
        AttemptRunner(
            definitions: ["work": TaskDefinition("work", handler: ClosureHandler(body))], identity: "w/n1",
            logger: Logger(), time: ManualTimeSource()
        ) { [ended] in ended.update { $0 += 1 } }
    }

    private func start(_ id: AttemptID) -> AttemptStart {
        let body = Story.event("\(id)").encoded()
        let record = LogRecord(
            topic: Story.due.topic, partition: 0, offset: Int64(id), timestamp: .epoch, key: body.key,
            value: body.value, headers: body.headers)
        return AttemptStart(
            id: id, facts: TurnFacts(record), queue: "default",
            fencingToken: FencingToken(partition: 0, epoch: 1, turn: 1), deadline: .distantFuture)
    }

    /// Waits until this many attempts ended, and returns them by id.
    private func ends(_ runner: AttemptRunner, _ count: Int) async throws -> [AttemptID: AttemptResult] {
        var ends: [AttemptID: AttemptResult] = [:]
        var heard = 0
        while ends.count < count {
            let known = heard
            heard = try await ended.wait { $0 > known }
            for attempt in runner.takeEnded() { ends[attempt.end.id] = attempt.end.result }
        }
        return ends
    }

    @Test func everyStartGetsItsTurnWhileOthersBlock() async throws {
        let all = OneShot()
        let begun = Observed(0)
        let runner = self.runner { _ in
            begun.update { $0 += 1 }
            await all.wait()
        }
        runner.start((1...8).map { start($0) })
        runner.start((9...16).map { start($0) })
        _ = try await begun.wait { $0 == 16 }
        all.fire()
        let ends = try await self.ends(runner, 16)
        #expect(ends.count == 16 && ends.values.allSatisfy { $0 == .completed })
    }

    @Test func cancelsOneAndNoOther() async throws {
        let others = OneShot()
        let begun = Observed<Set<String>>([])
        let runner = self.runner { context in
            begun.update { _ = $0.insert(context.event.id) }
            let never = OneShot()
            if context.event.id == "1" { await never.wait() } else { await others.wait() }
            try Task.checkCancellation()
        }
        runner.start([start(1), start(2)])
        _ = try await begun.wait { $0.count == 2 }
        runner.cancel(1)
        let first = try await self.ends(runner, 1)
        #expect(first == [1: .failed(code: "cancelled", message: "the attempt was cancelled")])
        // Whoever carried the cancelled one carries nothing else.
        runner.start([start(3), start(4)])
        _ = try await begun.wait { $0.count == 4 }
        others.fire()
        let rest = try await self.ends(runner, 3)
        #expect(rest == [2: .completed, 3: .completed, 4: .completed])
    }

    @Test func aCancelBeforeTheBeginningIsNotLost() async throws {
        let runner = self.runner { _ in await OneShot().wait() }
        // Before any runner can have come, or while it runs: both ends are the same.
        runner.start([start(1)])
        runner.cancel(1)
        let ends = try await self.ends(runner, 1)
        #expect(ends == [1: .completed])
    }

    /// Runners come and go, their numbers are given again: a cancel ends the attempt that it names, whoever runs it.
    @Test func cancelsTheRightOneOfManyGenerations() async throws {
        let begun = Observed<Set<String>>([])
        let runner = self.runner { context in
            begun.update { _ = $0.insert(context.event.id) }
            await OneShot().wait()
            try Task.checkCancellation()
        }
        var running: Set<AttemptID> = []
        var over: [AttemptID] = []
        var freeSeats: [AttemptID] = [4, 3, 2, 1, 0]
        for step in AttemptID(1)...60 {
            let id = step << 20 | freeSeats.removeLast()
            runner.start([start(id)])
            running.insert(id)
            _ = try await begun.wait { $0.count == Int(step) }
            // Nobody is meant any more, not whoever has the seat now, or the runner's number.
            for id in over { runner.cancel(id) }
            guard freeSeats.isEmpty, let named = step.isMultiple(of: 2) ? running.min() : running.max() else {
                continue
            }
            runner.cancel(named)
            #expect(try await self.ends(runner, 1).keys.sorted() == [named])
            running.remove(named)
            over.append(named)
            freeSeats.append(AttemptID(AttemptTable.seat(of: named)))
        }
        #expect(runner.takeEnded().isEmpty)
        await runner.finishAll()
        #expect(try await self.ends(runner, running.count).count == running.count)
    }

    @Test func leavesNothingBehind() async throws {
        let begun = Observed(0)
        let gone = Observed(0)
        let runner = self.runner { _ in
            begun.update { $0 += 1 }
            await OneShot().wait()
            gone.update { $0 += 1 }
        }
        runner.start([start(1), start(2), start(3)])
        _ = try await begun.wait { $0 == 3 }
        await runner.finishAll()
        #expect(try await gone.wait { $0 == 3 } == 3)
    }
}
