package import TaskModel

/// The port: all that Tidemill asks of a log. Kafka and SQLite keep it the same way; one conformance suite checks them.
///
/// It promises no more than Kafka does: a commit is fenced by group membership, an append never is. All calls may be
/// made from any task. A call that cannot be served throws ``LogError``; retriable ones were already retried for a
/// bounded time, so a caller retries with a pause or reports.
package protocol TaskLog: Sendable {
    /// Creates the topics that are missing and returns what each one now is. Does not change existing ones.
    func ensure(topics: [TopicSpec]) async throws -> [TopicDescription]

    /// What the named topics are; a name that does not exist is left out.
    func describe(topics: [String]) async throws -> [TopicDescription]

    /// Appends, and returns when every record is durable or has failed, results in the order of `records`.
    ///
    /// Order is kept per partition, within a call and between calls that follow each other (on Kafka, what a broker
    /// refused because its batch was larger than the topic takes, and took alone, comes behind the rest of its call). A
    /// failure of unknown outcome (a timeout) may have been written: callers append such a record again.
    func append(_ records: [LogAppend]) async -> [Result<AppendReceipt, LogError>]

    /// The same for one record, for which an engine may have a shorter way.
    func append(_ record: LogAppend) async throws(LogError) -> AppendReceipt

    /// Whether records that are appended by many calls at once cost less when they go to few partitions. False unless an
    /// engine says so.
    var favoursFewPartitions: Bool { get }

    /// First kept offset and end (one past the last) of each partition, asked of the log now (ListOffsets), not cached.
    func bounds(of partitions: [TopicPartition]) async throws -> [TopicPartition: OffsetBounds]

    /// The first offset whose broker time is at or after `time`; the end when there is none.
    func offset(for time: Timestamp, in partition: TopicPartition) async throws -> Int64

    /// Reads `partition` from `start` (or the first kept offset, if later) up to but not including `end`, in order.
    ///
    /// Batches are bounded in bytes by the engine. Offsets may have gaps (compaction, trimming); the scan still ends
    /// at `end`. `body` returns false to stop early. Returns the position after the last record read (`end` when complete).
    @discardableResult
    func scan(
        _ partition: TopicPartition, from start: Int64, to end: Int64,
        _ body: @Sendable ([LogRecord]) async throws -> Bool
    ) async throws -> Int64

    /// Deletes records below `offset` (best effort: it may keep some). Throws `unsupported` where a log cannot.
    func trim(_ partition: TopicPartition, before offset: Int64) async throws

    /// What `group` has committed; a partition without a commit is left out.
    func committed(group: String, partitions: [TopicPartition]) async throws -> [TopicPartition: CommittedOffset]

    /// Joins a consumer group. The member owns nothing until ``GroupMember/next()`` says so.
    func join(_ options: GroupOptions) async throws -> any GroupMember

    /// Follows partitions without a group, from explicit positions on, for as long as the follower lives.
    func follow(_ positions: [TopicPartition: Int64], pace: FollowPace) async throws -> any LogFollower

    /// Flushes, frees what the engine holds and wakes its waiters with `closed`. Idempotent, bounded in time.
    func close() async
}

/// How soon a follower brings what was appended.
package enum FollowPace: Hashable, Sendable {
    /// At once.
    case prompt
    /// Within about 100 ms, and many at a time. What is skipped meanwhile mostly does not come at all; where records are
    /// skipped all the time, others may take twice as long.
    case gathered
}

extension TaskLog {
    package func follow(_ positions: [TopicPartition: Int64]) async throws -> any LogFollower {
        try await follow(positions, pace: .prompt)
    }

    package var favoursFewPartitions: Bool { false }

    package func append(_ record: LogAppend) async throws(LogError) -> AppendReceipt {
        try await append([record])[0].get()
    }

    /// Reads everything that the partition held when the call began.
    @discardableResult
    package func scanAll(
        _ partition: TopicPartition, _ body: @Sendable ([LogRecord]) async throws -> Bool
    ) async throws -> Int64 {
        let bounds = try await bounds(of: [partition])[partition] ?? OffsetBounds(start: 0, end: 0)
        return try await scan(partition, from: bounds.start, to: bounds.end, body)
    }
}
