package import TaskLog

/// Kafka's range assignment: per topic, members in order of their ids get contiguous runs of partitions, the first ones
/// one more. Topics with equal partition counts and members are therefore assigned alike (co-partitioned).
package enum RangeAssignor {
    /// - Parameters:
    ///   - subscriptions: topics by member id.
    ///   - partitionCounts: partitions of each topic; a topic that is not named here is not assigned.
    /// - Returns: an entry for every member, partitions in order.
    package static func assign(
        subscriptions: [String: [String]], partitionCounts: [String: Int32]
    ) -> [String: [TopicPartition]] {
        var assignment = subscriptions.mapValues { _ in [TopicPartition]() }
        var subscribers: [String: [String]] = [:]
        for member in subscriptions.keys.sorted() {
            for topic in Set(subscriptions[member] ?? []) { subscribers[topic, default: []].append(member) }
        }
        for topic in subscribers.keys.sorted() {
            guard let count = partitionCounts[topic], let members = subscribers[topic] else { continue }
            let share = count / Int32(members.count)
            let extra = count % Int32(members.count)
            var first: Int32 = 0
            for (index, member) in members.enumerated() {
                let length = share + (Int32(index) < extra ? 1 : 0)
                assignment[member]?.append(contentsOf: (first..<first + length).map { TopicPartition(topic, $0) })
                first += length
            }
        }
        return assignment
    }
}
