package import TaskLog

/// Why an operation of ``TaskClient`` was not done: a code for programs, a message for people.
public struct ClientError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Code: String, Hashable, Sendable, Codable, CaseIterable {
        /// The request itself is wrong; it never succeeds as it is.
        case invalidRequest = "invalid-request"
        case unknownQueue = "unknown-queue"
        /// A topic of Tidemill does not exist: `tidemill topics create`.
        case missingTopic = "missing-topic"
        /// The record is larger than its topic takes.
        case tooLarge = "too-large"
        case notFound = "not-found"
        /// What was found is in a state that does not allow the operation.
        case refused
        /// The log does not answer, or not in time.
        case unavailable
        case notAuthorized = "not-authorized"
        /// Any other error of the log.
        case log
    }

    public var code: Code
    /// What happened, where, and what to do about it.
    public var message: String
    /// Whether the same call may succeed later without anybody changing anything.
    public var isRetriable: Bool

    public init(_ code: Code, _ message: String, isRetriable: Bool = false) {
        self.code = code
        self.message = message
        self.isRetriable = isRetriable
    }

    /// An error of the log, with what was being done.
    package init(_ error: LogError, while doing: String) {
        let code: Code =
            switch error.code {
            case .unavailable: .unavailable
            case .recordTooLarge: .tooLarge
            case .unknownTopic, .unknownPartition: .missingTopic
            case .notAuthorized: .notAuthorized
            case .offsetOutOfRange, .fenced, .storage, .unsupported, .closed, .other: .log
            }
        self.init(code, "\(doing): \(error.message)", isRetriable: error.isRetriable)
    }

    public var description: String { message }
}
