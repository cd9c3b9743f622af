package import TaskLog

/// Why a scheduler cannot run, or go on.
package struct SchedulerError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: Hashable, Sendable {
        /// A topic that it needs does not exist.
        case missingTopic
        /// `schedules` must have as many partitions as `commands`.
        case partitionMismatch
        /// The log refuses for good.
        case log
    }

    package var code: Code
    /// What happened and what to do about it.
    package var description: String
    package var cause: LogError?

    package init(_ code: Code, _ description: String, cause: LogError? = nil) {
        self.code = code
        self.description = description
        self.cause = cause
    }

    package static func == (left: SchedulerError, right: SchedulerError) -> Bool { left.code == right.code }

    package func hash(into hasher: inout Hasher) { hasher.combine(code) }
}
