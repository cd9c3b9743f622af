internal import TaskLog

/// What a reader fetches: positions by partition, some of them paused. A value; the reading is somebody else's.
struct FetchPlan {
    private struct Entry {
        var partition: TopicPartition
        var id: Int64
        var position: Int64
        var isPaused = false
        /// Grows when the position is set from outside, so that a read under way then counts for nothing.
        var version: UInt64
    }

    /// A read to do, and the version of the entry that it was planned for.
    struct Step: Sendable {
        var request: ReadRequest
        fileprivate var version: UInt64
    }

    private var entries: [Entry] = []
    private var versions: UInt64 = 0
    /// Where the next read begins, so that a busy partition does not starve the others.
    private var turn = 0

    var partitionIDs: Set<Int64> { Set(entries.map(\.id)) }

    /// Adds or moves; a paused partition stays paused.
    mutating func set(_ partition: TopicPartition, id: Int64, to position: Int64) {
        versions += 1
        if let index = entries.firstIndex(where: { $0.partition == partition }) {
            entries[index].position = position
            entries[index].version = versions
        } else {
            entries.append(Entry(partition: partition, id: id, position: position, version: versions))
        }
    }

    /// Goes on further ahead, never back.
    mutating func skip(to positions: [TopicPartition: Int64]) {
        for index in entries.indices {
            guard let position = positions[entries[index].partition], position > entries[index].position else {
                continue
            }
            versions += 1
            entries[index].position = position
            entries[index].version = versions
        }
    }

    mutating func remove(_ partitions: [TopicPartition]) {
        entries.removeAll { partitions.contains($0.partition) }
    }

    mutating func setPaused(_ isPaused: Bool, _ partitions: [TopicPartition]) {
        for index in entries.indices where partitions.contains(entries[index].partition) {
            entries[index].isPaused = isPaused
        }
    }

    /// What can be read now, given the ends of partitions.
    func steps(ends: ([Int64]) -> [Int64]) -> [Step] {
        let ends = ends(entries.map(\.id))
        return entries.indices.compactMap { step in
            let index = (turn + step) % entries.count
            let entry = entries[index]
            guard !entry.isPaused, entry.position < ends[index] else { return nil }
            let request = ReadRequest(
                partition: entry.partition, partitionID: entry.id, start: entry.position, end: ends[index])
            return Step(request: request, version: entry.version)
        }
    }

    /// Takes the results of steps in, leaving out what was moved, removed or paused meanwhile: that is read again later.
    mutating func accept(_ results: [(step: Step, batch: ReadBatch)]) -> [LogRecord] {
        var records: [LogRecord] = []
        for (step, batch) in results {
            guard let index = entries.firstIndex(where: { $0.version == step.version }), !entries[index].isPaused
            else { continue }
            entries[index].position = batch.position
            turn = (index + 1) % entries.count
            if records.isEmpty { records = batch.records } else { records += batch.records }
        }
        return records
    }
}
