internal import TaskLog

/// A consumer group as the file holds it: a value that is told what happened and the uptime.
///
/// Rebalances are eager: a change of membership asks everybody to give up all; when all have, or the deadline has
/// passed, a new generation is shared out. Uptimes are compared only within one boot.
struct GroupState: Hashable {
    struct Member: Hashable {
        var id: String
        var clientID: String
        var topics: [String]
        var bootID: String
        /// Uptime of its last sign of life.
        var heartbeat: Int64
        var sessionTimeout: Int64
        var revokeTimeout: Int64
    }

    enum Phase: Hashable {
        case stable
        /// Everybody is asked to release, until this uptime of this boot.
        case revoking(deadline: Int64, bootID: String)
    }

    /// The fencing token of what is assigned. Never goes back, also while the group is empty.
    private(set) var generation: Int64
    /// Counts the rebalances that began.
    private(set) var round: Int64
    private(set) var phase: Phase
    private(set) var members: [Member]
    private(set) var owners: [TopicPartition: String]

    init(
        generation: Int64 = 0, round: Int64 = 0, phase: Phase = .stable, members: [Member] = [],
        owners: [TopicPartition: String] = [:]
    ) {
        self.generation = generation
        self.round = round
        self.phase = phase
        self.members = members
        self.owners = owners
    }

    func member(_ id: String) -> Member? { members.first { $0.id == id } }

    func owned(by id: String) -> [TopicPartition] { owners.filter { $0.value == id }.keys.sorted() }

    var subscribedTopics: Set<String> { Set(members.flatMap(\.topics)) }

    mutating func join(_ member: Member, now: Int64) {
        members.removeAll { $0.id == member.id }
        members.append(member)
        beginRebalance(now: now, bootID: member.bootID)
    }

    mutating func leave(_ id: String, now: Int64, bootID: String) {
        guard member(id) != nil else { return }
        remove([id])
        beginRebalance(now: now, bootID: bootID)
    }

    mutating func heartbeat(_ id: String, now: Int64) {
        guard let index = members.firstIndex(where: { $0.id == id }) else { return }
        members[index].heartbeat = max(members[index].heartbeat, now)
    }

    /// The member gives these partitions up, which a rebalance had asked it for.
    mutating func release(_ partitions: [TopicPartition], by id: String) {
        guard case .revoking = phase else { return }
        for partition in partitions where owners[partition] == id { owners[partition] = nil }
    }

    /// Drops the members whose session has ended, or that lived before the machine's last start.
    mutating func expire(now: Int64, bootID: String) {
        let dead = members.filter { $0.bootID != bootID || now - $0.heartbeat > $0.sessionTimeout }.map(\.id)
        guard !dead.isEmpty else { return }
        remove(Set(dead))
        beginRebalance(now: now, bootID: bootID)
    }

    /// A topic that somebody subscribed to has come into being.
    mutating func topicsChanged(now: Int64, bootID: String) {
        if !members.isEmpty { beginRebalance(now: now, bootID: bootID) }
    }

    /// Ends the rebalance when everybody has released, or the deadline has passed.
    mutating func settle(now: Int64, bootID: String, partitionCounts: [String: Int32]) {
        guard case .revoking(let deadline, let deadlineBoot) = phase else { return }
        guard owners.isEmpty || now >= deadline || deadlineBoot != bootID else { return }
        let subscriptions = Dictionary(members.map { ($0.id, $0.topics) }) { first, _ in first }
        owners = [:]
        for (id, share) in RangeAssignor.assign(subscriptions: subscriptions, partitionCounts: partitionCounts) {
            for partition in share { owners[partition] = id }
        }
        generation += 1
        phase = .stable
    }

    /// Uptime at which a rebalance ends although somebody has not released.
    var revokeDeadline: Int64? {
        guard case .revoking(let deadline, _) = phase else { return nil }
        return deadline
    }

    private mutating func remove(_ ids: Set<String>) {
        members.removeAll { ids.contains($0.id) }
        owners = owners.filter { !ids.contains($0.value) }
    }

    /// A change during a rebalance joins it: who still owns something was asked for it already.
    private mutating func beginRebalance(now: Int64, bootID: String) {
        guard phase == .stable else { return }
        let holding = Set(owners.values)
        let patience = members.filter { holding.contains($0.id) }.map(\.revokeTimeout).max() ?? 0
        phase = .revoking(deadline: now + patience, bootID: bootID)
        round += 1
    }
}
