internal import ServiceRuntime
import Synchronization
internal import TaskLog
internal import TaskTelemetry

/// What the loop asks of the group member, carried out beside the loop.
///
/// Pauses and resumes keep their order. Openings and restores end when their assignment does: one that lingers must not
/// move the fetching of a later assignment of the same partition.
final class MemberDesk: Sendable {
    private enum Order: Sendable {
        case pause([TopicPartition: Int64])
        case resume([TopicPartition: Int64])
    }

    /// How long a hand-off may wait for the log to take what it says. With the commit after it, less than the group's
    /// patience.
    let handOffBound: Int64
    private let commitBound: Int64
    let member: any GroupMember
    private let time: any TimeSource
    private let logger: Logger
    private let epochs = Mutex<[TopicPartition: Int64]>([:])
    /// Bounded by the machine: a partition is paused and resumed by turns.
    private let orders = Mailbox<Order>(capacity: .max)

    init(member: any GroupMember, revokeTimeout: Int, time: any TimeSource, logger: Logger) {
        handOffBound = Int64(revokeTimeout) * 6 / 10
        commitBound = Int64(revokeTimeout) / 4
        self.member = member
        self.time = time
        self.logger = logger
    }

    // MARK: from the loop

    func assigned(_ due: TopicPartition, epoch: Int64) { epochs.withLock { $0[due] = epoch } }

    func forget(_ partitions: [TopicPartition]) {
        epochs.withLock { epochs in for due in partitions { epochs[due] = nil } }
    }

    func isCurrent(_ due: TopicPartition, _ epoch: Int64) -> Bool { epochs.withLock { $0[due] } == epoch }

    func pause(_ partitions: [TopicPartition]) { orders.post(.pause(current(partitions))) }

    func resume(_ partitions: [TopicPartition]) { orders.post(.resume(current(partitions))) }

    private func current(_ partitions: [TopicPartition]) -> [TopicPartition: Int64] {
        epochs.withLock { epochs in epochs.filter { partitions.contains($0.key) } }
    }

    func close() { orders.close() }

    // MARK: beside it

    /// Carries out pauses and resumes until `close`.
    func run() async {
        while let batch = await orders.receive() {
            for order in batch {
                switch order {
                case .pause(let partitions): await member.pause(stillOurs(partitions))
                case .resume(let partitions): await member.resume(stillOurs(partitions))
                }
            }
        }
    }

    private func stillOurs(_ partitions: [TopicPartition: Int64]) -> [TopicPartition] {
        partitions.filter { isCurrent($0.key, $0.value) }.map(\.key)
    }

    /// The commit comes first: a crash after the fetch began must be visible to the successor.
    func open(_ due: TopicPartition, _ epoch: Int64, _ start: Int64, _ commit: CommittedOffset) async {
        let attempts = Persistence(
            what: "opening", partition: due, time: time, logger: logger, isWanted: { self.isCurrent(due, epoch) })
        await attempts.persist {
            await member.resume([due])
            try await member.commit([due: commit])
            guard isCurrent(due, epoch) else { return }
            try await member.start([due: start])
        }
    }

    /// A commit is a statement of fact: one that fails is followed by a newer one.
    func commit(_ commits: [TopicPartition: CommittedOffset]) async {
        do {
            try await member.commit(commits)
        } catch {
            logger.debug("commit failed", ["error": "\(error)"])
        }
    }

    /// Commits once the hand-off is written, and lets the partitions go. Bounded, whatever the log does.
    func handOff(
        _ partitions: [TopicPartition], _ commits: [TopicPartition: CommittedOffset], after written: OneShot
    ) async {
        _ = await time.wait(for: written, milliseconds: handOffBound)
        let committed = OneShot()
        // Not awaited as a child: a coordinator that does not answer must not hold the partitions.
        Task {
            if !commits.isEmpty { await commit(commits) }
            committed.fire()
        }
        _ = await time.wait(for: committed, milliseconds: commitBound)
        await member.release(partitions)
    }
}
