import Foundation
internal import TaskLog

/// Reads and writes groups inside a write transaction. A group is small, so it is read and written whole.
struct GroupStore {
    let transaction: WriteTransaction
    private var connection: SQLiteConnection { transaction.connection }

    init(_ transaction: WriteTransaction) { self.transaction = transaction }

    /// Changes a group: first expels the dead, then does what the caller came for, then lets a finished rebalance end.
    func update(_ name: String, _ change: (inout GroupState) throws -> Void) throws -> GroupState {
        let id = try groupID(name)
        let before = try load(id)
        var state = before
        state.expire(now: transaction.uptime, bootID: transaction.bootID)
        try change(&state)
        if state.phase != .stable {
            state.settle(
                now: transaction.uptime, bootID: transaction.bootID,
                partitionCounts: try partitionCounts(of: state.subscribedTopics))
        }
        try save(state, replacing: before, id)
        if state.generation != before.generation || state.round != before.round {
            transaction.hasChangedGroups = true
        }
        return state
    }

    func groupID(_ name: String) throws(SQLiteFailure) -> Int64 {
        let find = try connection.statement("SELECT id FROM consumer_group WHERE name = ?")
        find.bind(1, text: name)
        if try find.step() {
            defer { find.reset() }
            return find.integer(0)
        }
        let insert = try connection.statement(
            "INSERT INTO consumer_group (name, generation, round, boot) VALUES (?, 0, 0, ?) RETURNING id")
        insert.bind(1, text: name)
        insert.bind(2, text: transaction.bootID)
        guard try insert.step() else { return 0 }
        let id = insert.integer(0)
        try insert.run()
        return id
    }

    /// While the file was locked nobody could show a sign of life, so that time counts for no session. Otherwise one
    /// process that is stopped inside a write would cost every member of every other its partitions.
    func forgive(stall milliseconds: Int64) throws(SQLiteFailure) {
        let statement = try connection.statement(
            "UPDATE group_member SET heartbeat = min(?, heartbeat + ?) WHERE boot = ?")
        statement.bind(1, transaction.uptime)
        statement.bind(2, milliseconds)
        statement.bind(3, text: transaction.bootID)
        try statement.run()
    }

    /// Names of all groups that somebody belongs to.
    func groupsWithMembers() throws(SQLiteFailure) -> [String] {
        let statement = try connection.statement(
            "SELECT name FROM consumer_group WHERE id IN (SELECT group_id FROM group_member)")
        var names: [String] = []
        while try statement.step() { names.append(statement.text(0)) }
        statement.reset()
        return names
    }

    func commit(_ offsets: [TopicPartition: CommittedOffset], groupID: Int64) throws {
        for (partition, offset) in offsets {
            let partitionID = try transaction.catalog.id(of: partition, in: connection)
            let statement = try connection.statement("INSERT OR REPLACE INTO group_offset VALUES (?, ?, ?, ?)")
            statement.bind(1, groupID)
            statement.bind(2, partitionID)
            statement.bind(3, offset.offset)
            statement.bind(4, text: offset.metadata)
            try statement.run()
        }
    }

    /// What a group has committed; for readers, outside the writer's transaction.
    static func committed(
        group: String, partitionID: Int64, in connection: SQLiteConnection
    ) throws(SQLiteFailure) -> CommittedOffset? {
        let statement = try connection.statement(
            """
            SELECT next_offset, metadata FROM group_offset
            WHERE group_id = (SELECT id FROM consumer_group WHERE name = ?) AND partition_id = ?
            """)
        statement.bind(1, text: group)
        statement.bind(2, partitionID)
        defer { statement.reset() }
        guard try statement.step() else { return nil }
        return CommittedOffset(offset: statement.integer(0), metadata: statement.text(1))
    }

    /// Generation and round of every group: what changes when its members must look.
    static func revisions(in connection: SQLiteConnection) throws(SQLiteFailure) -> [String: GroupRevision] {
        let statement = try connection.statement("SELECT name, generation, round FROM consumer_group")
        var revisions: [String: GroupRevision] = [:]
        while try statement.step() {
            revisions[statement.text(0)] = GroupRevision(
                generation: statement.integer(1), round: statement.integer(2))
        }
        statement.reset()
        return revisions
    }

    private func partitionCounts(of topics: Set<String>) throws(SQLiteFailure) -> [String: Int32] {
        var counts: [String: Int32] = [:]
        for topic in topics { counts[topic] = try transaction.topic(topic)?.partitions }
        return counts
    }

