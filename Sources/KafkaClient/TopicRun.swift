/// Records of one call that follow each other, of one topic, and all with headers or all without.
struct TopicRun {
    /// With its index in the batch.
    typealias Item = (record: KafkaOutgoing, index: Int)

    let topic: String
    /// None has headers.
    let isBare: Bool
    private(set) var records: ArraySlice<Item>

    /// The records at these indices, in order.
    static func split(_ records: [KafkaOutgoing], _ indices: [Int]) -> [TopicRun] {
        let items = indices.enumerated().map { (record: records[$1], index: $0) }
        var runs: [TopicRun] = []
        var start = 0
        for (position, item) in items.enumerated() {
            let first = items[start].record
            let isBare = first.headers.isEmpty
            let next = position + 1
            if next == items.count || items[next].record.headers.isEmpty != isBare
                || items[next].record.partition.topic != item.record.partition.topic
            {
                runs.append(TopicRun(topic: first.partition.topic, isBare: isBare, records: items[start..<next]))
                start = next
            }
        }
        return runs
    }
}
