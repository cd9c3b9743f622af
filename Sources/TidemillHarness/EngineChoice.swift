package import Settings
internal import TaskModel

/// Which log a run takes place on.
package enum EngineChoice: Codable, Hashable, Sendable {
    /// A file in the folder of the run.
    case sqlite
    case kafka(bootstrap: String)
}

extension Configuration {
    /// What the processes of a run on one machine share: one queue, and with Kafka as many copies as there are brokers.
    package init(
        _ engine: EngineChoice, folder: String, prefix: String, partitions: Int, controlPartitions: Int,
        replication: Int = 1, id: String
    ) {
        self.init()
        switch engine {
        case .sqlite: log.engine = .embedded(path: folder + "/tidemill.db")
        case .kafka(let bootstrap):
            log.engine = .kafka(KafkaSettings(bootstrapServers: bootstrap))
            log.topics.replication = replication
            log.topics.minInSyncReplicas = replication > 1 ? 2 : 1
        }
        log.topics.prefix = prefix
        log.topics.partitions = partitions
        log.topics.controlPartitions = controlPartitions
        queues = [TopicNames.defaultQueue: QueueSettings(partitions: partitions)]
        worker.id = id
    }
}