    private func load(_ id: Int64) throws(SQLiteFailure) -> GroupState {
        let group = try connection.statement(
            "SELECT generation, round, revoke_deadline, boot FROM consumer_group WHERE id = ?")
        group.bind(1, id)
        guard try group.step() else { return GroupState() }
        let phase: GroupState.Phase =
            group.isNull(2) ? .stable : .revoking(deadline: group.integer(2), bootID: group.text(3))
        let (generation, round) = (group.integer(0), group.integer(1))
        group.reset()
        return GroupState(
            generation: generation, round: round, phase: phase, members: try members(id), owners: try owners(id))
    }

    private func members(_ id: Int64) throws(SQLiteFailure) -> [GroupState.Member] {
        let statement = try connection.statement(
            """
            SELECT member, client, topics, boot, heartbeat, session_timeout, revoke_timeout FROM group_member
            WHERE group_id = ? ORDER BY member
            """)
        statement.bind(1, id)
        var members: [GroupState.Member] = []
        while try statement.step() {
            members.append(
                GroupState.Member(
                    id: statement.text(0), clientID: statement.text(1), topics: Self.topics(statement.text(2)),
                    bootID: statement.text(3), heartbeat: statement.integer(4), sessionTimeout: statement.integer(5),
                    revokeTimeout: statement.integer(6)))
        }
        statement.reset()
        return members
    }

    private func owners(_ id: Int64) throws(SQLiteFailure) -> [TopicPartition: String] {
        let statement = try connection.statement(
            "SELECT topic, partition, member FROM group_assignment WHERE group_id = ?")
        statement.bind(1, id)
        var owners: [TopicPartition: String] = [:]
        while try statement.step() {
            owners[TopicPartition(statement.text(0), Int32(clamping: statement.integer(1)))] = statement.text(2)
        }
        statement.reset()
        return owners
    }

    private func save(_ state: GroupState, replacing before: GroupState, _ id: Int64) throws {
        if state.generation != before.generation || state.round != before.round || state.phase != before.phase {
            let statement = try connection.statement(
                "UPDATE consumer_group SET generation = ?, round = ?, revoke_deadline = ?, boot = ? WHERE id = ?")
            statement.bind(1, state.generation)
            statement.bind(2, state.round)
            if case .revoking(let deadline, let bootID) = state.phase {
                statement.bind(3, deadline)
                statement.bind(4, text: bootID)
            } else {
                statement.bindNull(3)
                statement.bind(4, text: transaction.bootID)
            }
            statement.bind(5, id)
            try statement.run()
        }
        if state.owners != before.owners {
            try connection.run("DELETE FROM group_assignment WHERE group_id = ?", id)
            for (partition, member) in state.owners { try insert(partition, owner: member, id) }
        }
        let old = Dictionary(before.members.map { ($0.id, $0) }) { first, _ in first }
        for gone in Set(old.keys).subtracting(state.members.map(\.id)) {
            let statement = try connection.statement("DELETE FROM group_member WHERE group_id = ? AND member = ?")
            statement.bind(1, id)
            statement.bind(2, text: gone)
            try statement.run()
        }
        for member in state.members where old[member.id] != member { try replace(member, id) }
    }

    private func insert(_ partition: TopicPartition, owner: String, _ id: Int64) throws(SQLiteFailure) {
        let statement = try connection.statement("INSERT INTO group_assignment VALUES (?, ?, ?, ?)")
        statement.bind(1, id)
        statement.bind(2, text: partition.topic)
        statement.bind(3, Int64(partition.partition))
        statement.bind(4, text: owner)
        try statement.run()
    }

    private func replace(_ member: GroupState.Member, _ id: Int64) throws {
        let topics = String(decoding: try JSONEncoder().encode(member.topics), as: UTF8.self)
        let statement = try connection.statement("INSERT OR REPLACE INTO group_member VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
        statement.bind(1, id)
        statement.bind(2, text: member.id)
        statement.bind(3, text: member.clientID)
        statement.bind(4, text: topics)
        statement.bind(5, text: member.bootID)
        statement.bind(6, member.heartbeat)
        statement.bind(7, member.sessionTimeout)
        statement.bind(8, member.revokeTimeout)
        try statement.run()
    }

    private static func topics(_ text: String) -> [String] {
        (try? JSONDecoder().decode([String].self, from: Data(text.utf8))) ?? []
    }
}

/// What a member compares to know whether its group has moved on.
struct GroupRevision: Hashable, Sendable {
    var generation: Int64
    var round: Int64
}
