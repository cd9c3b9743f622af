import TaskLog
import Testing

@testable import TaskLogSQLite

/// What a member tells its caller, given what its group looks like.
@Suite struct MemberViewTests {
    private let counts: [String: Int32] = ["topic": 2]

    private func member(_ id: String) -> GroupState.Member {
        GroupState.Member(
            id: id, clientID: id, topics: ["topic"], bootID: "boot", heartbeat: 0, sessionTimeout: 100,
            revokeTimeout: 20)
    }

    /// A group of one, and the view of its member, which has read its assignment.
    private func started() -> (GroupState, MemberView) {
        var state = GroupState()
        state.join(member("a"), now: 0)
        state.settle(now: 0, bootID: "boot", partitionCounts: counts)
        var view = MemberView(id: "a", joined: state)
        #expect(view.observe(state) == .nothing)
        #expect(describe(&view) == ["assigned topic[0] topic[1] at 1"])
        return (state, view)
    }

    private func describe(_ view: inout MemberView) -> [String] {
        var texts: [String] = []
        while let wake = view.take() {
            switch wake {
            case .assigned(let partitions, let epoch): texts.append("assigned\(list(partitions)) at \(epoch)")
            case .revoking(let partitions): texts.append("revoking\(list(partitions))")
            case .lost(let partitions): texts.append("lost\(list(partitions))")
            case .records: texts.append("records")
            }
        }
        return texts
    }

    private func list(_ partitions: [TopicPartition]) -> String { partitions.map { " \($0)" }.joined() }

    @Test func aRebalanceIsRevokedReleasedAndAssigned() {
        var (state, view) = started()
        state.join(member("b"), now: 1)
        #expect(view.observe(state) == .nothing)
        #expect(!view.mayFetch(zero))
        #expect(view.release([zero, one]) == [], "it has not been asked yet")
        #expect(describe(&view) == ["revoking topic[0] topic[1]"])
        #expect(view.release([zero]) == [zero])
        #expect(view.release([zero, one]) == [one])
        state.release([zero, one], by: "a")
        state.settle(now: 2, bootID: "boot", partitionCounts: counts)
        #expect(view.observe(state) == .nothing)
        #expect(view.observe(state) == .nothing, "what is known is not told twice")
        #expect(describe(&view) == ["assigned topic[0] at 2"])
        #expect(view.mayFetch(zero))
        #expect(!view.mayFetch(one))
        #expect(view.release([zero]) == [], "a late release does not give the new assignment away")
    }

    @Test func whatIsNotReleasedInTimeIsLost() {
        var (state, view) = started()
        state.join(member("b"), now: 1)
        _ = view.observe(state)
        #expect(describe(&view) == ["revoking topic[0] topic[1]"])
        _ = view.release([one])
        state.release([one], by: "a")
        state.settle(now: 21, bootID: "boot", partitionCounts: counts)
        #expect(view.observe(state) == .nothing)
        #expect(describe(&view) == ["lost topic[0]", "assigned topic[0] at 2"])
    }

    @Test func anAssignmentThatNobodyReadIsGivenBackQuietly() {
        var state = GroupState()
        state.join(member("a"), now: 0)
        state.settle(now: 0, bootID: "boot", partitionCounts: counts)
        var view = MemberView(id: "a", joined: state)
        _ = view.observe(state)
        state.join(member("b"), now: 1)
        #expect(view.observe(state) == .release([zero, one]))
        #expect(!view.hasNews)
        state.release([zero, one], by: "a")
        state.settle(now: 2, bootID: "boot", partitionCounts: counts)
        #expect(view.observe(state) == .nothing)
        #expect(describe(&view) == ["assigned topic[0] at 2"])
    }

    @Test func aMemberThatTheGroupDroppedLosesAllAndComesBack() {
        var (state, view) = started()
        state.expire(now: 101, bootID: "boot")
        #expect(view.observe(state) == .rejoin)
        #expect(view.observe(state) == .rejoin)
        state.join(member("a2"), now: 102)
        state.settle(now: 102, bootID: "boot", partitionCounts: counts)
        view = MemberView(id: "a2", joined: state, after: view)
        #expect(view.observe(state) == .nothing)
        #expect(describe(&view) == ["lost topic[0] topic[1]", "assigned topic[0] topic[1] at 2"])
    }

    @Test func severalRebalancesSinceTheLastLookAreOneLoss() {
        var (state, view) = started()
        for (id, now) in [("b", Int64(30)), ("c", 60)] {
            state.join(member(id), now: now)
            state.settle(now: now + 20, bootID: "boot", partitionCounts: counts)
        }
        state.join(member("d"), now: 90)
        #expect(view.observe(state) == .release([zero]), "the new share was never read")
        #expect(describe(&view) == ["lost topic[0] topic[1]"])
    }

    @Test func aMemberOfAnUnfinishedRebalanceWaitsForItsFirstShare() {
        var (state, _) = started()
        state.join(member("b"), now: 1)
        var view = MemberView(id: "b", joined: state)
        #expect(view.observe(state) == .nothing)
        #expect(!view.hasNews)
        state.settle(now: 21, bootID: "boot", partitionCounts: counts)
        #expect(view.observe(state) == .nothing)
        #expect(describe(&view) == ["assigned topic[1] at 2"])
    }
}
