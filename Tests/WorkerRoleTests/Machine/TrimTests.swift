import TaskLog
import TaskModel
import Testing

@testable import WorkerRole

/// What is settled and old leaves `due`, by its owner's hand.
@Suite struct TrimTests {
    private static let day: Int64 = 86_400_000

    /// The retention counts from the broker time at the watermark: what is unsettled stays, however old it is.
    @Test func trimsEachHourWhatIsSettledAndOld() {
        var story = Story { $0.dueRetention = 7 * Self.day }
        story.open()
        _ = story.deliver(Story.event("a"), Story.event("long"), Story.event("b"))
        for id in ["a", "b"] { _ = story.finish(id) }
        _ = story.acknowledge()
        let trims = story.pass(3_600_000).filter { $0.hasPrefix("trim") }
        #expect(trims == ["trim below 1 before 2025-12-25T00:00:00Z"])
        #expect(story.pass(3_599_999).filter { $0.hasPrefix("trim") } == [])
        #expect(story.pass(1).filter { $0.hasPrefix("trim") } == trims)
    }

    @Test func aPartitionThatWentIsNotTrimmed() {
        var story = Story()
        story.open()
        _ = story.deliver(Story.event("a"))
        _ = story.finish("a")
        _ = story.acknowledge()
        _ = story.wake(.revoking([Story.due]))
        #expect(story.pass(7_200_000).filter { $0.hasPrefix("trim") } == [])
        #expect(story.machine.nextWake == nil, "no timer without a partition")
    }

    /// Nothing was settled here, so nothing says how old the watermark is.
    @Test func aPartitionThatWasNotReadIsNotTrimmed() {
        var story = Story()
        story.open()
        #expect(story.pass(3_600_000).filter { $0.hasPrefix("trim") } == [])
    }
}
