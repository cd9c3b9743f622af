package import TaskModel

/// A queue and its partition count.
package struct QueuePlan: Hashable, Sendable {
    package var name: String
    package var partitions: Int32

    package init(name: String, partitions: Int32) {
        self.name = name
        self.partitions = partitions
    }
}

/// All topics of one installation: a function from a few numbers to the specs, the same for every engine.
package struct TopicPlan: Hashable, Sendable {
    package var names: TopicNames
    package var queues: [QueuePlan]
    /// Partitions of `commands`, `schedules` (always equal), `retry`, `dead`, `journal`, `control` and `workers`.
    package var controlPartitions: Int32
    package var replication: Int16
    package var minInSyncReplicas: Int
    /// Milliseconds for which equal events are recognised. The ledger is kept three times as long.
    package var dedupWindow: Int64
    /// Largest event in bytes (key, headers and payload) that a publisher may send; later turns and failure records may
    /// be larger by the allowances below, so that an event at the limit can fail and die.
    package var maximumEventBytes: Int
    package var deadLetterRetention: Int64

    /// A later turn carries its history in the due topic too.
    package static let historyAllowance = 128 << 10
    /// Failure records carry history and provenance.
    package static let failureRecordAllowance = 256 << 10

    package init(
        names: TopicNames = TopicNames(), queues: [QueuePlan], controlPartitions: Int32 = 4, replication: Int16 = 3,
        minInSyncReplicas: Int = 2, dedupWindow: Int64 = 86_400_000, maximumEventBytes: Int = 1 << 20,
        deadLetterRetention: Int64 = 180 * 86_400_000
    ) {
        self.names = names
        self.queues = queues
        self.controlPartitions = controlPartitions
        self.replication = replication
        self.minInSyncReplicas = minInSyncReplicas
        self.dedupWindow = dedupWindow
        self.maximumEventBytes = maximumEventBytes
        self.deadLetterRetention = deadLetterRetention
    }

    package var specs: [TopicSpec] {
        let large = maximumEventBytes + Self.failureRecordAllowance
        let day: Int64 = 86_400_000
        let compactSoon = ["segment.ms": "600000", "max.compaction.lag.ms": "3600000"]
        var specs: [TopicSpec] = []
        for queue in queues {
            specs.append(
                spec(names.due(queue.name), queue.partitions, .never, maximumEventBytes + Self.historyAllowance))
            specs.append(
                spec(names.ledger(queue.name), queue.partitions, .delete(retentionMilliseconds: 3 * dedupWindow), large)
            )
        }
        return specs + [
            spec(names.retry, controlPartitions, .compact, large, compactSoon),
            spec(names.dead, controlPartitions, .delete(retentionMilliseconds: deadLetterRetention), large),
            spec(names.commands, controlPartitions, .delete(retentionMilliseconds: 7 * day), large),
            spec(names.schedules, controlPartitions, .compact, large),
            spec(names.control, 1, .compact, large),
            spec(names.workers, 1, .compact, large, compactSoon),
            spec(names.journal, controlPartitions, .delete(retentionMilliseconds: 30 * day), large),
        ]
    }

    private func spec(
        _ name: String, _ partitions: Int32, _ cleanup: TopicSpec.Cleanup, _ bytes: Int,
        _ settings: [String: String] = [:]
    ) -> TopicSpec {
        TopicSpec(
            name: name, partitions: partitions, replication: replication, minInSyncReplicas: minInSyncReplicas,
            cleanup: cleanup, maximumRecordBytes: bytes, settings: settings)
    }
}
