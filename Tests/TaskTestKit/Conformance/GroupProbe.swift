internal import TaskLog

/// Drives the members of one group, each with a task of its own, and keeps what they saw for a case to wait on.
///
/// Between members that keep the rules no partition may have two owners: the probe notes it when one has.
final class GroupProbe: Sendable {
    /// What a member does on its own.
    struct Habits: Sendable {
        /// Where it starts a partition that it is assigned; nil: not at all.
        var startsAt: (@Sendable (TopicPartition) -> Int64?)? = { _ in 0 }
        /// Whether it releases what is being revoked.
        var releases = true
    }

    struct MemberSeen: Sendable {
        var owned: Set<TopicPartition> = []
        var started: Set<TopicPartition> = []
        var revoked: Set<TopicPartition> = []
        var lost: Set<TopicPartition> = []
        var epochs: [Int64] = []
        var records: [LogRecord] = []
        var keepsRules = true
        var hasEnded = false
    }

    struct Seen: Sendable {
        var members: [String: MemberSeen] = [:]
        var violations: [String] = []

        /// Whether the named members own all of `partitions`, each one owned once, and each member at least one.
        func isShared(_ partitions: Set<TopicPartition>, by names: [String]) -> Bool {
            let owned = names.map { members[$0]?.owned ?? [] }
            return owned.allSatisfy { !$0.isEmpty } && owned.reduce(0) { $0 + $1.count } == partitions.count
                && owned.reduce(into: Set()) { $0.formUnion($1) } == partitions
        }

        func texts(of name: String, in partition: TopicPartition) -> [String] {
            members[name, default: MemberSeen()].records.filter { $0.topicPartition == partition }
                .map { $0.text ?? "nil" }
        }
    }

    private let seen = Observed(Seen())
    private let members = Observed<[String: any GroupMember]>([:])
    private let tasks = Observed<[Task<Void, Never>]>([])

    var now: Seen { seen.value }

    /// Runs `body`, then lets all members leave, and fails if a rule was broken.
    static func run(_ body: @Sendable (GroupProbe) async throws -> Void) async throws {
        let probe = GroupProbe()
        do {
            try await body(probe)
        } catch {
            await probe.stop()
            throw error
        }
        await probe.stop()
        try checkEqual(probe.now.violations, [], "rules broken")
    }

    @discardableResult
    func join(
        _ name: String, _ log: any TaskLog, _ options: GroupOptions, habits: Habits = Habits()
    ) async throws -> any GroupMember {
        let member = try await log.join(options)
        members.update { $0[name] = member }
        seen.update { $0.members[name] = MemberSeen(keepsRules: habits.releases) }
        let task = Task { await self.drive(name, member, habits) }
        tasks.update { $0.append(task) }
        return member
    }

    func leave(_ name: String) async {
        // What it owned is free from here on, before the group can give it to another.
        seen.update { $0.members[name]?.owned = [] }
        await members.value[name]?.leave()
    }

    /// Releases for a member that does not do so by itself.
    func release(_ name: String, _ partitions: Set<TopicPartition>) async {
        seen.update { $0.members[name]?.owned.subtract(partitions) }
        await members.value[name]?.release(partitions.sorted())
    }

    /// From here on the member may overlap with others: it cannot know better.
    func expectZombie(_ name: String) {
        seen.update { $0.members[name]?.keepsRules = false }
    }

    func start(_ name: String, _ positions: [TopicPartition: Int64]) async throws {
        seen.update { $0.members[name]?.started.formUnion(positions.keys) }
        try await members.value[name]?.start(positions)
    }

    /// What was seen as of the moment when `condition` held. Throws if a rule is broken first.
    @discardableResult
    func wait(until condition: @escaping @Sendable (Seen) -> Bool) async throws -> Seen {
        let found = try await seen.wait { !$0.violations.isEmpty || condition($0) }
        try checkEqual(found.violations, [], "rules broken")
        return found
    }

    /// Waits for as many records of `partition` as `texts`, and fails unless they are these.
    @discardableResult
    func expect(
        _ name: String, _ partition: TopicPartition, _ texts: [String], file: String = #fileID, line: Int = #line
    ) async throws -> Seen {
        let found = try await wait { $0.texts(of: name, in: partition).count >= texts.count }
        try checkEqual(
            found.texts(of: name, in: partition), texts, "what \(name) got of \(partition)", file: file, line: line)
        return found
    }

    private func stop() async {
        for name in members.value.keys { await leave(name) }
        for task in tasks.value { await task.value }
    }

    private func drive(_ name: String, _ member: any GroupMember, _ habits: Habits) async {
        do {
            while let wake = try await member.next() { try await handle(wake, name, member, habits) }
        } catch let error as LogError where error.code == .closed {
        } catch {
            seen.update { $0.violations.append("\(name) failed: \(error)") }
        }
        seen.update { $0.members[name]?.hasEnded = true }
    }

    private func handle(
        _ wake: GroupWake, _ name: String, _ member: any GroupMember, _ habits: Habits
    ) async throws {
        switch wake {
        case .assigned(let partitions, let epoch):
            noteAssignment(of: partitions, epoch: epoch, to: name)
            guard let startsAt = habits.startsAt else { return }
            let positions = partitions.reduce(into: [:]) { $0[$1] = startsAt($1) }
            if !positions.isEmpty { try await start(name, positions) }
        case .revoking(let partitions):
            seen.update { seen in
                seen.members[name]?.revoked.formUnion(partitions)
                seen.members[name]?.started.subtract(partitions)
                if habits.releases { seen.members[name]?.owned.subtract(partitions) }
            }
            if habits.releases { await member.release(partitions) }
        case .lost(let partitions):
            seen.update { seen in
                seen.members[name]?.lost.formUnion(partitions)
                seen.members[name]?.owned.subtract(partitions)
                seen.members[name]?.started.subtract(partitions)
            }
        case .records(let records):
            note(records, of: name)
        }
    }

    private func noteAssignment(of partitions: [TopicPartition], epoch: Int64, to name: String) {
        seen.update { seen in
            for (other, state) in seen.members where other != name && state.keepsRules {
                let shared = state.owned.intersection(partitions).sorted()
                if !shared.isEmpty { seen.violations.append("\(shared) assigned to \(name) while \(other) owns it") }
            }
            if let last = seen.members[name]?.epochs.last, epoch <= last {
                seen.violations.append("the epoch of \(name) went from \(last) to \(epoch)")
            }
            seen.members[name]?.epochs.append(epoch)
            seen.members[name]?.owned.formUnion(partitions)
        }
    }

    private func note(_ records: [LogRecord], of name: String) {
        seen.update { seen in
            if records.isEmpty { seen.violations.append("\(name) got an empty batch") }
            let started = seen.members[name]?.started ?? []
            for record in records where !started.contains(record.topicPartition) {
                seen.violations.append("\(name) got \(record.topicPartition)@\(record.offset), which it did not start")
            }
            seen.members[name]?.records += records
        }
    }
}
