import ServiceRuntime
import TaskLog
import TaskModel
import TaskTelemetry
import TaskTestKit
import Testing

@testable import WorkerRole

@Suite struct LedgerDeskTests {
    /// Begins only when the test lets it.
    private final class SlowFollower: LogFollower {
        let calls = Observed<[String]>([])
        let mayBegin = OneShot()

        func next() async throws -> [LogRecord]? { nil }
        func add(_ positions: [TopicPartition: Int64]) async throws {
            calls.update { $0.append("asked") }
            await mayBegin.wait()
            for position in positions.values { calls.update { $0.append("follows from \(position)") } }
        }
        func remove(_ partitions: [TopicPartition]) async { calls.update { $0.append("leaves") } }
        func skip(to positions: [TopicPartition: Int64]) {}
        func close() async {}
    }

    private final class UnreachableFollower: LogFollower {
        let calls = Observed(0)

        func next() async throws -> [LogRecord]? { nil }
        func add(_ positions: [TopicPartition: Int64]) async throws {
            calls.update { $0 += 1 }
            throw LogError(.unavailable, "nobody answers")
        }
        func remove(_ partitions: [TopicPartition]) async {}
        func skip(to positions: [TopicPartition: Int64]) {}
        func close() async {}
    }

    private let ledger = TopicPartition("tidemill.ledger.default", 0)

    /// Else it would bring records of after the end of the scan while that is under way, and go on behind them.
    @Test func aLateFollowerLeavesBeforeTheScan() async throws {
        let follower = SlowFollower()
        let desk = LedgerDesk(follower: follower, time: ManualTimeSource(), logger: .init())
        let (follows, leaves, scans) = (desk.turn(of: ledger), desk.turn(of: ledger), desk.turn(of: ledger))
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask { await scans.take { follower.calls.update { $0.append("scans") } } }
            group.addTask { await leaves.unfollow() }
            // Its time has passed before it is asked at all, or while it is: either way nothing overtakes it.
            group.addTask { await follows.follow(from: 7) }
            group.addTask { follower.mayBegin.fire() }
        }
        #expect(follower.calls.value.suffix(2) == ["leaves", "scans"])
    }

    @Test func nothingOvertakesAFollowerThatBegins() async throws {
        let follower = SlowFollower()
        let desk = LedgerDesk(follower: follower, time: ManualTimeSource(), logger: .init())
        let follows = desk.turn(of: ledger)
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask { await follows.follow(from: 7) }
            _ = try await follower.calls.wait { $0 == ["asked"] }
            let (leaves, scans) = (desk.turn(of: ledger), desk.turn(of: ledger))
            group.addTask { await scans.take { follower.calls.update { $0.append("scans") } } }
            group.addTask { await leaves.unfollow() }
            group.addTask { follower.mayBegin.fire() }
        }
        #expect(follower.calls.value == ["asked", "follows from 7", "leaves", "scans"])
    }

    /// Another ledger's log that does not answer is nobody else's matter.
    @Test func ledgersDoNotWaitForEachOther() async throws {
        let follower = SlowFollower()
        let desk = LedgerDesk(follower: follower, time: ManualTimeSource(), logger: .init())
        let follows = desk.turn(of: ledger)
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask { await follows.follow(from: 7) }
            _ = try await follower.calls.wait { $0 == ["asked"] }
            await desk.turn(of: TopicPartition(ledger.topic, 1)).unfollow()
            follower.mayBegin.fire()
        }
        #expect(follower.calls.value == ["asked", "leaves", "follows from 7"])
    }

    @Test func anUnreachableLogIsAskedUntilSomethingElseIsWanted() async throws {
        let follower = UnreachableFollower()
        let time = ManualTimeSource()
        let desk = LedgerDesk(follower: follower, time: time, logger: .init())
        let follows = desk.turn(of: ledger)
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask { await follows.follow(from: 7) }
            try await time.waitForSleepers(count: 1)
            time.advance(milliseconds: 100)
            _ = try await follower.calls.wait { $0 == 2 }
            try await time.waitForSleepers(count: 1)
            let leaves = desk.turn(of: ledger)
            time.advance(milliseconds: 200)
            await leaves.unfollow()
        }
        #expect(follower.calls.value == 2)
    }
}
