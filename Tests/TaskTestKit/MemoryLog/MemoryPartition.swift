internal import TaskLog
internal import TaskModel

/// The records of one partition, in order of their offsets, which may have gaps.
struct MemoryPartition {
    private(set) var records: [LogRecord] = []
    private(set) var start: Int64 = 0
    private(set) var end: Int64 = 0
    /// The broker's time never goes back within a partition.
    private var lastTimestamp = Timestamp(milliseconds: .min)

    var bounds: OffsetBounds { OffsetBounds(start: start, end: end) }

    mutating func append(_ append: LogAppend, now: Timestamp) -> AppendReceipt {
        let timestamp = max(now, lastTimestamp)
        lastTimestamp = timestamp
        let receipt = AppendReceipt(offset: end, timestamp: timestamp)
        records.append(
            LogRecord(
                topic: append.topic, partition: append.partition, offset: end, timestamp: timestamp,
                key: append.key, value: append.value, headers: append.headers))
        end += 1
        return receipt
    }

    /// Index of the first record at or after `offset`.
    func index(of offset: Int64) -> Int {
        guard let first = records.first else { return 0 }
        if offset <= first.offset { return 0 }
        if offset >= end { return records.count }
        let guess = offset - first.offset
        if guess < records.count && records[Int(guess)].offset == offset { return Int(guess) }
        return firstIndex { $0.offset >= offset }
    }

    /// The first offset whose time is at or after `time`; the end when there is none.
    func offset(for time: Timestamp) -> Int64 {
        let index = firstIndex { $0.timestamp >= time }
        return index < records.count ? records[index].offset : end
    }

    /// Drops records below `offset`.
    mutating func trim(before offset: Int64) {
        guard offset > start else { return }
        records.removeSubrange(..<index(of: offset))
        start = min(offset, end)
    }

    /// Drops the records older than `time` from the front, and moves the start to the first one kept.
    mutating func dropRecords(olderThan time: Timestamp) {
        trim(before: offset(for: time))
    }

    /// Keeps the last record of each key. Tombstones stay unless they are older than `tombstoneLimit`.
    mutating func compact(droppingTombstonesBefore tombstoneLimit: Timestamp) {
        var seen: Set<[UInt8]> = []
        var kept: [LogRecord] = []
        for record in records.reversed() {
            guard let key = record.key else {
                kept.append(record)
                continue
            }
            guard seen.insert(key).inserted else { continue }
            if record.value == nil && record.timestamp < tombstoneLimit { continue }
            kept.append(record)
        }
        kept.reverse()
        records = kept
    }

    private func firstIndex(where isAtOrAfter: (LogRecord) -> Bool) -> Int {
        var low = 0
        var high = records.count
        while low < high {
            let middle = (low + high) / 2
            if isAtOrAfter(records[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
