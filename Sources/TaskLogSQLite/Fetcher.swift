import Synchronization
internal import TaskLog

/// Reads the partitions of one member or follower, when asked. Nothing is read ahead, so a pause or a move can neither
/// lose nor repeat a record, and nothing piles up when the caller is slow.
final class Fetcher: Sendable {
    private let log: SQLiteTaskLog
    private let signal: Signal
    private let subscription: Tail.Subscription
    private let plan = Mutex(FetchPlan())
    private let maximumRecords: Int
    private let maximumBytes: Int

    /// `signal` is raised when there may be more to read.
    init(log: SQLiteTaskLog, signal: Signal, maximumRecords: Int, maximumBytes: Int) {
        self.log = log
        self.signal = signal
        self.maximumRecords = max(1, maximumRecords)
        self.maximumBytes = maximumBytes
        subscription = log.tail.subscribe { signal.raise() }
    }

    deinit { log.tail.unsubscribe(subscription) }

    /// Positions with the ids of their partitions, checked: throws `offsetOutOfRange` for one past the end, where
    /// nothing would ever be read. One below the first kept record is taken, and goes on there.
    func check(_ positions: [TopicPartition: Int64]) async throws -> [(TopicPartition, id: Int64, position: Int64)] {
        guard !positions.isEmpty else { return [] }
        let log = log
        return try await log.readers.read { connection in
            var found: [(TopicPartition, id: Int64, position: Int64)] = []
            var ends: [Int64: Int64] = [:]
            for (partition, position) in positions {
                let id = try log.catalog.id(of: partition, in: connection)
                let end = try RecordReader.bounds(id, in: connection).end
                guard (0...end).contains(position) else {
                    throw LogError(.offsetOutOfRange, "start of \(partition) at \(position), but it ends at \(end)")
                }
                ends[id] = end
                found.append((partition, id, position))
            }
            log.tail.advance(ends)
            return found
        }
    }

    func set(_ positions: [(TopicPartition, id: Int64, position: Int64)]) {
        change { plan in
            for (partition, id, position) in positions { plan.set(partition, id: id, to: position) }
        }
    }

    func remove(_ partitions: [TopicPartition]) { change { $0.remove(partitions) } }

    func skip(to positions: [TopicPartition: Int64]) { plan.withLock { $0.skip(to: positions) } }

    func setPaused(_ isPaused: Bool, _ partitions: [TopicPartition]) {
        change { $0.setPaused(isPaused, partitions) }
    }

    /// What can be read now; empty when nothing can.
    func read() async throws -> [LogRecord] {
        while true {
            let steps = plan.withLock { $0.steps(ends: log.tail.ends) }
            guard !steps.isEmpty else { return [] }
            let (maximumRecords, maximumBytes) = (maximumRecords, maximumBytes)
            let results = try await log.readers.read { connection in
                var results: [(FetchPlan.Step, ReadBatch)] = []
                var records = 0
                var bytes = 0
                for step in steps where records < maximumRecords && bytes < maximumBytes {
                    let batch = try RecordReader.read(
                        step.request, maximumRecords: maximumRecords - records, maximumBytes: maximumBytes - bytes,
                        in: connection)
                    records += batch.records.count
                    bytes += batch.bytes
                    results.append((step, batch))
                }
                return results
            }
            let records = plan.withLock { $0.accept(results.map { (step: $0.0, batch: $0.1) }) }
            if !records.isEmpty { return records }
        }
    }

    private func change(_ body: (inout FetchPlan) -> Void) {
        plan.withLock { plan in
            body(&plan)
            log.tail.watch(plan.partitionIDs, by: subscription)
        }
        signal.raise()
    }
}
