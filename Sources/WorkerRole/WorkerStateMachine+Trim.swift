internal import TaskLog
internal import TaskModel

/// No broker deletes from `due` by time, for what is unsettled must stay however old it is: the owner deletes what is
/// settled and past its retention.
extension WorkerStateMachine {
    /// Milliseconds. A trim that fails is tried again at the next one.
    static let trimInterval: Int64 = 3_600_000

    /// Age is counted from the broker time at the watermark, so that a queue at rest keeps its last days.
    mutating func trimDue(_ now: WorkerNow) {
        nextTrim = partitions.isEmpty ? nil : now.uptime + Self.trimInterval
        for due in partitions.keys.sorted() {
            guard let index = partitions.index(forKey: due), partitions.values[index].phase == .open else { continue }
            let time = partitions.values[index].watermarkTime
            guard time > .epoch else { continue }
            let watermark = partitions.values[index].tracker.watermark
            actions.append(.trim(due, below: watermark, takenBefore: time - configuration.dueRetention))
        }
    }
}
