/// What is wrong with the configuration of a handler, in the words of the configuration. Thrown when the handler is made.
public struct HandlerConfigurationError: Error, Hashable, Sendable, CustomStringConvertible {
    public var problems: [String]

    public init(_ problems: [String]) { self.problems = problems }

    public var description: String { problems.joined(separator: "; ") }
}
