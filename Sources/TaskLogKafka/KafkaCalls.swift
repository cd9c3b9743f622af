internal import KafkaClient
internal import TaskLog

/// Blocking questions to the cluster, asked on threads made for it, and asked again for a bounded time while the answer
/// is one that passes by itself.
final class KafkaCalls: Sendable {
    private let pool = BlockingPool(maximumThreads: 4)
    private let admin: KafkaAdmin
    private let mock: KafkaMockCluster?
    private let patience: Duration

    init(_ admin: KafkaAdmin, mock: KafkaMockCluster?, patience: Duration) {
        self.admin = admin
        self.mock = mock
        self.patience = patience
    }

    func close() {
        pool.close()
        admin.close()
    }

    /// Asks once.
    func once<Value: Sendable>(
        _ action: String, _ body: @escaping @Sendable (KafkaAdmin) throws -> Value
    ) async throws -> Value {
        do {
            return try await pool.run { [admin] in try body(admin) }
        } catch {
            throw LogError.wrap(error, action)
        }
    }

    /// Asks until there is an answer, or an error that stays, or the time is up.
    ///
    /// - Parameter passing: a code that passes by itself here, though not everywhere.
    func retrying<Value: Sendable>(
        _ action: String, passing: LogError.Code? = nil, _ body: @escaping @Sendable (KafkaAdmin) throws -> Value
    ) async throws -> Value {
        let deadline = ContinuousClock.now + patience
        var pause = Duration.milliseconds(20)
        while true {
            do {
                return try await once(action, body)
            } catch let error as LogError
                where (error.isRetriable || error.code == passing) && ContinuousClock.now + pause < deadline
            {
                try await Task.sleep(for: pause)
                pause = min(pause * 2, .seconds(1))
            }
        }
    }

    /// The settings of topics, which exist, as the brokers or the mock's memory have them.
    func settings(ofTopics names: [String]) async throws -> [String: [String: String]] {
        if let mock { return mock.topics.filter { names.contains($0.key) }.mapValues(\.settings) }
        // A new topic is known to the broker that told us of it, and to the one that is asked now a moment later.
        return try await retrying("describe topics", passing: .unknownTopic) { try $0.settings(ofTopics: names) }
    }
}
