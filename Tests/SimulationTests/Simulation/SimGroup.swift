import TaskLog

/// A member of a simulated consumer group: what its process believes (`positions`) and what the group has granted it.
final class SimMember {
    unowned let process: SimProcess
    let deliver: (GroupWake) -> Void
    /// By the group.
    fileprivate(set) var granted: Set<TopicPartition> = []
    fileprivate(set) var isMember = false
    fileprivate var isRevoking = false
    /// Where fetching goes on; partitions that are not here are not fetched.
    var positions: [TopicPartition: Int64] = [:]
    var paused: Set<TopicPartition> = []
    /// What the process was told that it owns.
    fileprivate var told: Set<TopicPartition> = []
    fileprivate var lastDelivery: Int64 = 0

    init(process: SimProcess, deliver: @escaping (GroupWake) -> Void) {
        self.process = process
        self.deliver = deliver
    }

    /// The group has forgotten it, and it does not know yet.
    var isZombie: Bool { !isMember && !told.isEmpty }
}

/// Eager range assignment with generations, bounded revocation, and session timeouts.
final class SimGroup {
    static let sessionTimeout: Int64 = 8000
    static let revokeTimeout: Int64 = 6000

    private unowned let world: SimWorld
    private let partitions: [TopicPartition]
    private var members: [SimMember] = []
    /// Everybody who may still fetch, those forgotten by the group too.
    private var fetchers: [SimMember] = []
    private var generation: Int64 = 0
    private var isRebalancing = false
    private var committed: [TopicPartition: CommittedOffset] = [:]

    init(world: SimWorld, partitions: [TopicPartition]) {
        self.world = world
        self.partitions = partitions
    }

    func committed(_ partition: TopicPartition) -> CommittedOffset? { committed[partition] }

    func join(_ member: SimMember) {
        member.isMember = true
        member.granted = []
        member.isRevoking = false
        members.append(member)
        if !fetchers.contains(where: { $0 === member }) { fetchers.append(member) }
        rebalance()
    }

    /// A clean leave: nothing is announced.
    func leave(_ member: SimMember) {
        fetchers.removeAll { $0 === member }
        member.told = []
        remove(member)
    }

    /// The session ran out, or the revocation did: the group forgets the member, which learns it when it can.
    func expel(_ member: SimMember) {
        guard member.isMember else { return }
        world.trace("group expels \(member.process.name)")
        world.disturb(member.process)
        remove(member)
        let delay = world.random.number(10...3000)
        let learnSoon = { [unowned self] in
            world.after(delay, in: member.process) { [unowned self] in learn(member) }
        }
        // A stopped process learns it some time after it goes on: until then it is a zombie.
        if member.process.state == .paused { member.process.hold(learnSoon) } else { learnSoon() }
    }

    private func learn(_ member: SimMember) {
        guard !member.isMember else { return }
        let lost = member.told.sorted()
        member.told = []
        member.positions = [:]
        member.paused = []
        world.trace("\(member.process.name) lost \(lost)")
        if !lost.isEmpty { member.deliver(.lost(lost)) }
        if member.process.state == .running, member.process.takesPart { join(member) }
    }

    private func remove(_ member: SimMember) {
        guard member.isMember else { return }
        member.isMember = false
        member.granted = []
        member.isRevoking = false
        members.removeAll { $0 === member }
        rebalance()
    }

    private func rebalance() {
        isRebalancing = true
        for member in members where !member.granted.isEmpty && !member.isRevoking {
            member.isRevoking = true
            let going = member.granted.sorted()
            deliverInOrder(member) {
                guard member.isMember, member.isRevoking else { return }
                for partition in going { member.positions[partition] = nil }
                member.deliver(.revoking(going))
            }
            world.at(world.clock + Self.revokeTimeout) { [unowned self] in
                if member.isMember, member.isRevoking, member.granted == Set(going) { expel(member) }
            }
        }
        assignIfFree()
    }

    /// What the group does not ask back is not given away: a release may come late.
    func release(_ member: SimMember, _ released: [TopicPartition]) {
        guard member.isRevoking || !member.isMember else { return }
        member.told.subtract(released)
        for partition in released { member.positions[partition] = nil }
        guard member.isMember else { return }
        member.granted.subtract(released)
        if member.granted.isEmpty { member.isRevoking = false }
        assignIfFree()
    }

    private func assignIfFree() {
        guard isRebalancing, members.allSatisfy({ $0.granted.isEmpty }) else { return }
        isRebalancing = false
        guard !members.isEmpty else { return }
        generation += 1
        let epoch = generation
        for (index, member) in members.enumerated() {
            let share = Self.range(partitions, index, members.count)
            member.granted = Set(share)
            guard !share.isEmpty else { continue }
            deliverInOrder(member) { [unowned self] in
                guard member.isMember, !member.granted.isDisjoint(with: share) else { return }
                world.trace("\(member.process.name) is assigned \(share) in \(epoch)")
                member.told.formUnion(share)
                member.deliver(.assigned(share, epoch: epoch))
            }
        }
    }

    private static func range(_ all: [TopicPartition], _ index: Int, _ count: Int) -> [TopicPartition] {
        var share: [TopicPartition] = []
        for topic in Set(all.map(\.topic)).sorted() {
            let list: [TopicPartition] = all.filter { $0.topic == topic }.sorted()
            let start: Int = list.count * index / count
            let end: Int = list.count * (index + 1) / count
            share += list[start..<end]
        }
        return share
    }

    private func deliverInOrder(_ member: SimMember, _ body: @escaping () -> Void) {
        let time = max(member.lastDelivery, world.clock + world.random.number(1...60))
        member.lastDelivery = time
        world.after(time - world.clock, in: member.process, body)
    }

    /// Fenced by membership.
    func commit(_ member: SimMember, _ offsets: [TopicPartition: CommittedOffset]) -> Bool {
        guard member.isMember, member.granted.isSuperset(of: offsets.keys) else { return false }
        committed.merge(offsets) { $1 }
        return true
    }

    // MARK: fetching

    /// What is being revoked is not fetched any more, whoever asks: the port says so.
    func start(_ member: SimMember, _ starts: [TopicPartition: Int64]) {
        guard !member.isRevoking || !member.isMember else { return }
        for (partition, offset) in starts.sorted(by: { $0.key < $1.key }) where member.granted.contains(partition) {
            member.positions[partition] = offset
            poll(member, partition)
        }
    }

    func resume(_ member: SimMember, _ partition: TopicPartition) {
        member.paused.remove(partition)
        poll(member, partition)
    }

    func wrote(_ partition: TopicPartition) {
        for member in fetchers where member.positions[partition] != nil { poll(member, partition) }
    }

    private func poll(_ member: SimMember, _ partition: TopicPartition) {
        world.after(world.random.number(1...40), in: member.process) { [unowned self] in
            guard let position = member.positions[partition], !member.paused.contains(partition) else { return }
            let end = world.log.end(of: partition)
            guard position < end else { return }
            let stop = min(end, position + world.random.number(1...25))
            member.positions[partition] = stop
            if stop < end { poll(member, partition) }
            member.deliver(.records(world.log.records(partition, from: position, to: stop)))
        }
    }
}
