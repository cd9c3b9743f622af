import ServiceRuntime
import TaskLog
import TaskTelemetry
import TaskTestKit
import Testing

@testable import WorkerRole

@Suite struct MemberDeskTests {
    private final class Member: GroupMember {
        let calls = Observed<[String]>([])

        func next() async throws -> GroupWake? { nil }
        func start(_ positions: [TopicPartition: Int64]) async throws {}
        func commit(_ offsets: [TopicPartition: CommittedOffset]) async throws {
            calls.update { $0.append("commit \(offsets.keys.map(\.partition).sorted())") }
        }
        func pause(_ partitions: [TopicPartition]) async {}
        func resume(_ partitions: [TopicPartition]) async {}
        func release(_ partitions: [TopicPartition]) async {
            calls.update { $0.append("release \(partitions.map(\.partition).sorted())") }
        }
        func leave() async {}
    }

    private let due = (0..<3).map { TopicPartition("tidemill.due.default", $0) }

    /// While the log did not answer, the group took the partitions away, and gave one of them back.
    @Test func aLateHandOffLetsGoOnlyWhatItIsFor() async {
        let member = Member()
        let desk = MemberDesk(member: member, revokeTimeout: 6000, time: ManualTimeSource(), logger: .init())
        desk.assigned(due[0], epoch: 1)
        desk.assigned(due[1], epoch: 1)
        desk.forget(due)
        let ended = desk.epochs(of: due)
        desk.assigned(due[1], epoch: 2)
        let written = OneShot()
        written.fire()
        let offset = CommittedOffset(offset: 7)
        await desk.handOff(ended, [due[0]: offset, due[1]: offset], after: written)
        #expect(member.calls.value == ["commit [0]", "release [0, 2]"])
        #expect(desk.isCurrent(due[1], 2))
        #expect(!desk.isCurrent(due[0], 1))
    }
}
