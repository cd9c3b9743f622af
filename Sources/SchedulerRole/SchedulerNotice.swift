package import TaskLog
package import TaskModel

/// What a scheduler just did: for tests and for those who watch it from within a process. Inert unless somebody listens.
package enum SchedulerNotice: Hashable, Sendable {
    /// The partition's records are read; its timers run.
    case restored(TopicPartition)
    case released(TopicPartition)
    case lost(TopicPartition)
    /// A zombie's successor was seen: the partition rests until the group says more.
    case superseded(TopicPartition)
    /// The result of a command is durable: `applied`, `conflict` or `refused`.
    case answered(command: String, word: String)
    /// An event is durable in its due topic.
    case emitted(Coordinate, queue: String)
    /// The tombstone of an emitted or dropped event is durable.
    case forgotten(Coordinate)
    /// The state of a schedule is durable.
    case advanced(scheduleID: String, cursor: Timestamp)
    /// Fires are held: the clock is this many milliseconds ahead of the broker's.
    case held(leadMilliseconds: Int64)
    /// The clocks agree again.
    case resumed
    /// Nothing can be emitted to this queue: its topic does not exist.
    case queueMissing(String)
    /// It sleeps until this uptime, or until something arrives.
    case armed(untilUptime: Int64)
}

/// Called on the scheduler's own tasks; must return at once.
package typealias SchedulerProbe = @Sendable (SchedulerNotice) -> Void
