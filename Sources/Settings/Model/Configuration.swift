package import TaskLog
internal import TaskModel
package import TaskTelemetry

/// All that a Tidemill process is told: the contents of `tidemill.yaml` with the environment on top, checked and with
/// defaults filled in. Durations are milliseconds, sizes are bytes.
package struct Configuration: Hashable, Sendable {
    package var log = LogSettings()
    package var worker = WorkerSettings()
    package var scheduler = SchedulerSettings()
    package var observability = ObservabilitySettings()
    /// What a task has that says nothing else.
    package var defaults = TaskDefaults()
    /// By name. Always holds `default`.
    package var queues: [String: QueueSettings] = [:]
    /// By name.
    package var tasks: [String: TaskSettings] = [:]
    /// By schedule id.
    package var schedules: [String: ScheduleSettings] = [:]

    package init() {
        queues = [TopicNames.defaultQueue: QueueSettings(partitions: log.topics.partitions)]
    }

    /// What holds without a file: the embedded log in `./data/tidemill.db`.
    package static let `default` = Configuration()

    /// The topics that this configuration asks for.
    package var topicPlan: TopicPlan {
        TopicPlan(
            names: TopicNames(prefix: log.topics.prefix),
            queues: queues.sorted { $0.key < $1.key }.map {
                QueuePlan(name: $0.key, partitions: Int32($0.value.partitions))
            },
            controlPartitions: Int32(log.topics.controlPartitions), replication: Int16(log.topics.replication),
            minInSyncReplicas: log.topics.minInSyncReplicas, dedupWindow: log.topics.dedupWindow,
            maximumEventBytes: log.topics.maximumEventBytes, deadLetterRetention: log.topics.deadLetterRetention)
    }
}

/// A queue.
package struct QueueSettings: Hashable, Sendable {
    /// Of `due.<queue>` and `ledger.<queue>`; never changes in place.
    package var partitions: Int
    /// Share of a worker's slots relative to the other queues.
    package var weight = 1

    package init(partitions: Int, weight: Int = 1) {
        self.partitions = partitions
        self.weight = weight
    }
}

package struct WorkerSettings: Hashable, Sendable {
    /// Nil: the host's name.
    package var id: String?
    /// Which queues to take from; nil is all of them.
    package var queues: [String]?
    /// Attempts that run at once.
    package var concurrency = 16
    /// How long a stop lets attempts finish.
    package var grace: Int64 = 30_000
    /// How long a turn that outlives its partition stays this worker's without renewal.
    package var lease: Int64 = 30_000
    /// How long an event of a task that nobody knows is kept waiting.
    package var unknownTaskMaxAge: Int64 = 3_600_000
    /// Silence after which the group takes a member for dead.
    package var sessionTimeout: Int64 = 8000

    package init() {}
}

package struct SchedulerSettings: Hashable, Sendable {
    /// Silence after which the group takes a member for dead.
    package var sessionTimeout: Int64 = 8000
    /// A scheduler whose clock is further ahead of the broker's than this holds its fires.
    package var maximumClockLead: Int64 = 5000
    /// Bytes of waiting payloads kept in memory; the rest is fetched again before it is due.
    package var payloadMemory = 64 << 20

    package init() {}
}

package struct ObservabilitySettings: Hashable, Sendable {
    package struct Metrics: Hashable, Sendable {
        package var host: String
        package var port: Int
        /// Listen on an address that others can reach.
        package var allowRemote: Bool

        package init(host: String, port: Int, allowRemote: Bool = false) {
            self.host = host
            self.port = port
            self.allowRemote = allowRemote
        }
    }

    package var logLevel = LogLevel.info
    package var logFormat = LogFormat.auto
    /// Nil: nothing listens.
    package var metrics: Metrics?

    package init() {}
}
