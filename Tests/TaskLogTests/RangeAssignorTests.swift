internal import TaskLog
import TaskTestKit
import Testing

@Suite struct RangeAssignorTests {
    /// 7 partitions over 3 members: 3, 2, 2, in order of the ids and not of joining.
    @Test func theFirstMembersGetOneMore() {
        let found = RangeAssignor.assign(
            subscriptions: ["c": ["t"], "a": ["t"], "b": ["t"]], partitionCounts: ["t": 7])
        #expect(found["a"]?.map(\.partition) == [0, 1, 2])
        #expect(found["b"]?.map(\.partition) == [3, 4])
        #expect(found["c"]?.map(\.partition) == [5, 6])
    }

    @Test func topicsOfEqualCountAreAssignedAlike() {
        let topics = ["due", "ledger"]
        for members in 1...6 {
            let subscriptions = Dictionary(uniqueKeysWithValues: (0..<members).map { ("m\($0)", topics) })
            let found = RangeAssignor.assign(
                subscriptions: subscriptions, partitionCounts: ["due": 5, "ledger": 5])
            for partitions in found.values {
                let due = partitions.filter { $0.topic == "due" }.map(\.partition)
                #expect(due == partitions.filter { $0.topic == "ledger" }.map(\.partition))
            }
            #expect(Set(found.values.joined()).count == 10)
        }
    }

    /// Each topic is split among its own subscribers alone.
    @Test func subscriptionsMayDiffer() {
        let found = RangeAssignor.assign(
            subscriptions: ["a": ["x"], "b": ["x", "y"]], partitionCounts: ["x": 2, "y": 2])
        #expect(found["a"] == [TopicPartition("x", 0)])
        #expect(found["b"] == [TopicPartition("x", 1), TopicPartition("y", 0), TopicPartition("y", 1)])
    }

    @Test func membersTooManyAndTopicsUnknownGetNothing() {
        let found = RangeAssignor.assign(
            subscriptions: ["a": ["t", "none"], "b": ["t"]], partitionCounts: ["t": 1])
        #expect(found == ["a": [TopicPartition("t", 0)], "b": []])
    }
}
