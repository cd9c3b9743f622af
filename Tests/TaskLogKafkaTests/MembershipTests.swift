import TaskLog
import Testing

@testable import TaskLogKafka

struct MembershipTests {
    private let a = TopicPartition("t", 0)
    private let b = TopicPartition("t", 1)

    @Test func theEpochIsTheGenerationAndAlwaysGrows() {
        var membership = Membership()
        membership.assign([a], generation: 7)
        #expect(membership.epoch == 7)
        membership.assign([a], generation: nil)
        #expect(membership.epoch == 8)
        // The broker forgot the empty group and counts anew.
        membership.assign([a], generation: 1)
        #expect(membership.epoch == 9)
    }

    @Test func theGroupWaitsForTheLastRelease() {
        var membership = Membership()
        membership.assign([a, b], generation: 1)
        membership.revoke([a, b])
        #expect(membership.owned == [a, b], "owned until released")
        #expect(membership.release([a]) == false)
        #expect(membership.owned == [b])
        #expect(membership.release([b]) == true)
        #expect(membership.release([b]) == false, "once")
    }

    @Test func whatWasReleasedIsNotLost() {
        var membership = Membership()
        membership.assign([a, b], generation: 1)
        membership.revoke([a, b])
        _ = membership.release([a])
        #expect(membership.lose([a, b]) == [b])
        #expect(membership.owned.isEmpty && membership.revoking.isEmpty)
    }

    @Test func aReleaseWithoutARevocationIsNothing() {
        var membership = Membership()
        membership.assign([a], generation: 1)
        #expect(membership.release([a]) == false)
        #expect(membership.owned == [a])
    }
}
