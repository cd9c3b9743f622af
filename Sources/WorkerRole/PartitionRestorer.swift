internal import ServiceRuntime
internal import TaskLog
internal import TaskModel
internal import TaskTelemetry

/// Reads what a partition needs before it may open: its position, its bounds, and the ledger to the true end.
struct PartitionRestorer: Sendable {
    let log: any TaskLog
    let group: String
    let startPosition: StartPosition?
    let time: any TimeSource
    let logger: Logger
    /// Whether the assignment that this is for still stands.
    let isCurrent: @Sendable () -> Bool
    /// Hands a wake to the loop; false when there is none any more.
    let deliver: @Sendable (WorkerWake) async -> Bool

    /// Bounded by ownership only: an unreachable log is asked again with a growing pause while the assignment stands.
    func restore(_ due: TopicPartition, ledger: TopicPartition, epoch: Int64, ledgerFrom: Int64?) async {
        let attempts = Persistence(
            what: "restore", partition: due, time: time, logger: logger, isWanted: isCurrent)
        await attempts.persist {
            let position = try await read(due, ledger: ledger, epoch: epoch, ledgerFrom: ledgerFrom)
            _ = await deliver(.restored(due, epoch: epoch, position))
        }
    }

    private func read(
        _ due: TopicPartition, ledger: TopicPartition, epoch: Int64, ledgerFrom: Int64?
    ) async throws -> RestoredPosition {
        let committed = try await log.committed(group: group, partitions: [due])[due]
        let bounds = try await log.bounds(of: [due, ledger])
        let ledgerBounds = bounds[ledger] ?? OffsetBounds(start: 0, end: 0)
        let (deliver, isCurrent) = (deliver, isCurrent)
        try await log.scan(ledger, from: max(ledgerFrom ?? 0, ledgerBounds.start), to: ledgerBounds.end) { records in
            guard isCurrent() else { return false }
            return await deliver(.scanned(due, epoch: epoch, records.map { LedgerEntry($0) }))
        }
        return RestoredPosition(
            committed: committed, due: bounds[due] ?? OffsetBounds(start: 0, end: 0), ledgerEnd: ledgerBounds.end,
            requestedStart: try await requestedStart(due, bounds[due]))
    }

    private func requestedStart(_ due: TopicPartition, _ bounds: OffsetBounds?) async throws -> Int64? {
        switch startPosition {
        case nil: nil
        case .start: bounds?.start ?? 0
        case .now: bounds?.end ?? 0
        case .time(let instant): try await log.offset(for: instant, in: due)
        }
    }
}
