internal import ServiceRuntime
package import TaskLog
package import TaskModel

/// What a conformance case may need that not every engine, or not every stand-in for one, can do.
package enum EngineCapability: String, CaseIterable, Sendable {
    /// `ensure` makes topics (librdkafka's mock cluster cannot).
    case createTopics
    /// An unknown topic is told from an empty one (a mock cluster makes topics on sight).
    case unknownTopicErrors
    case unknownPartitionErrors
    /// Receipts and records carry the broker's time.
    case brokerTime
    /// `offset(for:)` looks times up.
    case timeLookup
    /// The topic's record limit is enforced.
    case recordSizeLimit
    case trim
    /// `EngineUnderTest.compact` compacts a topic at once.
    case compactionOnDemand
    /// `EngineUnderTest.applyRetention` ages and deletes records at once.
    case retentionOnDemand
    /// `EngineUnderTest.vanish` makes a member fall silent.
    case memberVanish
    /// A member that does not release loses its partitions at the deadline.
    case revokeDeadline
    /// Several members share a group and its partitions move.
    case rebalancing
    /// Commit metadata is kept as it is, and refused over 4096 bytes.
    case commitMetadata
    /// 20,000 records fit.
    case largeBacklog
}

/// An engine and the world round it, made anew for each case.
///
/// `makeLog` is called several times in a case: each handle stands for another process on the same store.
package struct EngineUnderTest: Sendable {
    /// Shown in reports, for example `memory` or `kafka-mock`.
    package var name: String
    /// Begins the names of all topics and groups of the case; unique per case where cases share a store.
    package var topicPrefix: String
    package var capabilities: Set<EngineCapability>
    /// Why a capability is missing, for the skip line.
    package var missing: [EngineCapability: String] = [:]

    /// As short as the engine takes it; a manual clock can have any.
    package var sessionTimeoutMilliseconds = 8000
    package var revokeTimeoutMilliseconds = 2000
    /// Real seconds after which a case that hangs has failed.
    package var patienceSeconds = 60

    /// A new handle. The case closes it.
    package var makeLog: @Sendable () async throws -> any TaskLog
    /// Makes the topics of a case; nil: by `ensure`.
    package var createTopics: (@Sendable ([TopicSpec]) async throws -> Void)?
    /// Stops the heartbeats of a member without leaving; it does not come back by itself.
    package var vanish: @Sendable (any GroupMember) async throws -> Void = { _ in
        throw ConformanceFailure("this engine has no vanish")
    }
    /// Makes this many milliseconds pass on the clock that the engine judges sessions and deadlines by. An engine on the
    /// real clock leaves this empty: the case waits for the consequence, never for time.
    package var elapse: @Sendable (Int64) async throws -> Void = { _ in }
    package var compact: @Sendable (_ topic: String) async throws -> Void = { _ in
        throw ConformanceFailure("this engine has no compact")
    }
    /// Lets the records of a topic age by so many milliseconds, then applies its retention.
    package var applyRetention: @Sendable (_ topic: String, _ milliseconds: Int64) async throws -> Void = { _, _ in
        throw ConformanceFailure("this engine has no applyRetention")
    }
    /// The broker's wall clock, to judge whether its timestamps are sane. Default: this machine's.
    package var brokerNow: @Sendable () -> Timestamp = { SystemTimeSource().now() }
    /// After the case, whatever it came to.
    package var tearDown: @Sendable () async -> Void = {}

    package init(
        name: String, topicPrefix: String, capabilities: Set<EngineCapability>,
        makeLog: @escaping @Sendable () async throws -> any TaskLog
    ) {
        self.name = name
        self.topicPrefix = topicPrefix
        self.capabilities = capabilities
        self.makeLog = makeLog
    }
}

/// What a case found wrong.
package struct ConformanceFailure: Error, CustomStringConvertible {
    package var message: String
    package var file: String
    package var line: Int

    package init(_ message: String, file: String = #fileID, line: Int = #line) {
        self.message = message
        self.file = file
        self.line = line
    }

    package var description: String { "\(file):\(line): \(message)" }
}
