package import TaskModel

/// A queue as a worker takes from it.
package struct WorkerQueue: Hashable, Sendable {
    package var name: String
    /// Partition count of `due.<name>` and `ledger.<name>`.
    package var partitions: Int32
    /// Share of the worker's slots relative to the other queues, when all have work. Default 1.
    package var weight: Int

    package init(name: String, partitions: Int32, weight: Int = 1) {
        self.name = name
        self.partitions = partitions
        self.weight = weight
    }
}

/// Where a partition starts whose position is not known, by the operator's word.
package enum StartPosition: Hashable, Sendable {
    case start
    case now
    case time(Timestamp)
}

/// All numbers of a worker. Times are milliseconds.
package struct WorkerConfiguration: Hashable, Sendable {
    package var names = TopicNames()
    package var queues: [WorkerQueue]
    /// Partition count of `retry`, `dead` and the other shared topics.
    package var controlPartitions: Int32
    /// Stable name of this worker, for people. The identity of a lease also has the nonce.
    package var workerID: String
    /// Differs at every start of the process.
    package var nonce: String
    /// Attempts that run at once.
    package var concurrency = 16
    /// How long a stopping worker lets attempts finish.
    package var grace: Int64 = 30_000
    /// How long a turn that outlives its partition stays this worker's without a renewal.
    package var lease: Int64 = 30_000
    package var commitInterval: Int64 = 100
    /// How often the follower of the ledgers is told what it need not bring, and how many records that must be.
    package var skipInterval: Int64 = 50
    package var minimumSkip: Int64 = 32
    /// How long the ledger of a revoked partition is kept up to date: it may come back.
    package var retention: Int64 = 60_000
    package var dedupWindow: Int64 = 86_400_000
    /// How long settled records stay in `due`; nothing but their owner deletes them. Default 7 d.
    package var dueRetention: Int64 = 7 * 86_400_000
    /// Unsettled records of a partition at which it is paused.
    package var maximumHoles = 1000
    /// Bytes of unsettled events of a partition at which it is paused.
    package var maximumBufferedBytes = 16 << 20
    /// How many unsettled events of a partition are suspects after an unclean takeover.
    package var maximumSuspects = 1000
    package var unknownTaskMaxAge: Int64 = 3_600_000
    /// First pause before the log is asked again to take what it refused; doubled up to `maximumAppendRetryDelay`.
    package var appendRetryDelay: Int64 = 500
    /// Also the pause between tries of a record that the log refuses as too large.
    package var maximumAppendRetryDelay: Int64 = 30_000
    package var sessionTimeout = 8000
    /// How long the group waits for a hand-off. Of it 60 % are for lease notes and outcomes to be durable, a quarter for the
    /// last commit. What is not through by then may run twice, so it pays to wait for a log that is slow.
    package var revokeTimeout = 6000
    package var startPosition: StartPosition?

    package init(queues: [WorkerQueue], controlPartitions: Int32, workerID: String, nonce: String) {
        self.queues = queues
        self.controlPartitions = controlPartitions
        self.workerID = workerID
        self.nonce = nonce
    }

    /// Worker id and nonce: the holder of a lease, and the author of outcomes.
    package var identity: String { "\(workerID)/\(nonce)" }
}

/// The options of a task that the state machine needs; the handler stays in the shell.
package struct TaskPolicy: Hashable, Sendable {
    package var timeout: Int64
    package var retry: RetryPolicy

    package init(timeout: Int64 = 3_600_000, retry: RetryPolicy = RetryPolicy()) {
        self.timeout = timeout
        self.retry = retry
    }
}
