/// How to join a consumer group.
package struct GroupOptions: Hashable, Sendable {
    package var group: String
    package var topics: [String]
    /// Shown to people (Kafka's `client.id`); need not be unique.
    package var clientID: String
    /// A member that shows no life for this long is taken for dead. Default 8 s.
    package var sessionTimeoutMilliseconds: Int
    /// How long a member may take between `.revoking` and `release`. Default 2 s; after it the partitions go anyway.
    package var revokeTimeoutMilliseconds: Int
    /// Most records in one `.records` wake. Default 1000.
    package var maximumBatchRecords: Int
    /// Most bytes fetched ahead of `next()` per member. Default 16 MiB.
    package var maximumBufferedBytes: Int

    package init(
        group: String, topics: [String], clientID: String, sessionTimeoutMilliseconds: Int = 8000,
        revokeTimeoutMilliseconds: Int = 2000, maximumBatchRecords: Int = 1000,
        maximumBufferedBytes: Int = 16 << 20
    ) {
        self.group = group
        self.topics = topics
        self.clientID = clientID
        self.sessionTimeoutMilliseconds = sessionTimeoutMilliseconds
        self.revokeTimeoutMilliseconds = revokeTimeoutMilliseconds
        self.maximumBatchRecords = maximumBatchRecords
        self.maximumBufferedBytes = maximumBufferedBytes
    }
}

/// Why a group member woke.
package enum GroupWake: Sendable {
    /// These partitions are now this member's, in addition to what it has. Nothing is fetched before `start`.
    /// `epoch` grows with every assignment of the group (Kafka: the generation): a fencing token.
    case assigned([TopicPartition], epoch: Int64)
    /// These partitions are about to go. Commit and call `release` within the revoke timeout.
    case revoking([TopicPartition])
    /// These partitions went without a chance to hand over (session lost, or the revoke deadline passed).
    case lost([TopicPartition])
    /// Records of partitions that were started and are owned, in order per partition; never empty.
    case records([LogRecord])
}

/// A member of a consumer group. One task calls `next()`; the other calls may come from any task.
///
/// Heartbeats go on whether or not anybody calls `next()`: a member that does not take its records is slow, not dead.
/// After `.revoking`, no record of those partitions is returned any more.
package protocol GroupMember: AnyObject, Sendable {
    /// The next thing that happened. Waits without polling; nil after `leave`. Throws only when the member cannot go on.
    func next() async throws -> GroupWake?

    /// Starts (or restarts) fetching owned partitions at these offsets. Partitions not owned any more are ignored.
    func start(_ positions: [TopicPartition: Int64]) async throws

    /// Commits, fenced by membership: throws `fenced` for partitions that are not this member's any more.
    func commit(_ offsets: [TopicPartition: CommittedOffset]) async throws

    /// Stops returning records of these partitions until `resume`; loses none.
    func pause(_ partitions: [TopicPartition]) async
    func resume(_ partitions: [TopicPartition]) async

    /// Ends the revocation that `.revoking` announced: the group may give the partitions to another member.
    func release(_ partitions: [TopicPartition]) async

    /// Leaves the group at once (others take over without waiting for a timeout). `next()` returns nil.
    ///
    /// It announces nothing: the caller commits first. Bounded in time.
    func leave() async
}

/// Reads partitions from explicit positions on, without a group.
package protocol LogFollower: AnyObject, Sendable {
    /// The next records, in order per partition, never empty; nil after `close`. Waits without polling.
    func next() async throws -> [LogRecord]?

    /// Adds partitions, or moves ones already followed.
    func add(_ positions: [TopicPartition: Int64]) async throws
    func remove(_ partitions: [TopicPartition]) async

    /// What lies before these positions need not be brought, and may come all the same. A position never goes back by it.
    /// Positions past the log's end are the caller's mistake; partitions that are not followed are ignored.
    func skip(to positions: [TopicPartition: Int64])
    func close() async
}
