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
    func restore(
        _ due: TopicPartition, ledger: TopicPartition, epoch: Int64, ledgerFrom: Int64?, _ follower: any LogFollower
    ) async {
        await persist("restore", due) {
            // The follower may be at this ledger still, from when the partition was ours before. What it brought between
            // the end of the scan and its own new start would move the machine past what the new start brings.
            if ledgerFrom != nil { await follower.remove([ledger]) }
            let position = try await read(due, ledger: ledger, epoch: epoch, ledgerFrom: ledgerFrom)
            _ = await deliver(.restored(due, epoch: epoch, position))
            // From now on the machine takes what the follower brings, and that begins where the scan ended.
            await persist("following the ledger", due) { try await follower.add([ledger: position.ledgerEnd]) }
        }
    }

    private func persist(_ what: String, _ due: TopicPartition, _ body: () async throws -> Void) async {
        var pause: Int64 = 100
        while !Task.isCancelled, isCurrent() {
            do {
                return try await body()
            } catch {
                if let error = error as? LogError, error.code == .closed { return }
                // The worker ends, or the partition is another's: nothing failed.
                guard !Task.isCancelled, isCurrent() else { return }
                logger.warning("\(what) failed; trying again", ["partition": "\(due)", "error": "\(error)"])
                try? await time.sleep(milliseconds: pause)
                pause = min(5000, pause * 2)
            }
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
