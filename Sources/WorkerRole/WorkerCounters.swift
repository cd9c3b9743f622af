internal import TaskModel

/// Counts since the start, for metrics and tests.
package struct WorkerCounters: Hashable, Sendable {
    package var received: UInt64 = 0
    package var started: UInt64 = 0
    package var completed: UInt64 = 0
    package var retrying: UInt64 = 0
    package var snoozed: UInt64 = 0
    package var dead: UInt64 = 0
    package var cancelled: UInt64 = 0
    package var expired: UInt64 = 0
    package var skipped: UInt64 = 0
    /// Events that the ledger had settled already.
    package var stale: UInt64 = 0
    /// Records of a coordinate that is at work here already.
    package var duplicates: UInt64 = 0
    /// Effects done again after a takeover.
    package var redone: UInt64 = 0
    package var forwarded: UInt64 = 0
    package var undecodable: UInt64 = 0
    package var leased: UInt64 = 0
    package var reattached: UInt64 = 0
    package var appendFailures: UInt64 = 0
    /// Times that the log refused a record as too large and nothing smaller could stand for it.
    package var stuck: UInt64 = 0
    package var timeouts: UInt64 = 0

    package init() {}

    mutating func count(_ outcome: Outcome) {
        switch outcome {
        case .completed: completed += 1
        case .retrying: retrying += 1
        case .snoozed: snoozed += 1
        case .dead: dead += 1
        case .cancelled: cancelled += 1
        case .expired: expired += 1
        case .skipped: skipped += 1
        }
    }
}
