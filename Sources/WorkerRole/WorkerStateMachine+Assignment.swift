internal import TaskLog
internal import TaskModel

/// Partitions come: restore the ledger, then open. Nothing is fetched before the fold is whole.
extension WorkerStateMachine {
    mutating func assign(_ assigned: [TopicPartition], epoch: Int64) {
        guard case .running = life else { return }
        for due in assigned.sorted() {
            guard let queue = configuration.names.queue(ofDueTopic: due.topic) else { continue }
            let ledger = TopicPartition(configuration.names.ledger(queue), due.partition)
            partitions[due] = PartitionState(due: due, ledger: ledger, queue: queue, epoch: epoch)
            ledgers[ledger]?.expiresAt = nil
            let known = ledgers[ledger]?.position
            if known == nil { ledgers[ledger] = LedgerState(fold: LedgerFold(), position: 0) }
            actions.append(.restore(due, epoch: epoch, ledgerFrom: known))
        }
    }

    mutating func scanned(_ due: TopicPartition, epoch: Int64, _ records: [LogRecord]) {
        guard let partition = partitions[due], partition.epoch == epoch else { return }
        for record in records { fold(record, into: partition.ledger) }
    }

    mutating func restored(_ due: TopicPartition, epoch: Int64, _ position: RestoredPosition, _ now: WorkerNow) {
        guard let partition = partitions[due], partition.epoch == epoch, partition.phase == .restoring else { return }
        if let ledger = ledgers[partition.ledger] {
            ledgers[partition.ledger]?.position = max(ledger.position, position.ledgerEnd)
        }
        switch Self.start(position, due) {
        case .failure(let problem):
            partitions[due]?.phase = .stopped
            actions.append(.report(.stopped(due, problem.text)))
        case .success(let start):
            open(due, at: start, position)
            if nextEviction == nil { nextEviction = now.uptime + evictionInterval }
        }
    }

    private mutating func open(_ due: TopicPartition, at start: Int64, _ position: RestoredPosition) {
        guard var partition = partitions[due] else { return }
        let committed = position.committed.flatMap { $0.offset == start ? $0 : nil }
        let metadata = committed.flatMap { CommitMetadata(offset: $0.offset, metadata: $0.metadata) }
        partition.phase = .open
        partition.tracker = OffsetTracker(start: start)
        partition.committedHoles = metadata.map(CommittedHoles.init)
        let isUnclean = committed != nil && metadata?.isClean != true
        if isUnclean {
            partition.suspectEnd = position.due.end
            partition.suspectsLeft = configuration.maximumSuspects
        }
        // From here on a crash is visible: the mark is gone before the first attempt starts.
        let unclean = metadata.map { CommitMetadata(highMark: $0.highMark, holes: $0.holes, isClean: false) }
        let commit = CommittedOffset(
            offset: start,
            metadata: (unclean ?? CommitMetadata(highMark: start, holes: [], isClean: false)).encoded(offset: start))
        partition.lastCommit = commit
        partitions[due] = partition
        actions.append(.open(due, epoch: partition.epoch, start: start, commit: commit))
        actions.append(.report(.opened(due, start: start, suspects: isUnclean)))
    }

    struct StartProblem: Error {
        var text: String
    }

    /// Where to start, or why only the operator can say. Never a guess: a wrong one loses events or runs old ones again.
    static func start(_ position: RestoredPosition, _ due: TopicPartition) -> Result<Int64, StartProblem> {
        let bounds = position.due
        let advice = "start the worker once with --from start, --from now or --from TIME"
        if let committed = position.committed {
            if committed.offset <= bounds.end { return .success(max(committed.offset, bounds.start)) }
            if let requested = position.requestedStart { return .success(requested) }
            return .failure(
                StartProblem(
                    text: "\(due): the committed offset \(committed.offset) lies past the log's end \(bounds.end): "
                        + "the topic was made anew or lost records; \(advice)"))
        }
        if let requested = position.requestedStart { return .success(requested) }
        guard position.ledgerEnd > 0 || bounds.start > 0 else { return .success(bounds.start) }
        return .failure(
            StartProblem(
                text: "\(due): no committed offset, though the log has been worked on before: "
                    + "the group's offsets expired or were deleted; \(advice)"))
    }
}
