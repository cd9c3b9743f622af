internal import TaskLog
internal import TaskModel
internal import TaskTelemetry

/// What a restore of one partition found.
enum Restoration: Sendable {
    case retry(RetryTimers)
    case schedules(ScheduleRestoration)
}

/// One assignment of one partition. Whatever comes back later names it, and is dropped when it is over.
struct Tenure: Hashable, Sendable {
    var partition: TopicPartition
    var number: Int
}

/// Why the scheduler woke.
enum SchedulerWake: Sendable {
    case assigned([TopicPartition], epoch: Int64)
    case revoking([TopicPartition])
    case lost([TopicPartition])
    /// Records of `commands` and `retry`.
    case records([LogRecord])
    /// Records of `schedules`, ours and perhaps a zombie's.
    case followed([LogRecord])
    case restored(Tenure, Restoration)
    case restoreFailed(Tenure, LogError)
    case appended(batch: Int, [Result<AppendReceipt, LogError>])
    case fetched(Tenure, asked: [Int64], Result<[LogRecord], LogError>)
    /// The partition count of a queue's due topic; nil when there is no such topic.
    case described(queue: String, Result<Int32?, LogError>)
    case timer
    case stop
    /// Something outside the machine cannot go on.
    case failed(SchedulerError)
}

/// What the scheduler wants done. The shell does it and reports back with a wake where one is due.
enum SchedulerAction: Sendable {
    case restore(Tenure)
    /// Fetch these partitions of `commands` and `retry` from here on.
    case start([TopicPartition: Int64])
    case follow(TopicPartition, from: Int64)
    case unfollow([TopicPartition])
    case append(batch: Int, [LogAppend])
    case fetch(Tenure, offsets: [Int64])
    case describe(queue: String)
    case pause(TopicPartition)
    case resume(TopicPartition)
    case commit([TopicPartition: CommittedOffset])
    /// Commit, then let go.
    case handOver([TopicPartition: CommittedOffset], [TopicPartition])
    case log(LogLine)
    case notice(SchedulerNotice)
    /// Commit, leave the group, end.
    case finish([TopicPartition: CommittedOffset])
    case fail(SchedulerError)
}

/// A line for the log.
struct LogLine: Hashable, Sendable {
    var level: LogLevel
    var message: String
    var fields: [String: String] = [:]
}
