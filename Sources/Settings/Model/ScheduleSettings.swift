package import TaskModel

/// A schedule as the configuration describes it. Its trigger is text that the planner's types still have to accept.
package struct ScheduleSettings: Hashable, Sendable {
    package enum Trigger: Hashable, Sendable {
        /// Five fields, in a time zone.
        case cron(String)
        /// Every so many milliseconds.
        case interval(Int64)
        /// Once: RFC 3339, or a local time in the time zone.
        case at(String)
    }

    /// What happens to times that passed without a fire.
    package enum CatchUp: String, Hashable, Sendable, CaseIterable {
        case latest, skip, earliest, all
    }

    package var task: String
    package var trigger: Trigger
    /// IANA name; nil is UTC, or what `at` itself says.
    package var timeZone: String?
    /// Canonical JSON; empty when there is none.
    package var payload: [UInt8] = []
    package var catchUp = CatchUp.latest
    /// Oldest missed time that still fires.
    package var maxAge: Int64 = 3_600_000
    /// Most fires of one catch-up with `all`.
    package var maxCount = 100
    package var overlap = OverlapRule.skip
    package var queue: String
    /// The lane of its fires; nil: one of its own.
    package var key: String?
    package var jitter: Int64 = 0
    /// No nominal time before it fires.
    package var start: Timestamp?
    /// No nominal time after it fires.
    package var end: Timestamp?
    /// An event that has not started this long after its nominal time expires; nil: never.
    package var expiresAfter: Int64?
    /// Nil: the task's.
    package var retry: RetryPolicy?
    package var isPaused = false
    /// Where it is written, for messages of those who read the trigger.
    package var location = SourceLocation.defaults

    package init(task: String, trigger: Trigger, queue: String = TopicNames.defaultQueue) {
        self.task = task
        self.trigger = trigger
        self.queue = queue
    }
}
