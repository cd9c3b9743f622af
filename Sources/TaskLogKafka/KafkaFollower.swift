internal import KafkaClient
internal import TaskLog

/// Reads partitions from explicit positions on, by a consumer without a group.
final class KafkaFollower: LogFollower {
    private let session: FetchSession
    private let verify: @Sendable ([TopicPartition]) async throws -> Void
    private let onClose: @Sendable (FetchSession) -> Void
    private static let maximumBatchRecords = 1000

    init(
        _ session: FetchSession, verify: @escaping @Sendable ([TopicPartition]) async throws -> Void,
        onClose: @escaping @Sendable (FetchSession) -> Void
    ) {
        self.session = session
        self.verify = verify
        self.onClose = onClose
    }

    func next() async throws -> [LogRecord]? {
        while let wake = try await session.next(Self.maximumBatchRecords) {
            if case .records(let records) = wake { return records }
        }
        return nil
    }

    func add(_ positions: [TopicPartition: Int64]) async throws {
        try await verify(Array(positions.keys))
        session.change { $0.buffer.start(positions) }
    }

    func remove(_ partitions: [TopicPartition]) async {
        session.change { $0.buffer.remove(partitions) }
    }

    func skip(to positions: [TopicPartition: Int64]) {
        session.change { $0.buffer.skip(to: positions) }
    }

    func close() async {
        await session.close()
        onClose(session)
    }
}
