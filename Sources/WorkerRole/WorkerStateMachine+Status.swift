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

    private var openSlots: [Int] { heldSlots.filter { partitions[$0].phase == .open } }

    var openPartitions: [TopicPartition] { openSlots.map { partitions[$0].due } }

    var watermarks: [TopicPartition: Int64] {
        openSlots.reduce(into: [:]) { $0[partitions[$1].due] = partitions[$1].tracker.watermark }
    }

    /// What is known of the events of a partition that is ours or lately was.
    func fold(of due: TopicPartition) -> LedgerFold? {
        guard let slot = slots[due], ledgers[slot].isKept else { return nil }
        return ledgers[slot].fold
    }

    var partitionStatus: [PartitionStatus] {
        openSlots.map { slot in
            let partition = partitions[slot]
            let since = ledgers[slot].fold.completeSince
            return PartitionStatus(
                partition: partition.due, holes: partition.tracker.holeCount, watermark: partition.tracker.watermark,
                watermarkTime: partition.watermarkTime,
                dedupWindow: since.map { max(0, partition.watermarkTime - $0) } ?? configuration.dedupWindow)
        }
    }
}
