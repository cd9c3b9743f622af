internal import TaskLog
internal import TaskModel

/// No broker deletes from `due` by time, for what is unsettled must stay however old it is: the owner deletes what is
/// settled and past its retention.
extension WorkerStateMachine {
    /// Milliseconds. A trim that fails is tried again at the next one.
    static let trimInterval: Int64 = 3_600_000

    /// Age is counted from the broker time at the watermark, so that a queue at rest keeps its last days.
    mutating func trimDue(_ now: WorkerNow) {
        let held = heldSlots
        nextTrim = held.isEmpty ? nil : now.uptime + Self.trimInterval
        for slot in held where partitions[slot].phase == .open {
            let time = partitions[slot].watermarkTime
            guard time > .epoch else { continue }
            let watermark = partitions[slot].tracker.watermark
            emit(
                .trim(partitions[slot].due, below: watermark, takenBefore: time - configuration.dueRetention))
        }
    }
}
