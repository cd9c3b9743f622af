import TaskLog
import TaskModel
import TaskTelemetry
import TaskTestKit
import Testing

@testable import WorkerRole

@Suite struct PartitionRestorerTests {
    /// Appends a record as its last deed before it leaves a partition.
    private final class OldFollower: LogFollower {
        let log: MemoryTaskLog
        let calls = Observed<[String]>([])

        init(_ log: MemoryTaskLog) { self.log = log }

        func next() async throws -> [LogRecord]? { nil }
        func add(_ positions: [TopicPartition: Int64]) async throws {
            for position in positions.values { calls.update { $0.append("add at \(position)") } }
        }
        func remove(_ partitions: [TopicPartition]) async {
            calls.update { $0.append("remove") }
            for partition in partitions {
                _ = await log.append([
                    LogAppend(topic: partition.topic, partition: partition.partition, key: [], value: [])
                ])
            }
        }
        func skip(to positions: [TopicPartition: Int64]) {}
        func close() async {}
    }

    /// A record that the follower of before still brings lies before the end of the scan, always.
    @Test(arguments: [nil, 0] as [Int64?])
    func theOldFollowerLeavesBeforeTheEndIsAskedFor(known: Int64?) async throws {
        let world = try await WorkerWorld(partitions: 1)
        let log = MemoryTaskLog(broker: world.broker)
        let ledger = TopicPartition(world.names.ledger("default"), 0)
        let follower = OldFollower(log)
        let ends = Observed<[Int64]>([])
        let restorer = PartitionRestorer(
            log: log, group: "g", startPosition: nil, time: world.time, logger: .init(),
            isCurrent: { true },
            deliver: { wake in
                if case .restored(_, _, let position) = wake { ends.update { $0.append(position.ledgerEnd) } }
                return true
            })
        await restorer.restore(world.due(0), ledger: ledger, epoch: 1, ledgerFrom: known, follower)
        #expect(ends.value == [known == nil ? 0 : 1])
        #expect(follower.calls.value == (known == nil ? ["add at 0"] : ["remove", "add at 1"]))
    }
}
