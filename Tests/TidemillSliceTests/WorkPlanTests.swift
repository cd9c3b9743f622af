import TaskModel
import Testing

@testable import TidemillSlice

struct WorkPlanTests {
    @Test func isAFunctionOfSeedAndIndex() {
        let plan = WorkPlan(seed: 4, count: 1000)
        #expect((0..<1000).map(plan.work) == (0..<1000).map(WorkPlan(seed: 4, count: 1000).work))
        #expect((0..<1000).map(plan.work) != (0..<1000).map(WorkPlan(seed: 5, count: 1000).work))
    }

    @Test func hasAboutTheSharesThatItNames() {
        let plan = WorkPlan(seed: 1, count: 10_000)
        #expect((400...600).contains(plan.expected(.failsOnce)))
        #expect((70...130).contains(plan.expected(.failsAlways)))
        #expect((230...370).contains(plan.expectedDelayed))
    }

    @Test func anEventKeepsItsFingerprintWhenItIsPublishedAgain() throws {
        let work = Work(index: 3)
        let first = try work.request()
        let second = try work.request()
        #expect(first.id == second.id)
        #expect(first.source == second.source)
    }
}
