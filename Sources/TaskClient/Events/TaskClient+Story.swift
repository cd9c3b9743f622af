internal import TaskLog
public import TaskModel

extension TaskClient {
    /// Most records of one fingerprint that a story holds.
    static let maximumStoryRecords = 10_000

    /// Everything that the log knows of one piece of work. A fingerprint that it does not know gives a story without
    /// entries, in state `unknown`.
    ///
    /// `queue` and `key` (the lane) only make it faster: they say which partition to read. Without them the partitions
    /// that follow from the fingerprint are read, and those of a lane that `retry` or `dead` names; all partitions of all
    /// queues are read only when nothing was found so.
    public func story(
        of fingerprint: Fingerprint, queue: String? = nil, key: String? = nil
    ) async throws(ClientError) -> EventStory {
        let doing = "looking for event \(fingerprint)"
        let retry = try await partition(of: fingerprint.bytes, in: names.retry)
        let dead = try await partition(of: fingerprint.bytes, in: names.dead)
        let journal = try await partition(of: Array(fingerprint.hex.utf8), in: names.journal)
        var (records, isTruncated) = try await collect(
            [retry, dead, journal], limit: Self.maximumStoryRecords, while: doing
        ) { record in
            switch record.topicPartition {
            case retry: StoryRecord.retry(record, fingerprint: fingerprint)
            case dead: StoryRecord.dead(record, fingerprint: fingerprint)
            default: StoryRecord.journal(record, fingerprint: fingerprint)
            }
        }
        var queues: [String]
        if let queue {
            _ = try await topology.due(queue)
            queues = [queue]
        } else {
            queues = try await topology.existingQueues()
            for named in Set(records.compactMap(\.summary?.queue)) where !queues.contains(named) {
                if (try? await topology.due(named)) != nil { queues.append(named) }
            }
        }
        let lanes = Set([key].compactMap { $0 } + records.compactMap(\.summary?.key))
        let recordKeys = [fingerprint.bytes] + lanes.map { Array($0.utf8) }
        var direct: Set<TopicPartition> = []
        for queue in queues {
            for recordKey in recordKeys {
                direct.insert(try await partition(of: recordKey, in: names.due(queue)))
                direct.insert(try await partition(of: recordKey, in: names.ledger(queue)))
            }
        }
        var (found, more) = try await collect(
            direct.sorted(), limit: Self.maximumStoryRecords, while: doing, reader(of: fingerprint))
        if found.isEmpty && lanes.isEmpty {
            var others: [TopicPartition] = []
            for queue in queues {
                others += try await topology.partitions(of: names.due(queue))
                others += try await topology.partitions(of: names.ledger(queue))
            }
            (found, more) = try await collect(
                others.filter { !direct.contains($0) }, limit: Self.maximumStoryRecords, while: doing,
                reader(of: fingerprint))
        }
        records += found
        isTruncated = isTruncated || more
        return EventStory(fingerprint: fingerprint, records: records, isTruncated: isTruncated)
    }

    private func reader(of fingerprint: Fingerprint) -> @Sendable (LogRecord) -> StoryRecord? {
        { [names] record in
            if let queue = names.queue(ofDueTopic: record.topic) {
                StoryRecord.due(record, queue: queue, fingerprint: fingerprint)
            } else {
                StoryRecord.ledger(record, fingerprint: fingerprint)
            }
        }
    }
}

extension StoryRecord {
    /// The event of a record that carries one.
    var summary: EventSummary? {
        switch body {
        case .due(let summary), .waiting(let summary, _), .letter(let summary, _, _): summary
        case .retryTombstone, .cancelMarker, .ledger, .mark, .journal: nil
        }
    }
}
