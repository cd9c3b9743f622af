internal import Foundation
internal import ServiceRuntime
internal import TaskLog
internal import TaskModel
internal import TaskTelemetry

/// The tasks round the loop.
extension WorkerService {
    static let heartbeatInterval: Int64 = 5000

    func pump(_ member: any GroupMember) async {
        do {
            while let wake = try await member.next() {
                let translated: WorkerWake =
                    switch wake {
                    case .assigned(let partitions, let epoch): .assigned(partitions, epoch: epoch)
                    case .revoking(let partitions): .revoking(partitions)
                    case .lost(let partitions): .lost(partitions)
                    case .records(let records): .records(records)
                    }
                guard await mailbox.send(.machine(translated)) else { return }
            }
        } catch {
            mailbox.post(.failed(error))
        }
    }

    func pump(_ follower: any LogFollower) async {
        do {
            while let records = try await follower.next() {
                guard await mailbox.send(.machine(.ledgerRecords(records))) else { return }
            }
        } catch {
            mailbox.post(.failed(error))
        }
    }

    func beat() async {
        while !Task.isCancelled {
            guard mailbox.post(.heartbeat) else { return }
            do { try await time.sleep(milliseconds: Self.heartbeatInterval) } catch { return }
        }
    }

    /// One record of what this worker is and does, for `doctor` and dashboards; and the lag gauges.
    func beat(_ machine: WorkerStateMachine, _ group: inout ThrowingDiscardingTaskGroup<any Error>) {
        // Nothing after the farewell: it would bring this worker back to life.
        guard machine.life != .finished else { return }
        let status = WorkerStatus(
            worker: configuration.identity, role: "worker", version: TidemillVersion.current,
            host: ProcessInfo.processInfo.hostName, processID: ProcessInfo.processInfo.processIdentifier,
            partitions: machine.openPartitions.map(\.description), running: machine.runningCount,
            concurrency: configuration.concurrency, at: time.now())
        pipeline.submit(AppendBatch([presence(CanonicalJSON.encode(status))]))
        metrics.gauges(machine, now: time.now())
        let watermarks = machine.watermarks
        guard !watermarks.isEmpty else { return }
        group.addTask {
            guard let bounds = try? await self.log.bounds(of: Array(watermarks.keys)) else { return }
            for (partition, watermark) in watermarks {
                self.metrics.lag(partition, records: max(0, (bounds[partition]?.end ?? 0) - watermark))
            }
        }
    }

    /// Best effort: what stays goes with the next trim.
    func trim(_ due: TopicPartition, below watermark: Int64, takenBefore time: Timestamp) async {
        do {
            let offset = min(watermark, try await log.offset(for: time, in: due))
            guard let bounds = try await log.bounds(of: [due])[due], bounds.start < offset else { return }
            try await log.trim(due, before: offset)
            logger.info("old records deleted", ["partition": "\(due)", "below": "\(offset)"])
        } catch {
            logger.warning("deleting old records failed", ["partition": "\(due)", "error": "\(error)"])
        }
    }

    /// A tombstone: it left in good order.
    var farewell: AppendBatch { AppendBatch([presence(nil)]) }

    private func presence(_ value: [UInt8]?) -> PendingAppend {
        PendingAppend(
            purpose: .heartbeat,
            record: LogAppend(
                topic: configuration.names.workers, partition: 0, key: Array(configuration.identity.utf8),
                value: value))
    }

    func report(_ report: WorkerReport) {
        switch report {
        case .opened(let partition, let start, let suspects):
            logger.info(
                "partition opened",
                [
                    "partition": "\(partition)", "offset": "\(start)",
                    "after": suspects ? "unclean takeover" : "clean takeover",
                ])
        case .deleted(let partition, let from, let to):
            logger.error(
                "records left the log before they were known to be settled; is there a retention on this topic?",
                ["partition": "\(partition)", "from": "\(from)", "to": "\(to)"])
        case .stopped(_, let text): logger.error(text)
        case .settled(let coordinate, let task, let outcome, let attempt, let code, let message):
            let level: LogLevel = outcome == .dead ? .warning : outcome == .completed ? .debug : .info
            logger.log(
                level, outcome.word,
                [
                    "task": task, "fingerprint": coordinate.fingerprint.hex, "replay": "\(coordinate.replay)",
                    "turn": "\(coordinate.turn)", "attempt": "\(attempt)", "code": code ?? "", "error": message ?? "",
                ])
        case .forwarded(let coordinate, let partition):
            logger.debug("moved to its partition", ["fingerprint": coordinate.fingerprint.hex, "from": "\(partition)"])
        case .appendFailed(let error):
            guard let unsaid = complaints.withLock({ $0.say(error.code, now: time.uptime()) }) else { break }
            logger.warning("append failed; trying again", ["error": error.message, "since the last line": "\(unsaid)"])
        case .leaseLost(let coordinate):
            logger.warning("lease lost, attempt cancelled", ["fingerprint": coordinate.fingerprint.hex])
        case .stuck(let coordinate, let error):
            logger.error(
                "the log refuses a record as too large; it stays unsettled and is tried again. Raise the topic's "
                    + "max.message.bytes, or trim what the event carries",
                ["fingerprint": coordinate.fingerprint.hex, "error": error.message])
        case .resolved(let key):
            logger.info("dead letter resolved by a late completion", ["fingerprint": key.fingerprint.hex])
        case .abandoned(let appends):
            logger.error("the log did not answer until the end of the stop", ["appends given up": "\(appends)"])
        }
    }
}
