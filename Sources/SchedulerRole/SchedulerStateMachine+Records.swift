internal import TaskLog
internal import TaskModel

/// What arrives: records of `commands` and `retry`, fetched payloads, and what is known of queues.
extension SchedulerStateMachine {
    /// Commands read ahead of those under way; beyond it the partition is paused until half of them are done.
    static let maximumQueuedCommands = 2000

    mutating func receive(_ records: [LogRecord], _ now: ClockReading) {
        var partitionsOfRetry: Set<Int32> = []
        for record in records {
            if record.topic == configuration.names.retry {
                timers[record.partition]?.apply(record)
                partitionsOfRetry.insert(record.partition)
            } else if record.topic == configuration.names.commands {
                receive(command: record, now)
            }
        }
        for partition in partitionsOfRetry {
            reportForeign(partition, now)
            anticipateQueues(of: partition)
        }
    }

    private mutating func receive(command record: LogRecord, _ now: ClockReading) {
        guard let arrival = schedules[record.partition]?.commands.receive(record) else { return }
        if case .foreign(let reason) = arrival {
            metrics.undecodable.increment()
            report("a record of commands is passed over", record, reason: reason, now)
        }
        guard let partition = schedules[record.partition], !partition.isPaused,
            partition.commands.count >= Self.maximumQueuedCommands
        else { return }
        schedules[record.partition]?.isPaused = true
        actions.append(.pause(record.topicPartition))
    }

    mutating func reportForeign(_ partition: Int32, _ now: ClockReading) {
        for record in timers[partition]?.takeForeign() ?? [] {
            metrics.undecodable.increment()
            report("a record of retry is passed over", record, reason: "its key names no emission", now)
        }
    }

    mutating func anticipateQueues(of partition: Int32) {
        for queue in timers[partition]?.takeNewQueues() ?? [] { directory.anticipate(queue) }
    }

    private mutating func report(_ message: String, _ record: LogRecord, reason: String, _ now: ClockReading) {
        actions.append(
            .log(LogLine(level: .error, message: "\(message): \(reason)", fields: ["place": "\(record.place)"])))
        journal(.skipped, subject: "\(record.place)", reason: reason, now)
    }

    mutating func fetched(
        _ tenure: Tenure, asked: [Int64], _ result: Result<[LogRecord], LogError>, _ now: ClockReading
    ) {
        guard isCurrent(tenure) else { return }
        switch result {
        case .success(let records): timers[tenure.partition.partition]?.loaded(records, asked: asked)
        case .failure(let error):
            failedFetches.append(
                FailedFetch(tenure: tenure, offsets: asked, retryAt: now.uptime + Self.fetchRetryMilliseconds))
            actions.append(
                .log(
                    LogLine(level: .warning, message: "waiting events cannot be fetched now: \(error.message)")))
        }
    }

    mutating func described(_ queue: String, _ result: Result<Int32?, LogError>, _ now: ClockReading) {
        let partitions: Int32?
        switch result {
        case .success(let count): partitions = count
        case .failure(let error):
            guard directory.failed(queue, uptime: now.uptime) else { return }
            actions.append(
                .log(LogLine(level: .warning, message: "queue \(queue) cannot be described now: \(error.message)")))
            return
        }
        guard directory.learn(queue, partitions: partitions, uptime: now.uptime) else { return }
        guard partitions != nil else {
            for partition in Array(timers.keys) { timers[partition]?.unloadParked(queue: queue) }
            reportMissing(queue, now)
            return
        }
        for partition in Array(timers.keys) { timers[partition]?.unpark(queue: queue) }
        for partition in Array(schedules.keys) { schedules[partition]?.table.unpark(queue: queue) }
        guard missingQueues.remove(queue) != nil else { return }
        journal(.released, subject: queue, reason: "the queue's topic exists now", now)
    }

    private mutating func reportMissing(_ queue: String, _ now: ClockReading) {
        guard missingQueues.insert(queue).inserted else { return }
        let reason = "the queue's topic \(configuration.names.due(queue)) does not exist"
        actions.append(
            .log(LogLine(level: .error, message: "events are held: \(reason)", fields: ["queue": queue])))
        actions.append(.notice(.queueMissing(queue)))
        journal(.held, subject: queue, reason: reason, now)
    }

    private mutating func fetchAgain(_ now: ClockReading) {
        let ready = failedFetches.filter { $0.retryAt <= now.uptime }
        failedFetches.removeAll { $0.retryAt <= now.uptime }
        for fetch in ready where isCurrent(fetch.tenure) {
            timers[fetch.tenure.partition.partition]?.fetchFailed(asked: fetch.offsets)
        }
    }

    /// Fetches what will be due, ends cancel markers, and settles offsets.
    mutating func upkeep(_ now: ClockReading) {
        fetchAgain(now)
        for (partition, tenure) in openRetryPartitions {
            let ended = timers[partition]?.takeEndedMarkers(now: now.wall) ?? []
            for key in ended {
                outbox.add([[maker.tombstone(key, partition: partition)]], for: .marker(tenure))
            }
            let horizon = now.wall + configuration.fetchAheadMilliseconds
            let offsets = timers[partition]?.takeFetches(horizon: horizon) ?? []
            if !offsets.isEmpty { actions.append(.fetch(tenure, offsets: offsets)) }
            timers[partition]?.settleOffsets()
        }
        metrics.waiting.set(timers.values.reduce(0) { $0 + $1.count })
        metrics.schedules.set(schedules.values.reduce(0) { $0 + $1.table.count })
        metrics.parked.set(
            timers.values.reduce(0) { $0 + $1.parkedCount }
                + schedules.values.reduce(0) { $0 + $1.table.parkedCount })
    }

    private var openRetryPartitions: [(Int32, Tenure)] {
        timers.keys.sorted().compactMap { partition in
            owned[TopicPartition(configuration.names.retry, partition)].map { (partition, $0.tenure) }
        }
    }
}
