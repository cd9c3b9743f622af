package import TaskModel

/// What a scheduler may be told. The defaults suit a fleet and a laptop alike.
package struct SchedulerConfiguration: Hashable, Sendable {
    package var names: TopicNames
    /// Shown to people, and part of the name under which it writes. Default `scheduler`.
    package var clientID: String
    /// Makes the writer's name unique: another value at each start.
    package var bootNonce: String
    /// A scheduler that shows no life for this long loses its partitions to another. Default 8 s.
    package var sessionTimeoutMilliseconds: Int
    /// How long it may take to hand partitions over. Default 2 s.
    package var revokeTimeoutMilliseconds: Int
    /// Bytes of waiting events kept in memory, shared by the partitions of `retry`; the rest is fetched again shortly
    /// before it is due. Default 64 MiB.
    package var payloadBudget: Int
    /// How long before their time such events are fetched. Default 10 s.
    package var fetchAheadMilliseconds: Int64
    /// Fires are held while the wall clock is further ahead of the broker's time than this. Default 5 s.
    package var maximumClockLead: Int64
    /// How long a cancel marker drops turns that arrive after it. Default 1 day.
    package var cancelMarkerLifetime: Int64
    /// Between two commits of how far it has come. Default 1 s.
    package var commitIntervalMilliseconds: Int64
    /// Longest sleep while something waits for a wall-clock instant, so that a step of the clock is noticed. Default 30 s.
    package var clockRecheckMilliseconds: Int64
    /// Most records in one append call. Default 4000.
    package var maximumBatchRecords: Int
    /// Most bytes in one append call. Default 16 MiB.
    package var maximumBatchBytes: Int

    package init(
        names: TopicNames = TopicNames(), clientID: String = "scheduler", bootNonce: String,
        sessionTimeoutMilliseconds: Int = 8000, revokeTimeoutMilliseconds: Int = 2000, payloadBudget: Int = 64 << 20,
        fetchAheadMilliseconds: Int64 = 10_000, maximumClockLead: Int64 = 5000,
        cancelMarkerLifetime: Int64 = 86_400_000, commitIntervalMilliseconds: Int64 = 1000,
        clockRecheckMilliseconds: Int64 = 30_000, maximumBatchRecords: Int = 4000, maximumBatchBytes: Int = 16 << 20
    ) {
        self.names = names
        self.clientID = clientID
        self.bootNonce = bootNonce
        self.sessionTimeoutMilliseconds = sessionTimeoutMilliseconds
        self.revokeTimeoutMilliseconds = revokeTimeoutMilliseconds
        self.payloadBudget = payloadBudget
        self.fetchAheadMilliseconds = fetchAheadMilliseconds
        self.maximumClockLead = maximumClockLead
        self.cancelMarkerLifetime = cancelMarkerLifetime
        self.commitIntervalMilliseconds = commitIntervalMilliseconds
        self.clockRecheckMilliseconds = clockRecheckMilliseconds
        self.maximumBatchRecords = maximumBatchRecords
        self.maximumBatchBytes = maximumBatchBytes
    }

    /// The name under which it writes: client id and boot nonce.
    package var writerName: String { "\(clientID)/\(bootNonce)" }
}
