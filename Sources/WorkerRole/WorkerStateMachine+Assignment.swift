internal import TaskLog
internal import TaskModel

/// Partitions come: restore the ledger, then open. Nothing is fetched before the fold is whole.
extension WorkerStateMachine {
    mutating func assign(_ assigned: [TopicPartition], epoch: Int64, _ now: WorkerNow) {
        guard case .running = life else { return }
        // An assignment that was never taken back is over all the same.
        lose(assigned.filter { slot(of: $0) != nil }, now)
        for due in assigned.sorted() {
            guard let name = configuration.names.queue(ofDueTopic: due.topic),
                let queue = configuration.queues.first(where: { $0.name == name })
            else { continue }
            let slot = giveSlot(due, TopicPartition(configuration.names.ledger(name), due.partition), queue)
            assignments += 1
            partitions[slot].begin(epoch: epoch, assignment: assignments, slot: slot)
            emit(.restore(due, epoch: epoch, ledgerFrom: beginScan(of: slot)))
        }
        setNextExpiry()
    }

    /// Where the scan of the ledger begins: where the worker has stopped to follow it, if it has.
    private mutating func beginScan(of slot: Int) -> Int64? {
        guard ledgers[slot].isFollowed else {
            ledgers[slot] = LedgerState(stage: .restoring)
            return nil
        }
        ledgers[slot].stage = .catchingUp
        ledgers[slot].expiresAt = nil
        // What it brought between the end of the scan and its own new start would move the fold past what lies between.
        emit(.unfollow([partitions[slot].ledger]))
        return ledgers[slot].position
    }

    private mutating func giveSlot(_ due: TopicPartition, _ ledger: TopicPartition, _ queue: WorkerQueue) -> Int {
        if let slot = slots[due] { return slot }
        let slot = partitions.count
        partitions.append(PartitionState(due: due, ledger: ledger, queue: queue.name, count: queue.partitions))
        ledgers.append(LedgerState())
        slots[due] = slot
        slots[ledger] = slot
        return slot
    }

    /// The slot of a partition that is being restored for this assignment.
    private func restoring(_ due: TopicPartition, _ epoch: Int64) -> Int? {
        guard let slot = slot(of: due), partitions[slot].epoch == epoch, partitions[slot].phase == .restoring else {
            return nil
        }
        return slot
    }

    mutating func scanned(_ due: TopicPartition, epoch: Int64, _ entries: [LedgerEntry]) {
        guard let slot = restoring(due, epoch) else { return }
        for entry in entries {
            guard let (record, change) = fold(entry, into: slot) else { continue }
            obeyInAttempts(record, change, slot)
        }
    }

    mutating func restored(_ due: TopicPartition, epoch: Int64, _ position: RestoredPosition, _ now: WorkerNow) {
        guard let slot = restoring(due, epoch) else { return }
        if ledgers[slot].position < position.ledgerEnd { ledgers[slot].isUntouched = false }
        ledgers[slot].position = max(ledgers[slot].position, position.ledgerEnd)
        ledgers[slot].stage = .followed
        emit(.follow(partitions[slot].ledger, from: position.ledgerEnd))
        switch Self.start(position, due, isUntouched: ledgers[slot].isUntouched) {
        case .failure(let problem):
            partitions[slot].phase = .stopped
            emit(.report(.stopped(due, problem.text)))
        case .success(let start):
            open(slot, at: start, position)
            resolveLateCompletions(of: slot, now)
            if nextEviction == nil { nextEviction = now.uptime + evictionInterval }
            if nextTrim == nil { nextTrim = now.uptime + Self.trimInterval }
        }
    }

    private mutating func open(_ slot: Int, at start: Int64, _ position: RestoredPosition) {
        let due = partitions[slot].due
        // An operator's start position that overrides a commit also overrides what that commit knows.
        let committed = position.committed.flatMap { $0.offset <= position.due.end ? $0 : nil }
        let metadata = committed.flatMap { CommitMetadata(offset: $0.offset, metadata: $0.metadata) }
        let isUnclean = committed != nil && metadata?.isClean != true
        partitions[slot].open(
            at: start, committed: metadata, suspectsBelow: isUnclean ? position.due.end : 0,
            maximumSuspects: configuration.maximumSuspects)
        // From here on a crash is visible: the mark is gone before the first attempt starts.
        guard let commit = partitions[slot].takeCommit(isClean: false) else { return }
        emit(.open(due, epoch: partitions[slot].epoch, start: start, commit: commit))
        if let committed, committed.offset < start {
            emit(.report(.deleted(due, from: committed.offset, to: start)))
        }
        emit(.report(.opened(due, start: start, suspects: isUnclean)))
    }

    struct StartProblem: Error {
        var text: String
    }

    /// Where to start, or why only the operator can say. Never a guess: a wrong one loses events or runs old ones again.
    static func start(
        _ position: RestoredPosition, _ due: TopicPartition, isUntouched: Bool
    ) -> Result<Int64, StartProblem> {
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
        guard !isUntouched || bounds.start > 0 else { return .success(bounds.start) }
        return .failure(
            StartProblem(
                text: "\(due): no committed offset, though the log has been worked on before: "
                    + "the group's offsets expired or were deleted; \(advice)"))
    }
}
