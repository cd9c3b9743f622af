/// An error of a log: a code for programs, a message for people.
package struct LogError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: Hashable, Sendable {
        /// No broker or file answers; try again.
        case unavailable
        /// The record is larger than the topic takes; never try again.
        case recordTooLarge
        case unknownTopic
        case unknownPartition
        /// The offset lies outside what the log holds.
        case offsetOutOfRange
        /// A commit or heartbeat of a member that the group no longer counts.
        case fenced
        /// No space, or the file cannot be written.
        case storage
        /// The log was made by a newer version, or is damaged, or lies where it cannot be safe.
        case unsupported
        /// Wrong credentials or no right to do this.
        case notAuthorized
        case closed
        /// Anything else the engine reports.
        case other
    }

    package var code: Code
    /// What happened, where, and what to do about it.
    package var message: String
    /// Whether the same call may succeed later without anybody changing anything.
    package var isRetriable: Bool

    package init(_ code: Code, _ message: String, isRetriable: Bool? = nil) {
        self.code = code
        self.message = message
        self.isRetriable = isRetriable ?? (code == .unavailable)
    }

    package var description: String { message }

    package static func == (left: LogError, right: LogError) -> Bool { left.code == right.code }

    package func hash(into hasher: inout Hasher) { hasher.combine(code) }
}
