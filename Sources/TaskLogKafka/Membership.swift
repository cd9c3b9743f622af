internal import TaskLog

/// What a member owns, as far as it knows.
struct Membership {
    private(set) var owned: Set<TopicPartition> = []
    /// Owned still, but the group waits for their release.
    private(set) var revoking: Set<TopicPartition> = []
    private(set) var epoch: Int64 = 0

    /// - Parameter generation: the group's; where it is not known or did not grow (the broker forgot an empty group), the
    ///   epoch still grows, by one.
    mutating func assign(_ partitions: [TopicPartition], generation: Int64?) {
        owned = Set(partitions)
        revoking = []
        epoch = max(generation ?? 0, epoch + 1)
    }

    mutating func revoke(_ partitions: [TopicPartition]) {
        revoking = Set(partitions).intersection(owned)
    }

    /// True when that was the last one that the group waited for.
    mutating func release(_ partitions: [TopicPartition]) -> Bool {
        guard !revoking.isEmpty else { return false }
        let released = revoking.intersection(partitions)
        revoking.subtract(released)
        owned.subtract(released)
        return revoking.isEmpty
    }

    /// Those that the member still took for its own.
    mutating func lose(_ partitions: [TopicPartition]) -> [TopicPartition] {
        let lost = owned.intersection(partitions)
        owned.subtract(lost)
        revoking.subtract(lost)
        return lost.sorted()
    }
}

extension FetchSession.State {
    mutating func assign(_ partitions: [TopicPartition], generation: Int64?) {
        buffer.removeAll()
        membership.assign(partitions, generation: generation)
        if !partitions.isEmpty { wakes.append(.assigned(partitions, epoch: membership.epoch)) }
    }

    /// From here on no record of these partitions is returned.
    mutating func revoke(_ partitions: [TopicPartition]) {
        buffer.removeAll()
        membership.revoke(partitions)
        if membership.revoking.isEmpty {
            consumer?.letGo()
        } else {
            wakes.append(.revoking(membership.revoking.sorted()))
        }
    }

    /// Of what the group does not ask back the fetching goes on: a release may come late.
    mutating func release(_ partitions: [TopicPartition]) {
        if membership.release(partitions) { consumer?.letGo() }
    }

    mutating func lose(_ partitions: [TopicPartition]) {
        buffer.removeAll()
        let lost = membership.lose(partitions)
        if !lost.isEmpty { wakes.append(.lost(lost)) }
    }
}
