import TaskLog
import Testing

@testable import TaskLogSQLite

@Suite struct FetchPlanTests {
    private let a = TopicPartition("t", 0)
    private let b = TopicPartition("t", 1)

    private func starts(_ plan: FetchPlan) -> [Int64] {
        plan.steps { $0.map { _ in 100 } }.map(\.request.start)
    }

    @Test func aSkipGoesAheadAndNeverBack() {
        var plan = FetchPlan()
        plan.set(a, id: 1, to: 3)
        plan.set(b, id: 2, to: 8)
        plan.skip(to: [a: 5, b: 7, TopicPartition("t", 2): 1])
        #expect(starts(plan) == [5, 8])
    }

    /// What it brings is read already, and the next read begins where the skip led.
    @Test func aReadThatASkipOvertookCountsForNothing() {
        var plan = FetchPlan()
        plan.set(a, id: 1, to: 0)
        let step = plan.steps { $0.map { _ in 100 } }[0]
        plan.skip(to: [a: 50])
        let record = LogRecord(topic: "t", partition: 0, offset: 0, timestamp: .epoch, key: nil, value: [])
        #expect(plan.accept([(step: step, batch: ReadBatch(records: [record], position: 1, bytes: 0))]).isEmpty)
        #expect(starts(plan) == [50])
    }
}
