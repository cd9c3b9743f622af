internal import TaskLog

/// What one member knows of its group and has not told its caller yet: a value that is shown the group's state.
///
/// What waits is bounded: an assignment that was never read is taken back unread, so at most one loss, one revocation
/// or one assignment lie there.
struct MemberView {
    /// What the shell has to do after an observation.
    enum FollowUp: Hashable {
        case nothing
        /// Give these up at once: the caller never heard that it had them.
        case release([TopicPartition])
        /// The group has dropped this member: join again.
        case rejoin
    }

    private enum Standing: Hashable {
        case settled
        case revoking(isDelivered: Bool)
    }

    let id: String
    private(set) var generation: Int64
    private(set) var round: Int64
    private(set) var owned: [TopicPartition] = []
    private var standing = Standing.settled
    private var waiting: [GroupWake] = []

    /// A member that has just joined and got this state back; show it the state next. What the member before it under
    /// another id had lost, and nobody read yet, comes first.
    init(id: String, joined state: GroupState, after previous: MemberView? = nil) {
        self.id = id
        // A stable group has been shared out with this member in it, and that is news.
        generation = state.phase == .stable ? state.generation - 1 : state.generation
        round = state.round
        waiting = previous?.waiting ?? []
    }

    /// Whether records of a partition may be fetched: it is owned, and not about to go.
    func mayFetch(_ partition: TopicPartition) -> Bool { standing == .settled && owned.contains(partition) }

    var hasNews: Bool { !waiting.isEmpty }

    mutating func observe(_ state: GroupState) -> FollowUp {
        guard state.member(id) != nil else {
            lose()
            return .rejoin
        }
        if state.generation > generation {
            lose()
            generation = state.generation
            round = max(round, state.phase == .stable ? state.round : state.round - 1)
            owned = state.owned(by: id)
            waiting.append(.assigned(owned, epoch: generation))
        }
        guard case .revoking = state.phase, standing == .settled, state.round > round else { return .nothing }
        round = state.round
        guard !owned.isEmpty else { return .nothing }
        if dropUnreadAssignment() {
            defer { owned = [] }
            return .release(owned)
        }
        standing = .revoking(isDelivered: false)
        waiting.append(.revoking(owned))
        return .nothing
    }

    /// The next thing to tell the caller.
    mutating func take() -> GroupWake? {
        guard !waiting.isEmpty else { return nil }
        let wake = waiting.removeFirst()
        if case .revoking = wake, standing == .revoking(isDelivered: false) {
            standing = .revoking(isDelivered: true)
        }
        return wake
    }

    /// What the caller gives up, as far as it had been asked to: a release that comes late must not give away what a
    /// newer generation brought.
    mutating func release(_ partitions: [TopicPartition]) -> [TopicPartition] {
        guard standing == .revoking(isDelivered: true) else { return [] }
        let released = owned.filter { partitions.contains($0) }
        owned.removeAll { partitions.contains($0) }
        return released
    }

    /// What is still held goes without a hand-over.
    private mutating func lose() {
        let wasUnread = dropUnreadAssignment()
        waiting.removeAll { if case .revoking = $0 { true } else { false } }
        if !owned.isEmpty, !wasUnread { waiting.append(.lost(owned)) }
        owned = []
        standing = .settled
    }

    private mutating func dropUnreadAssignment() -> Bool {
        let before = waiting.count
        waiting.removeAll { if case .assigned = $0 { true } else { false } }
        return waiting.count < before
    }
}
