internal import TaskLog
internal import TaskModel

/// Partitions come and go.
extension SchedulerStateMachine {
    mutating func assign(_ partitions: [TopicPartition], epoch: Int64) {
        for partition in partitions.sorted() {
            drop(partition)
            lastTenure += 1
            let tenure = Tenure(partition: partition, number: lastTenure)
            owned[partition] = Owned(tenure: tenure, epoch: epoch, phase: .restoring(attempt: 1))
            actions.append(.restore(tenure))
        }
    }

    mutating func revoke(_ partitions: [TopicPartition]) {
        for partition in partitions where partition.topic == configuration.names.retry {
            timers[partition.partition]?.settleOffsets()
        }
        actions.append(.handOver(settledOffsets(of: partitions), partitions))
        for partition in partitions {
            drop(partition)
            actions.append(.notice(.released(partition)))
        }
    }

    mutating func lose(_ partitions: [TopicPartition]) {
        for partition in partitions where owned[partition] != nil {
            drop(partition)
            actions.append(.log(LogLine(level: .warning, message: "\(partition) was lost to another scheduler")))
            actions.append(.notice(.lost(partition)))
        }
    }

    private mutating func drop(_ partition: TopicPartition) {
        guard let tenure = owned.removeValue(forKey: partition)?.tenure else { return }
        close(tenure)
        committed[partition] = nil
    }

    /// Forgets what a tenure knew and had under way.
    private mutating func close(_ tenure: Tenure) {
        let partition = tenure.partition
        outbox.cancel { $0.tenure == tenure }
        if partition.topic == configuration.names.commands {
            schedules[partition.partition] = nil
            actions.append(.unfollow([schedulesPartition(partition.partition)]))
        } else {
            timers[partition.partition] = nil
        }
    }

    func schedulesPartition(_ partition: Int32) -> TopicPartition {
        TopicPartition(configuration.names.schedules, partition)
    }

    func commandsPartition(_ partition: Int32) -> TopicPartition {
        TopicPartition(configuration.names.commands, partition)
    }

    mutating func open(_ tenure: Tenure, _ restoration: Restoration, _ now: ClockReading) {
        guard isCurrent(tenure), case .restoring? = owned[tenure.partition]?.phase else { return }
        let partition = tenure.partition.partition
        owned[tenure.partition]?.phase = .open
        switch restoration {
        case .retry(let restored):
            timers[partition] = restored
            actions.append(.start([tenure.partition: restored.position]))
            reportForeign(partition, now)
            anticipateQueues(of: partition)
        case .schedules(let restored):
            openSchedules(tenure, restored)
        }
        actions.append(.notice(.restored(tenure.partition)))
        // Its acknowledgement also tells the broker's time, without which nothing fires.
        journal(
            .restored, subject: configuration.writerName, reason: "\(tenure.partition) is this scheduler's now", now)
    }

    private mutating func openSchedules(_ tenure: Tenure, _ restored: ScheduleRestoration) {
        let partition = tenure.partition.partition
        let epoch = owned[tenure.partition]?.epoch ?? 0
        schedules[partition] = SchedulePartition(
            table: ScheduleTable(restored),
            commands: CommandQueue(position: restored.commandsStart, answered: restored.answered))
        for definition in restored.schedules.definitions.values where !definition.isRemoved {
            directory.anticipate(definition.spec.queue)
        }
        let leftovers = restored.leftovers
        if !leftovers.isEmpty {
            for key in leftovers { schedules[partition]?.table.begin(key.id) }
            outbox.add(
                [leftovers.map { maker.schedule(.tombstone($0), partition: partition, epoch: epoch) }],
                for: .restate(tenure, ids: leftovers.map(\.id)))
        }
        for id in restored.schedules.overwritten.sorted() { writeOver(id, tenure, writer: nil) }
        for problem in restored.unreadable {
            metrics.undecodable.increment()
            actions.append(.log(LogLine(level: .error, message: "a schedule cannot be read: \(problem)")))
        }
        actions.append(.follow(schedulesPartition(partition), from: restored.schedulesEnd))
        actions.append(.start([tenure.partition: restored.commandsStart]))
    }

    mutating func restoreFailed(_ tenure: Tenure, _ error: LogError, _ now: ClockReading) {
        guard isCurrent(tenure), case .restoring(let attempt)? = owned[tenure.partition]?.phase else { return }
        guard error.isRetriable || error.code == .offsetOutOfRange else {
            actions.append(
                .fail(SchedulerError(.log, "\(tenure.partition) cannot be read: \(error.message)", cause: error)))
            return
        }
        let pause = min(10_000, Int64(100) << Int64(min(attempt - 1, 7)))
        owned[tenure.partition]?.phase = .waiting(until: now.uptime + pause, attempt: attempt)
        actions.append(
            .log(
                LogLine(
                    level: .warning, message: "\(tenure.partition) cannot be read now: \(error.message)",
                    fields: ["retry_ms": String(pause)])))
    }

    mutating func restoreAgain(_ now: ClockReading) {
        for (partition, entry) in owned {
            guard case .waiting(let until, let attempt) = entry.phase, until <= now.uptime else { continue }
            owned[partition]?.phase = .restoring(attempt: attempt + 1)
            actions.append(.restore(entry.tenure))
        }
    }

    // MARK: zombies

    /// Records of `schedules` as they land. Ours are known already; a record of a lower epoch is a zombie's, and ours is
    /// written over it; one of a higher epoch says that the zombie is us.
    mutating func follow(_ records: [LogRecord]) {
        for record in records {
            let partition = commandsPartition(record.partition)
            guard let entry = owned[partition], case .open = entry.phase else { continue }
            let own = ScheduleWriter(epoch: entry.epoch, name: configuration.writerName)
            guard !SchedulesTopicRecord.isWritten(by: own, record.headers), let key = ScheduleKey(record.key)
            else { continue }
            let writer = SchedulesTopicRecord.writer(in: record.headers)
            if let writer, writer.epoch > entry.epoch {
                supersede(entry.tenure, by: writer)
            } else {
                writeOver(key.id, entry.tenure, writer: writer)
            }
        }
    }

    private mutating func writeOver(_ id: String, _ tenure: Tenure, writer: ScheduleWriter?) {
        actions.append(
            .log(
                LogLine(
                    level: .warning,
                    message: "a scheduler that lost \(tenure.partition) wrote \(id): written over",
                    fields: ["writer": writer?.description ?? "unknown"])))
        rewrite(id, tenure)
    }

    private mutating func supersede(_ tenure: Tenure, by writer: ScheduleWriter) {
        close(tenure)
        owned[tenure.partition]?.phase = .superseded
        actions.append(
            .log(
                LogLine(
                    level: .warning, message: "\(tenure.partition) is written by its next owner: hands off",
                    fields: ["writer": writer.description])))
        actions.append(.notice(.superseded(tenure.partition)))
    }

    mutating func rewrite(_ id: String, _ tenure: Tenure) {
        let partition = tenure.partition.partition
        guard let epoch = owned[tenure.partition]?.epoch,
            let records = schedules[partition]?.table.rewrite(id)
        else { return }
        schedules[partition]?.table.begin(id)
        outbox.add(
            [records.map { maker.schedule($0, partition: partition, epoch: epoch) }],
            for: .restate(tenure, ids: [id]))
    }
}
