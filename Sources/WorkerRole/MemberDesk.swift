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

    /// The last assignment of a partition.
    private struct Tenure {
        let epoch: Int64
        var isOver = false
    }

    /// How long a hand-off may wait for the log to take what it says. With the commit after it, less than the group's
    /// patience.
    let handOffBound: Int64
    private let commitBound: Int64
    let member: any GroupMember
    private let time: any TimeSource
    private let logger: Logger
    private let tenures = Mutex<[TopicPartition: Tenure]>([:])
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

    func assigned(_ due: TopicPartition, epoch: Int64) { tenures.withLock { $0[due] = Tenure(epoch: epoch) } }

    func forget(_ partitions: [TopicPartition]) {
        tenures.withLock { tenures in for due in partitions { tenures[due]?.isOver = true } }
    }

    func isCurrent(_ due: TopicPartition, _ epoch: Int64) -> Bool {
        tenures.withLock { $0[due].map { $0.epoch == epoch && !$0.isOver } ?? false }
    }

    /// The epochs of their last assignments: what ``handOff(_:_:after:)`` lets go. 0 where the loop never took one.
    func epochs(of partitions: [TopicPartition]) -> [TopicPartition: Int64] {
        tenures.withLock { tenures in
            partitions.reduce(into: [:]) { $0[$1] = tenures[$1]?.epoch ?? 0 }
        }
    }

    func pause(_ partitions: [TopicPartition]) { orders.post(.pause(current(partitions))) }

    func resume(_ partitions: [TopicPartition]) { orders.post(.resume(current(partitions))) }

    private func current(_ partitions: [TopicPartition]) -> [TopicPartition: Int64] {
        tenures.withLock { tenures in
            tenures.filter { partitions.contains($0.key) && !$0.value.isOver }.mapValues(\.epoch)
        }
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
            what: "opening", partition: due, time: time, logger: logger, final: [.closed, .fenced],
            isWanted: { self.isCurrent(due, epoch) })
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
    ///
    /// What has been lost and assigned again meanwhile is another assignment's: it keeps its partition and its position.
    func handOff(
        _ ended: [TopicPartition: Int64], _ commits: [TopicPartition: CommittedOffset], after written: OneShot
    ) async {
        _ = await time.wait(for: written, milliseconds: handOffBound)
        let commits = commits.filter { isLast($0.key, ended) }
        let committed = OneShot()
        // Not awaited as a child: a coordinator that does not answer must not hold the partitions.
        Task {
            if !commits.isEmpty { await commit(commits) }
            committed.fire()
        }
        _ = await time.wait(for: committed, milliseconds: commitBound)
        await member.release(ended.keys.filter { isLast($0, ended) })
    }

    private func isLast(_ due: TopicPartition, _ ended: [TopicPartition: Int64]) -> Bool {
        ended[due] == tenures.withLock { $0[due]?.epoch ?? 0 }
    }
}
