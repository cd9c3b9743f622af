/// The log: which engine, and what its topics are.
package struct LogSettings: Hashable, Sendable {
    package enum Engine: Hashable, Sendable {
        /// One SQLite file on this machine.
        case embedded(path: String)
        case kafka(KafkaSettings)
    }

    package var engine = Engine.embedded(path: defaultPath)
    package var topics = TopicSettings()

    /// Relative to the folder of the configuration.
    static let defaultPath = "./data/tidemill.db"

    package init() {}
}

package struct KafkaSettings: Hashable, Sendable {
    /// `host:port`, separated by commas.
    package var bootstrapServers: String
    /// Further settings of librdkafka, passed through.
    package var properties: [String: Secret]

    package init(bootstrapServers: String, properties: [String: Secret] = [:]) {
        self.bootstrapServers = bootstrapServers
        self.properties = properties
    }

    /// Settings that Tidemill's guarantees rest on; the configuration cannot change them.
    static let reserved: Set<String> = [
        "acks", "auto.offset.reset", "bootstrap.servers", "enable.auto.commit", "enable.auto.offset.store",
        "enable.idempotence", "group.id", "isolation.level", "metadata.broker.list", "partition.assignment.strategy",
        "partitioner", "request.required.acks", "session.timeout.ms", "transactional.id",
    ]
}

package struct TopicSettings: Hashable, Sendable {
    /// Put before every topic and group name.
    package var prefix = "tidemill."
    /// Of `due` and `ledger`, for queues that do not say.
    package var partitions = 12
    /// Of `retry`, `dead`, `commands`, `schedules` and `journal`.
    package var controlPartitions = 4
    package var replication = 3
    package var minInSyncReplicas = 2
    /// For how long equal events are recognised.
    package var dedupWindow: Int64 = 86_400_000
    /// Largest event that a publisher may send.
    package var maximumEventBytes = 1 << 20
    package var deadLetterRetention: Int64 = 180 * 86_400_000

    package init() {}
}
