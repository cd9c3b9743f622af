import TaskLog
import Testing

@testable import TaskLogSQLite

/// The group's rules, as values.
@Suite struct GroupStateTests {
    private let counts: [String: Int32] = ["left": 5, "right": 5]

    private func member(_ id: String, at now: Int64 = 0, boot: String = "boot") -> GroupState.Member {
        GroupState.Member(
            id: id, clientID: id, topics: ["left", "right"], bootID: boot, heartbeat: now, sessionTimeout: 100,
            revokeTimeout: 20)
    }

    /// A stable group of these members, in which all have joined at 0.
    private func group(_ ids: String...) -> GroupState {
        var state = GroupState()
        for id in ids {
            state.join(member(id), now: 0)
            for holder in ids { state.release(state.owned(by: holder), by: holder) }
            state.settle(now: 0, bootID: "boot", partitionCounts: counts)
        }
        return state
    }

    @Test func rangesAreContiguousAndTheFirstTakeOneMore() {
        let shares = RangeAssignor.assign(
            subscriptions: ["c": ["left"], "a": ["left", "right"], "b": ["left"]],
            partitionCounts: ["left": 8, "right": 2])
        #expect(
            shares["a"] == [0, 1, 2].map { TopicPartition("left", $0) } + [0, 1].map { TopicPartition("right", $0) })
        #expect(shares["b"] == [3, 4, 5].map { TopicPartition("left", $0) })
        #expect(shares["c"] == [6, 7].map { TopicPartition("left", $0) })
        let spare = RangeAssignor.assign(subscriptions: ["a": ["one"], "b": ["one"]], partitionCounts: ["one": 1])
        #expect(spare == ["a": [TopicPartition("one", 0)], "b": []])
        #expect(RangeAssignor.assign(subscriptions: ["a": ["none"]], partitionCounts: [:]) == ["a": []])
    }

    @Test func aJoinWaitsForTheRelease() {
        var state = group("a")
        #expect(state.owned(by: "a").count == 10)
        state.join(member("b"), now: 10)
        state.settle(now: 10, bootID: "boot", partitionCounts: counts)
        #expect(state.phase == .revoking(deadline: 30, bootID: "boot"))
        #expect(state.generation == 1)
        state.release([TopicPartition("left", 0)], by: "a")
        state.settle(now: 11, bootID: "boot", partitionCounts: counts)
        #expect(state.phase != .stable, "the rest is still held")
        state.release(state.owned(by: "a"), by: "a")
        state.settle(now: 12, bootID: "boot", partitionCounts: counts)
        #expect(state.phase == .stable)
        #expect(state.generation == 2)
        #expect(state.owned(by: "a").count == 6)
        #expect(state.owned(by: "b").count == 4)
    }

    @Test func theDeadlineEndsTheWait() {
        var state = group("a")
        state.join(member("b"), now: 10)
        state.settle(now: 29, bootID: "boot", partitionCounts: counts)
        #expect(state.phase != .stable)
        state.settle(now: 30, bootID: "boot", partitionCounts: counts)
        #expect(state.phase == .stable)
        #expect(state.owned(by: "b").count == 4)
    }

    @Test func aReleaseOutsideARebalanceChangesNothing() {
        var state = group("a", "b")
        let before = state
        state.release(state.owned(by: "a"), by: "a")
        #expect(state == before)
    }

    @Test func theSessionEndsAfterItsTimeoutAndNotBefore() {
        var state = group("a", "b")
        state.heartbeat("a", now: 50)
        state.expire(now: 100, bootID: "boot")
        #expect(state.members.map(\.id) == ["a", "b"])
        state.expire(now: 101, bootID: "boot")
        #expect(state.members.map(\.id) == ["a"])
        #expect(state.owned(by: "b").isEmpty)
        #expect(state.phase != .stable)
    }

    @Test func anotherBootEndsAllSessionsAndItsDeadlines() {
        var state = group("a")
        state.join(member("b"), now: 10)
        state.expire(now: 0, bootID: "next")
        #expect(state.members.isEmpty)
        state.join(member("c", boot: "next"), now: 1)
        state.settle(now: 1, bootID: "next", partitionCounts: counts)
        #expect(state.phase == .stable)
        #expect(state.owned(by: "c").count == 10)
        #expect(state.generation == 2, "the epoch goes on")
    }

    @Test func aLeaverIsReplacedOnceTheOthersReleased() {
        var state = group("a", "b")
        state.leave("a", now: 5, bootID: "boot")
        state.release(state.owned(by: "b"), by: "b")
        state.settle(now: 5, bootID: "boot", partitionCounts: counts)
        #expect(state.owned(by: "b").count == 10)
        state.leave("nobody", now: 6, bootID: "boot")
        #expect(state.phase == .stable)
    }
}
