import TaskLog
import TaskModel
import TaskTestKit
import Testing

@testable import TaskClient

struct AppendGroupTests {
    private let time = ManualTimeSource()
    private let log: MemoryTaskLog
    private let group: AppendGroup

    init() async throws {
        log = MemoryTaskLog(time: time)
        let topics = ["first", "second"].map { TopicSpec(name: $0, partitions: 1, cleanup: .never) }
        _ = try await log.ensure(topics: topics)
        group = AppendGroup(log: log, time: time)
    }

    private func record(_ topic: String) -> LogAppend {
        LogAppend(topic: topic, partition: 0, key: nil, value: [1])
    }

    /// Two calls are on their way until `first` is released; returns when so many more wait for them.
    private func crowd(_ tasks: inout ThrowingTaskGroup<Result<AppendReceipt, LogError>, any Error>, waiting: Int)
        async throws
    {
        log.faults.holdAcknowledgements(of: "first")
        for _ in 0..<2 { tasks.addTask { await group.append(record("first")) } }
        try await log.faults.waitForHeldAcknowledgements(count: 2)
        for _ in 0..<waiting { tasks.addTask { await group.append(record("second")) } }
        while group.waitingCount < waiting { await Task.yield() }
    }

    @Test func whatArrivesMeanwhileGoesTogether() async throws {
        try await withTimeout {
            let offsets = try await withThrowingTaskGroup(of: Result<AppendReceipt, LogError>.self) { tasks in
                try await crowd(&tasks, waiting: 5)
                #expect(log.broker.records(in: "second").isEmpty)
                log.faults.holdAcknowledgements(of: "second")
                log.faults.releaseAcknowledgements(of: "first")
                try await log.broker.waitForAppend(to: "second", count: 1)
                #expect(log.broker.records(in: "second").count == 5)
                log.faults.releaseAcknowledgements(of: "second")
                var offsets: [Int64] = []
                for try await result in tasks { offsets.append(try result.get().offset) }
                return offsets
            }
            #expect(offsets.sorted() == [0, 0, 1, 1, 2, 3, 4])
        }
    }

    @Test func everyRecordHasItsOwnResult() async throws {
        try await withTimeout {
            let results = try await withThrowingTaskGroup(of: Result<AppendReceipt, LogError>.self) { tasks in
                try await crowd(&tasks, waiting: 3)
                log.faults.nextAppends(1, to: "second", meet: .refused(LogError(.recordTooLarge, "test")))
                log.faults.releaseAcknowledgements(of: "first")
                var results: [Result<AppendReceipt, LogError>] = []
                for try await result in tasks { results.append(result) }
                return results
            }
            #expect(results.filter { $0 == .failure(LogError(.recordTooLarge, "any")) }.count == 1)
            #expect(results.filter { (try? $0.get()) != nil }.count == 4)
        }
    }

    /// A broker that is away holds up who waits for it, and nobody who comes later.
    @Test func whatIsStuckHoldsUpNobodyElse() async throws {
        try await withTimeout {
            try await withThrowingTaskGroup(of: Result<AppendReceipt, LogError>.self) { tasks in
                try await crowd(&tasks, waiting: 1)
                time.advance(milliseconds: 20)
                let late = await group.append(record("second"))
                #expect(try late.get().offset == 0)
                #expect(log.broker.records(in: "second").count == 2)
                log.faults.releaseAcknowledgements(of: "first")
            }
        }
    }
}
