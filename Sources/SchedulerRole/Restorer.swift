internal import ServiceRuntime
import Synchronization
internal import TaskLog
internal import TaskModel

/// Reads what a partition holds: the I/O behind ``Restoration``.
struct Restorer: Sendable {
    let log: any TaskLog
    let configuration: SchedulerConfiguration
    /// Bytes of waiting events that one partition may keep in memory.
    let partitionBudget: Int

    private var names: TopicNames { configuration.names }

    func restore(_ partition: TopicPartition) async throws -> Restoration {
        partition.topic == names.retry
            ? .retry(try await restoreRetry(partition)) : .schedules(try await restoreSchedules(partition))
    }

    /// From the lowest live offset, which was committed, to the end. A commit outside the log (it was made anew) means
    /// its beginning: reading too much folds to the same.
    private func restoreRetry(_ partition: TopicPartition) async throws -> RetryTimers {
        let start = try await start(of: partition)
        let fold = Mutex(
            RetryTimers(
                position: start.from, budget: partitionBudget, markerLifetime: configuration.cancelMarkerLifetime))
        try await log.scan(partition, from: start.from, to: start.end) { records in
            fold.withLock { timers in
                for record in records { timers.apply(record) }
            }
            return true
        }
        return fold.withLock { timers in
            timers.reach(start.end)
            return timers
        }
    }

    private func restoreSchedules(_ commands: TopicPartition) async throws -> ScheduleRestoration {
        let fold = Mutex(ScheduleRestoration())
        let schedules = TopicPartition(names.schedules, commands.partition)
        let bounds = try await log.bounds(of: [schedules])[schedules] ?? OffsetBounds(start: 0, end: 0)
        try await log.scan(schedules, from: bounds.start, to: bounds.end) { records in
            fold.withLock { restoration in
                for record in records { restoration.apply(schedule: record) }
            }
            return true
        }
        let start = try await start(of: commands)
        try await log.scan(commands, from: start.from, to: start.end) { records in
            fold.withLock { restoration in
                for record in records { restoration.apply(command: record) }
            }
            return true
        }
        return fold.withLock { restoration in
            restoration.commandsStart = start.from
            restoration.schedulesEnd = bounds.end
            return restoration
        }
    }

    private func start(of partition: TopicPartition) async throws -> (from: Int64, end: Int64) {
        let committed = try await log.committed(group: names.schedulerGroup, partitions: [partition])[partition]
        guard let bounds = try await log.bounds(of: [partition])[partition] else {
            throw LogError(.unknownPartition, "\(partition) does not exist")
        }
        let from = committed?.offset ?? bounds.start
        return (from >= bounds.start && from <= bounds.end ? from : bounds.start, bounds.end)
    }

    /// The records at these offsets (ascending) of a partition of `retry`; missing ones are left out.
    func fetch(_ offsets: [Int64], of partition: TopicPartition) async throws -> [LogRecord] {
        let found = Mutex<[LogRecord]>([])
        for run in Self.runs(offsets) {
            try await log.scan(partition, from: run.lowerBound, to: run.upperBound + 1) { records in
                found.withLock { $0 += records }
                return true
            }
        }
        let wanted = Set(offsets)
        return found.withLock { $0.filter { wanted.contains($0.offset) } }
    }

    /// Neighbours are read in one scan; a gap of up to 16 records is cheaper to read than to skip.
    static func runs(_ offsets: [Int64]) -> [ClosedRange<Int64>] {
        var runs: [ClosedRange<Int64>] = []
        for offset in offsets {
            if let last = runs.last, offset - last.upperBound <= 16 {
                runs[runs.count - 1] = last.lowerBound...max(offset, last.upperBound)
            } else {
                runs.append(offset...offset)
            }
        }
        return runs
    }
}
