internal import Foundation
internal import ServiceRuntime
internal import TaskLog
internal import TaskModel
internal import TaskTelemetry

/// The tasks round the loop.
extension WorkerService {
    /// How long a hand-off may wait for the log; the group gives a revocation two seconds.
    static let handOffBound: Int64 = 1200
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
                guard await mailbox.send(.machine(.ledger(records))) else { return }
            }
        } catch {
            mailbox.post(.failed(error))
        }
    }

    /// The commit comes first: a crash after the fetch began must be visible to the successor.
    func open(_ due: TopicPartition, _ start: Int64, _ commit: CommittedOffset, _ member: any GroupMember) async {
        var pause: Int64 = 100
        while !Task.isCancelled {
            do {
                try await member.commit([due: commit])
                return try await member.start([due: start])
            } catch let error as LogError where error.code == .fenced {
                return
            } catch let error as LogError where error.code == .closed {
                return
            } catch {
                logger.warning("opening failed; trying again", ["partition": "\(due)", "error": "\(error)"])
                try? await time.sleep(milliseconds: pause)
                pause = min(5000, pause * 2)
            }
        }
    }

    /// A commit is a statement of fact: one that fails is followed by a newer one.
    func commit(_ commits: [TopicPartition: CommittedOffset], _ member: any GroupMember) async {
        do {
            try await member.commit(commits)
        } catch {
            logger.debug("commit failed", ["error": "\(error)"])
        }
    }

    func handOff(
        _ partitions: [TopicPartition], _ commits: [TopicPartition: CommittedOffset], after barrier: OneShot,
        _ member: any GroupMember
    ) async {
        _ = await time.wait(for: barrier, milliseconds: Self.handOffBound)
        let committed = OneShot()
        // Not awaited as a child: a coordinator that does not answer must not hold the partitions.
        Task {
            if !commits.isEmpty { await commit(commits, member) }
            committed.fire()
        }
        _ = await time.wait(for: committed, milliseconds: 500)
        await member.release(partitions)
    }

    func beat() async {
        while !Task.isCancelled {
            guard mailbox.post(.heartbeat) else { return }
            do { try await time.sleep(milliseconds: Self.heartbeatInterval) } catch { return }
        }
    }

    /// One record of what this worker is and does, for `doctor` and dashboards; and the lag gauges.
    func beat(_ machine: WorkerStateMachine, _ group: inout ThrowingTaskGroup<Void, any Error>) {
        let status = WorkerStatus(
            worker: configuration.identity, role: "worker", version: TidemillVersion.current,
            host: ProcessInfo.processInfo.hostName, processID: ProcessInfo.processInfo.processIdentifier,
            partitions: machine.openPartitions.map(\.description), running: machine.runningCount,
            concurrency: configuration.concurrency, at: time.now())
        pipeline.submit(
            PendingAppend(
                purpose: .note,
                record: LogAppend(
                    topic: configuration.names.workers, partition: 0, key: Array(status.worker.utf8),
                    value: CanonicalJSON.encode(status))))
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

    func report(_ report: WorkerReport) {
        switch report {
        case .opened(let partition, let start, let suspects):
            logger.info(
                "partition opened",
                [
                    "partition": "\(partition)", "offset": "\(start)",
                    "after": suspects ? "unclean takeover" : "clean takeover",
                ])
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
        case .appendFailed(let error): logger.warning("append failed; trying again", ["error": error.message])
        case .leaseLost(let coordinate):
            logger.warning("lease lost, attempt cancelled", ["fingerprint": coordinate.fingerprint.hex])
        case .resolved(let coordinate):
            logger.info("dead letter resolved by a late completion", ["fingerprint": coordinate.fingerprint.hex])
        }
    }
}
