/// A service could not go on. Its group has ended the others.
public struct ServiceFailure: Error, Sendable, CustomStringConvertible {
    public var serviceName: String
    public var underlying: any Error

    public init(serviceName: String, underlying: any Error) {
        self.serviceName = serviceName
        self.underlying = underlying
    }

    public var description: String { "\(serviceName) failed: \(underlying)" }
}

/// A group could not start.
public enum ServiceGroupError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Another group in this process listens to signals: give this one `signals: .none`.
    case signalsAreTaken

    public var description: String {
        "another service group in this process handles signals; run this one with signals: .none"
    }
}
