package import TaskModel

/// A schedule as the configuration describes it.
package struct ScheduleSettings: Hashable, Sendable {
    /// The trigger as it is written.
    package enum Trigger: Hashable, Sendable {
        /// An expression, in a time zone.
        case cron(String)
        /// Every so many milliseconds.
        case interval(Int64)
        /// Once: RFC 3339, or a local time in the time zone.
        case at(String)
        /// Anything else; see ``more``.
        case composed
    }

    /// Its origin is the configuration's file.
    package var spec: ScheduleSpec
    package var trigger: Trigger
    /// IANA name; nil is UTC, or what `at` itself says.
    package var timeZone: String?
    /// Keys of the trigger that are no simple text, by name, as JSON.
    package var more: [String: String]
    /// To be paused when it is created. Who pauses and resumes it later has the last word.
    package var isPaused: Bool
    /// Where it is written, for messages of those who apply it.
    package var location: SourceLocation

    package init(
        spec: ScheduleSpec, trigger: Trigger, timeZone: String? = nil, more: [String: String] = [:],
        isPaused: Bool = false,
        location: SourceLocation = .defaults
    ) {
        self.spec = spec
        self.trigger = trigger
        self.timeZone = timeZone
        self.more = more
        self.isPaused = isPaused
        self.location = location
    }
}
