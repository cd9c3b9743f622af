internal import TaskLog

/// Kafka's range assignment: for each topic by itself, its subscribers in order of their ids get contiguous runs of
/// partitions, and the first ones one more when they do not divide evenly.
enum RangeAssignor {
    /// - Parameters:
    ///   - subscriptions: topics by member id.
    ///   - partitionCounts: a topic that is missing here has no partitions yet.
    /// - Returns: an entry for every member, sorted.
    static func assign(
        subscriptions: [String: [String]], partitionCounts: [String: Int32]
    ) -> [String: [TopicPartition]] {
        var shares = subscriptions.mapValues { _ in [TopicPartition]() }
        let topics = Set(subscriptions.values.joined()).sorted()
        for topic in topics {
            let members = subscriptions.filter { $0.value.contains(topic) }.keys.sorted()
            let count = Int(partitionCounts[topic] ?? 0)
            for (index, member) in members.enumerated() {
                // The first (count % members) members take one more each.
                let first = index * (count / members.count) + min(index, count % members.count)
                let length = count / members.count + (index < count % members.count ? 1 : 0)
                shares[member, default: []] += (first..<first + length).map { TopicPartition(topic, Int32($0)) }
            }
        }
        return shares
    }
}
