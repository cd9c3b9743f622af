internal import TaskLog

/// The membership of one consumer group: a value that is told what happened and the time, and says who must hear what.
///
/// Rebalances are eager, as with range assignment in Kafka: everybody gives up everything, and when all have released it
/// (or let their deadline pass) a new generation is assigned.
struct MemoryGroup {
    struct Notice {
        var member: String
        var wake: GroupWake
    }

    private struct Member {
        var topics: [String]
        var sessionTimeout: Int64
        var revokeTimeout: Int64
        var owned: Set<TopicPartition> = []
        /// Owned, announced as revoking, not released yet.
        var unreleased: Set<TopicPartition> = []
        var revokeDeadline: Int64 = .max
        /// When a member whose heartbeats have stopped is taken for dead.
        var deathTime: Int64 = .max
    }

    private enum Phase { case stable, revoking }

    private(set) var generation: Int64 = 0
    private var members: [String: Member] = [:]
    private var phase = Phase.stable

    var memberIDs: [String] { members.keys.sorted() }
    var isStable: Bool { phase == .stable }

    func owned(by member: String) -> Set<TopicPartition> { members[member]?.owned ?? [] }

    /// Whether the member may fetch `partition` and is not about to lose it.
    func mayFetch(_ partition: TopicPartition, by member: String) -> Bool {
        guard let member = members[member] else { return false }
        return member.owned.contains(partition) && !member.unreleased.contains(partition)
    }

    /// When `expire` will have something to do, on the uptime clock.
    var nextDeadline: Int64? {
        let deadline = members.values.map { min($0.revokeDeadline, $0.deathTime) }.min()
        return deadline == .max ? nil : deadline
    }

    mutating func join(
        _ id: String, options: GroupOptions, now: Int64, partitionCounts: [String: Int32]
    ) -> [Notice] {
        members[id] = Member(
            topics: options.topics, sessionTimeout: Int64(options.sessionTimeoutMilliseconds),
            revokeTimeout: Int64(options.revokeTimeoutMilliseconds))
        return rebalance(now: now, partitionCounts: partitionCounts)
    }

    mutating func leave(_ id: String, now: Int64, partitionCounts: [String: Int32]) -> [Notice] {
        guard members.removeValue(forKey: id) != nil else { return [] }
        return rebalance(now: now, partitionCounts: partitionCounts)
    }

    mutating func release(
        _ partitions: [TopicPartition], by id: String, partitionCounts: [String: Int32]
    ) -> [Notice] {
        guard var member = members[id] else { return [] }
        let released = member.unreleased.intersection(partitions)
        guard !released.isEmpty else { return [] }
        member.unreleased.subtract(released)
        member.owned.subtract(released)
        if member.unreleased.isEmpty { member.revokeDeadline = .max }
        members[id] = member
        return completeIfReleased(partitionCounts: partitionCounts)
    }

    mutating func stopHeartbeats(of id: String, now: Int64) {
        guard let member = members[id], member.deathTime == .max else { return }
        members[id]?.deathTime = now + member.sessionTimeout
    }

    /// False when the member was taken for dead already.
    mutating func resumeHeartbeats(of id: String) -> Bool {
        members[id]?.deathTime = .max
        return members[id] != nil
    }

    /// Expels members whose session ended, and takes partitions from members that did not release them in time.
    mutating func expire(now: Int64, partitionCounts: [String: Int32]) -> [Notice] {
        var notices: [Notice] = []
        var isMembershipChanged = false
        for id in memberIDs {
            guard let member = members[id] else { continue }
            let isDead = member.deathTime <= now
            let isLate = member.revokeDeadline <= now
            guard isDead || isLate else { continue }
            // A member without heartbeats that also misses a rebalance is out, as in Kafka.
            if isDead || member.deathTime != .max {
                members[id] = nil
                isMembershipChanged = true
                notices.append(Notice(member: id, wake: .lost(member.owned.sorted())))
            } else {
                notices.append(Notice(member: id, wake: .lost(member.unreleased.sorted())))
                members[id]?.owned.subtract(member.unreleased)
                members[id]?.unreleased = []
                members[id]?.revokeDeadline = .max
            }
        }
        guard isMembershipChanged || !notices.isEmpty else { return [] }
        notices +=
            isMembershipChanged
            ? rebalance(now: now, partitionCounts: partitionCounts)
            : completeIfReleased(partitionCounts: partitionCounts)
        return notices
    }

    /// Announces the end of what everybody owns, or joins the rebalance that is already under way.
    private mutating func rebalance(now: Int64, partitionCounts: [String: Int32]) -> [Notice] {
        var notices: [Notice] = []
        if phase == .stable {
            phase = .revoking
            for id in memberIDs {
                guard let member = members[id], !member.owned.isEmpty else { continue }
                members[id]?.unreleased = member.owned
                members[id]?.revokeDeadline = now + member.revokeTimeout
                notices.append(Notice(member: id, wake: .revoking(member.owned.sorted())))
            }
        }
        return notices + completeIfReleased(partitionCounts: partitionCounts)
    }

    private mutating func completeIfReleased(partitionCounts: [String: Int32]) -> [Notice] {
        guard phase == .revoking, members.values.allSatisfy(\.unreleased.isEmpty) else { return [] }
        phase = .stable
        generation += 1
        let assignment = RangeAssignor.assign(
            subscriptions: members.mapValues(\.topics), partitionCounts: partitionCounts)
        return memberIDs.map { id in
            let partitions = assignment[id] ?? []
            members[id]?.owned = Set(partitions)
            return Notice(member: id, wake: .assigned(partitions, epoch: generation))
        }
    }
}
