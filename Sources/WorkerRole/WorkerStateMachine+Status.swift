internal import TaskLog
internal import TaskModel

/// What the shell shows of the machine.
extension WorkerStateMachine {
    struct PartitionStatus: Hashable, Sendable {
        var partition: TopicPartition
        var holes: Int
        var watermark: Int64
        var watermarkTime: Timestamp
        /// Milliseconds.
        var dedupWindow: Int64
    }

    var runningCount: Int { attempts.count }

    var openPartitions: [TopicPartition] { partitions.values.filter { $0.phase == .open }.map(\.due).sorted() }

    var watermarks: [TopicPartition: Int64] {
        partitions.filter { $0.value.phase == .open }.mapValues(\.tracker.watermark)
    }

    var partitionStatus: [PartitionStatus] {
        partitions.values.filter { $0.phase == .open }.map { partition in
            let since = ledgers[partition.ledger]?.fold.completeSince
            return PartitionStatus(
                partition: partition.due, holes: partition.tracker.holeCount, watermark: partition.tracker.watermark,
                watermarkTime: partition.watermarkTime,
                dedupWindow: since.map { max(0, partition.watermarkTime - $0) } ?? configuration.dedupWindow)
        }
    }
}
