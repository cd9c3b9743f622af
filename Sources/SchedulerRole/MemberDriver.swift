internal import ServiceRuntime
internal import TaskLog
internal import TaskModel
internal import TaskTelemetry

/// Does what the machine asks of the group member and the follower, in order, away from the loop: a slow broker then
/// delays a commit and not a fire.
struct MemberDriver: Sendable {
    enum Order: Sendable {
        case start([TopicPartition: Int64])
        case follow(TopicPartition, from: Int64)
        case unfollow([TopicPartition])
        case pause(TopicPartition)
        case resume(TopicPartition)
        case commit([TopicPartition: CommittedOffset])
        case handOver([TopicPartition: CommittedOffset], [TopicPartition])
    }

    let member: any GroupMember
    let follower: any LogFollower
    let time: any TimeSource
    let logger: Logger

    private static let retryMilliseconds: Int64 = 500
    /// With the pause between them, half a minute: longer than any session.
    private static let maximumAttempts = 60

    /// Until `orders` is closed and empty. Throws when fetching can not go on.
    func run(_ orders: Mailbox<Order>) async throws {
        while let batch = await orders.receive() {
            for order in batch { try await perform(order) }
        }
    }

    private func perform(_ order: Order) async throws {
        switch order {
        case .start(let positions): try await patiently { try await member.start(positions) }
        case .follow(let partition, let offset): try await patiently { try await follower.add([partition: offset]) }
        case .unfollow(let partitions): await follower.remove(partitions)
        case .pause(let partition): await member.pause([partition])
        case .resume(let partition): await member.resume([partition])
        case .commit(let offsets): await commit(offsets)
        case .handOver(let offsets, let partitions):
            await commit(offsets)
            await member.release(partitions)
        }
    }

    /// A commit that fails is no harm: the next owner reads a little more.
    func commit(_ offsets: [TopicPartition: CommittedOffset]) async {
        guard !offsets.isEmpty else { return }
        do {
            try await member.commit(offsets)
        } catch {
            logger.warning("a commit failed; the next one says as much", ["error": "\(error)"])
        }
    }

    private func patiently(_ body: () async throws -> Void) async throws {
        for attempt in 1...Self.maximumAttempts {
            do {
                return try await body()
            } catch let error as LogError where error.isRetriable && attempt < Self.maximumAttempts {
                logger.warning("fetching cannot start yet", ["error": "\(error)"])
                try await time.sleep(milliseconds: Self.retryMilliseconds)
            }
        }
    }
}
