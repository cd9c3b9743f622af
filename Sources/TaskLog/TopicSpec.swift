/// What a topic must be. Engines create it so, and report where an existing one differs.
package struct TopicSpec: Hashable, Sendable {
    /// How a topic loses old records.
    package enum Cleanup: Hashable, Sendable {
        /// Only by `trim`.
        case never
        /// Records older than this many milliseconds by broker time.
        case delete(retentionMilliseconds: Int64)
        /// Keeps the last record of each key; tombstones go after a while.
        case compact
    }

    package var name: String
    package var partitions: Int32
    package var replication: Int16
    package var minInSyncReplicas: Int
    package var cleanup: Cleanup
    /// Largest record in bytes that the topic takes.
    package var maximumRecordBytes: Int
    /// Further broker settings, passed through as they are (for example `segment.ms`).
    package var settings: [String: String]

    package init(
        name: String, partitions: Int32, replication: Int16 = 3, minInSyncReplicas: Int = 2,
        cleanup: Cleanup, maximumRecordBytes: Int = 1_048_576, settings: [String: String] = [:]
    ) {
        self.name = name
        self.partitions = partitions
        self.replication = replication
        self.minInSyncReplicas = minInSyncReplicas
        self.cleanup = cleanup
        self.maximumRecordBytes = maximumRecordBytes
        self.settings = settings
    }
}

/// What a topic is.
package struct TopicDescription: Hashable, Sendable {
    package var name: String
    package var partitions: Int32
    /// 1 on an embedded log.
    package var replication: Int16
    /// Settings by their Kafka names, as far as the engine can tell (`cleanup.policy`, `retention.ms`, …).
    package var settings: [String: String]

    package init(name: String, partitions: Int32, replication: Int16, settings: [String: String]) {
        self.name = name
        self.partitions = partitions
        self.replication = replication
        self.settings = settings
    }
}
