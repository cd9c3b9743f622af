/// Records of one call that follow each other, of one topic, and all with headers or all without.
struct TopicRun {
    let topic: String
    /// None has headers.
    let isBare: Bool
    /// Where they stand in the batch.
    let range: Range<Int>

    static func split(_ records: [KafkaOutgoing]) -> [TopicRun] {
        var runs: [TopicRun] = []
        var start = 0
        while start < records.count {
            let topic = records[start].partition.topic
            let isBare = records[start].headers.isEmpty
            let end =
                records[start...].firstIndex { $0.headers.isEmpty != isBare || $0.partition.topic != topic }
                ?? records.count
            runs.append(TopicRun(topic: topic, isBare: isBare, range: start..<end))
            start = end
        }
        return runs
    }
}
