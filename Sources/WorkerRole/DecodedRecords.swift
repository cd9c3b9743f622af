package import TaskLog
internal import TaskModel

// Records are read beside the loop, by the task that fetched them: the loop is one, and only folds and dispatches.

/// Due records of one partition, read, in order.
package struct DueBatch: Sendable {
    let partition: TopicPartition
    let facts: [TurnFacts]

    /// A fetch holds few partitions, each in runs.
    static func read(_ records: [LogRecord]) -> [DueBatch] {
        records.runs.map { run, partition in DueBatch(partition: partition, facts: run.map { TurnFacts($0) }) }
    }
}

/// Ledger records of one partition, in order. Unread: nearly all are this worker's own, which it knows already.
package struct LedgerBatch: Sendable {
    let partition: TopicPartition
    let records: ArraySlice<LogRecord>

    static func split(_ records: [LogRecord]) -> [LedgerBatch] {
        records.runs.map { run, partition in LedgerBatch(partition: partition, records: run) }
    }
}

/// A place in a ledger and what it holds.
package struct LedgerEntry: Sendable {
    let offset: Int64
    /// Broker time.
    let time: Timestamp
    /// Nil for what is no ledger record.
    let record: LedgerRecord?

    package init(_ record: LogRecord) {
        offset = record.offset
        time = record.timestamp
        self.record = LedgerRecord(key: record.key, value: record.value)
    }
}

extension WorkerWake {
    package static func records(_ records: [LogRecord]) -> WorkerWake { .due(DueBatch.read(records)) }

    package static func ledgerRecords(_ records: [LogRecord]) -> WorkerWake { .ledger(LedgerBatch.split(records)) }
}

extension [LogRecord] {
    /// The parts of one partition each, in order.
    fileprivate var runs: [(ArraySlice<LogRecord>, TopicPartition)] {
        var runs: [(ArraySlice<LogRecord>, TopicPartition)] = []
        var rest = self[...]
        while let first = rest.first {
            let end =
                rest.firstIndex { $0.partition != first.partition || $0.topic != first.topic } ?? rest.endIndex
            runs.append((rest[..<end], first.topicPartition))
            rest = rest[end...]
        }
        return runs
    }
}
