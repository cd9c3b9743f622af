/// Why a trigger is refused: which field, what it holds, and what would be accepted.
public struct TriggerError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The field at fault: `minute`, `hour`, `day-of-month`, `month`, `day-of-week`, `timezone`, `at`, `every`, `cron`.
    public var field: String
    /// What is wrong with it and what is accepted, for people.
    public var message: String

    public init(field: String, message: String) {
        self.field = field
        self.message = message
    }

    public var description: String { "\(field): \(message)" }
}
