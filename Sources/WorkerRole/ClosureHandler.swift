internal import Foundation
public import TaskModel

/// A handler made of a closure over the raw context.
public struct ClosureHandler: TaskHandler {
    private let body: @Sendable (TaskContext) async throws -> Void

    public init(_ body: @escaping @Sendable (TaskContext) async throws -> Void) { self.body = body }

    public func run(_ context: TaskContext) async throws { try await body(context) }
}

/// A handler whose payload is a `Decodable` type, read from JSON. A payload that does not decode is dead at once,
/// with its bytes kept: no later attempt would read it better.
public struct TypedHandler<Payload: Decodable & Sendable>: TaskHandler {
    private let body: @Sendable (Payload, TaskContext) async throws -> Void

    public init(
        _ type: Payload.Type = Payload.self, _ body: @escaping @Sendable (Payload, TaskContext) async throws -> Void
    ) {
        self.body = body
    }

    public func run(_ context: TaskContext) async throws {
        let payload: Payload
        do {
            // Not Foundation's decoder by itself: hostile names of members stop the process in it.
            payload = try CanonicalJSON.decode(Payload.self, from: context.payload)
        } catch {
            throw TaskFailure.undecodable("payload is no \(Payload.self): \(Self.describe(error))")
        }
        try await body(payload, context)
    }

    private static func describe(_ error: any Error) -> String {
        switch error {
        case DecodingError.keyNotFound(let key, _): "key \"\(key.stringValue)\" is missing"
        case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context),
            DecodingError.dataCorrupted(let context):
            "\(context.codingPath.map(\.stringValue).joined(separator: ".")): \(context.debugDescription)"
        default: "\(error)"
        }
    }
}

extension TaskDefinition {
    /// A task whose payload is a `Decodable` type.
    public init<Payload: Decodable & Sendable>(
        _ name: String, of type: Payload.Type, queue: String = TopicNames.defaultQueue, timeout: Int64 = 3_600_000,
        retry: RetryPolicy = RetryPolicy(), run: @escaping @Sendable (Payload, TaskContext) async throws -> Void
    ) {
        self.init(name, queue: queue, timeout: timeout, retry: retry, handler: TypedHandler(type, run))
    }
}
