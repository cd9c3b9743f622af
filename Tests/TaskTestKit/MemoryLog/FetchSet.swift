internal import TaskLog

/// What a reader fetches: positions by partition, some of them paused. Records are taken lazily, when the reader asks,
/// so nothing is buffered and a pause or a restart can neither lose nor repeat any.
struct FetchSet {
    private struct Entry {
        var partition: TopicPartition
        var position: Int64
        var isPaused: Bool
    }

    private var entries: [Entry] = []
    /// Where the next read begins, so that a busy partition does not starve the others.
    private var turn = 0

    func contains(_ partition: TopicPartition) -> Bool {
        entries.contains { $0.partition == partition }
    }

    /// Adds or moves; a paused partition stays paused.
    mutating func set(_ partition: TopicPartition, to position: Int64) {
        if let index = entries.firstIndex(where: { $0.partition == partition }) {
            entries[index].position = position
        } else {
            entries.append(Entry(partition: partition, position: position, isPaused: false))
        }
    }

    mutating func skip(to positions: [TopicPartition: Int64]) {
        for index in entries.indices {
            let position = positions[entries[index].partition] ?? 0
            entries[index].position = max(entries[index].position, position)
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

    /// The next records, at most `maximumRecords` and (after the first) `maximumBytes`.
    ///
    /// A position below the first kept record goes on there.
    mutating func read(
        maximumRecords: Int, maximumBytes: Int, from partition: (TopicPartition) -> MemoryPartition?
    ) -> [LogRecord] {
        var batch: [LogRecord] = []
        var bytes = 0
        for step in entries.indices {
            let index = (turn + step) % entries.count
            let entry = entries[index]
            guard !entry.isPaused, let source = partition(entry.partition), entry.position < source.end else {
                continue
            }
            var cursor = source.index(of: entry.position)
            while cursor < source.records.count {
                let record = source.records[cursor]
                let size = (record.key?.count ?? 0) + (record.value?.count ?? 0)
                if batch.count == maximumRecords || (!batch.isEmpty && bytes + size > maximumBytes) {
                    turn = (index + 1) % entries.count
                    return batch
                }
                batch.append(record)
                bytes += size
                entries[index].position = record.offset + 1
                cursor += 1
            }
            // Nothing but a gap may lie between the last record and the end.
            entries[index].position = source.end
        }
        if !entries.isEmpty { turn = (turn + 1) % entries.count }
        return batch
    }
}
