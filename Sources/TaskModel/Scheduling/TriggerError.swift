/// Why a trigger is refused: which field, what it holds, and what would be accepted.
public struct TriggerError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The field at fault: one of a cron expression (`second`, `minute`, `hour`, `day-of-month`, `month`, `day-of-week`,
    /// `year`, or `cron` for the whole), or `timezone`, `at`, `every`, `delay`, `first`, `repetitions`, `time`, `until`,
    /// `trigger`.
    public var field: String
    /// What is wrong with it and what is accepted, for people.
    public var message: String

    public init(field: String, message: String) {
        self.field = field
        self.message = message
    }

    public var description: String { "\(field): \(message)" }
}
