internal import TaskLog

/// A follower of partitions of the in-memory log.
final class MemoryFollower: LogFollower {
    private let broker: MemoryBroker
    private let reader: Int

    init(broker: MemoryBroker, reader: Int) {
        self.broker = broker
        self.reader = reader
    }

    func next() async throws -> [LogRecord]? {
        while true {
            switch broker.change({ $0.poll(self.reader) }) {
            case .records(let records): return records
            case .ended(.finished): return nil
            case .ended(.closed): throw LogError(.closed, "the in-memory log is closed")
            case .nothing, .control: try await broker.waitForNews(of: reader)
            }
        }
    }

    func add(_ positions: [TopicPartition: Int64]) async throws {
        try broker.change { state in
            guard state.readers[self.reader]?.ending == nil else { throw LogError(.closed, "the follower is closed") }
            for (partition, position) in positions { try state.fetch(partition, from: position, by: self.reader) }
        }
    }

    func remove(_ partitions: [TopicPartition]) async {
        broker.change { $0.readers[self.reader]?.fetch.remove(partitions) }
    }

    func skip(to positions: [TopicPartition: Int64]) {
        broker.change { $0.readers[self.reader]?.fetch.skip(to: positions) }
    }

    func close() async {
        broker.change { $0.end(self.reader, .finished) }
    }
}
