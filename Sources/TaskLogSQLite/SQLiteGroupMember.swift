import Synchronization
package import TaskLog
internal import TaskTelemetry

/// A member of a consumer group: a view of the group that the caretaker keeps fresh, and a fetcher.
package final class SQLiteGroupMember: GroupMember {
    private enum Stage { case running, left, logClosed }

    /// Whether the member shows signs of life; a test can silence it.
    private enum Voice { case beating, silent }

    /// What the writer is doing for this member.
    private enum Errand { case none, beating, joining }

    private struct State {
        var view: MemberView
        var stage = Stage.running
        var voice = Voice.beating
        /// Uptime of the last transaction that counted as a sign of life.
        var lastBeat: Int64
        /// Uptime at which the next one is due.
        var nextBeat: Int64
        var errand = Errand.none
        /// What the view was last shown.
        var revision: GroupRevision
        /// Uptime at which a rebalance is to end although somebody has not released.
        var revokeDeadline: Int64?
    }

    let options: GroupOptions
    private let log: SQLiteTaskLog
    private let signal = Signal()
    private let fetcher: Fetcher
    private let state: Mutex<State>

    init(log: SQLiteTaskLog, options: GroupOptions, id: String, joined group: GroupState, uptime: Int64) {
        self.log = log
        self.options = options
        fetcher = Fetcher(
            log: log, signal: signal, maximumRecords: options.maximumBatchRecords,
            maximumBytes: min(options.maximumBufferedBytes, log.configuration.maximumReadBatchBytes))
        state = Mutex(
            State(
                view: MemberView(id: id, joined: group), lastBeat: uptime, nextBeat: uptime,
                revision: GroupRevision(group)))
        observe(group, uptime: uptime)
    }

    package func next() async throws -> GroupWake? {
        while true {
            try Task.checkCancellation()
            // A process that was stopped must learn what it has lost before it takes another record.
            if isOverdue { await beat() }
            let (stage, wake) = state.withLock { ($0.stage, $0.stage == .running ? $0.view.take() : nil) }
            switch stage {
            case .left: return nil
            case .logClosed: throw SQLiteTaskLog.closedError
            case .running: break
            }
            if let wake { return wake }
            let records: [LogRecord]
            do { records = try await fetcher.read() } catch let error as LogError where error.code == .closed {
                records = []
            }
            guard state.withLock({ $0.stage == .running }) else { continue }
            if !records.isEmpty { return .records(records) }
            await signal.wait()
        }
    }

    package func start(_ positions: [TopicPartition: Int64]) async throws {
        try checkRunning()
        let mine = state.withLock { state in positions.filter { state.view.mayFetch($0.key) } }
        let checked = try await fetcher.check(mine)
        // The group may have moved on during the check.
        state.withLock { state in fetcher.set(checked.filter { state.view.mayFetch($0.0) }) }
    }

    package func commit(_ offsets: [TopicPartition: CommittedOffset]) async throws {
        try checkRunning()
        for (partition, offset) in offsets where offset.metadata.utf8.count > CommittedOffset.maximumMetadataBytes {
            throw LogError(
                .other,
                "commit metadata of \(offset.metadata.utf8.count) bytes for \(partition): at most "
                    + "\(CommittedOffset.maximumMetadataBytes) are kept")
        }
        let (id, generation) = state.withLock { ($0.view.id, $0.view.generation) }
        let group = options.group
        try await log.writer.transact { transaction in
            let store = GroupStore(transaction)
            let state = try store.update(group) { _ in }
            let owned = state.owned(by: id)
            let isCurrent = state.member(id) != nil && state.generation == generation
            for partition in offsets.keys where !isCurrent || !owned.contains(partition) {
                throw LogError(
                    .fenced,
                    "commit of \(partition) by \(id) of generation \(generation), which does not own it in group "
                        + "\(group) any more (generation \(state.generation)); nothing of this commit was kept")
            }
            try store.commit(offsets, groupID: try store.groupID(group))
        }
    }

    package func pause(_ partitions: [TopicPartition]) async { fetcher.setPaused(true, partitions) }

    package func resume(_ partitions: [TopicPartition]) async { fetcher.setPaused(false, partitions) }

    package func release(_ partitions: [TopicPartition]) async {
        let (id, round, released) = state.withLock { ($0.view.id, $0.view.round, $0.view.release(partitions)) }
        guard !released.isEmpty else { return }
        await tellRelease(of: released, id: id, round: round)
    }

    package func leave() async {
        guard let id = end(.left) else { return }
        let group = options.group
        do {
            try await log.writer.transact { try Self.leave(id, group, $0) }
        } catch {
            // The session timeout does it then.
            log.logger.warning("could not leave the group", ["group": group, "error": "\(error)"])
        }
    }

    /// Stops all signs of life, as if the process were gone, until the group has dropped the member. For tests.
    package func fallSilent() { state.withLock { $0.voice = .silent } }

    // MARK: what the log calls

    /// The handle is closed. Returns the member's id if it was still in the group.
    func logClosed() -> String? { end(.logClosed) }

    static func leave(_ id: String, _ group: String, _ transaction: WriteTransaction) throws {
        _ = try GroupStore(transaction).update(group) { state in
            state.leave(id, now: transaction.uptime, bootID: transaction.bootID)
        }
    }

    /// Called by the caretaker, with the group's revision in the file. Returns the uptime of the next call at the latest.
    func tend(uptime: Int64, revision: GroupRevision?) -> Int64? {
        let due = state.withLock { state -> (isDue: Bool, next: Int64)? in
            guard state.stage == .running else { return nil }
            // The end of an errand pokes the caretaker.
            guard state.errand == .none else { return (false, .max) }
            let next = min(state.nextBeat, state.revokeDeadline ?? .max)
            return (uptime >= next || revision != nil && revision != state.revision, next)
        }
        guard let due else { return nil }
        guard due.isDue else { return due.next }
        submitBeat {}
        return nil
    }

    // MARK: signs of life

    private var beatInterval: Int64 { max(1, Int64(options.sessionTimeoutMilliseconds) / 4) }

    private var isOverdue: Bool {
        let uptime = log.time.uptime()
        return state.withLock { state in
            state.stage == .running && state.voice == .beating && state.errand == .none
                && uptime - state.lastBeat > Int64(options.sessionTimeoutMilliseconds)
        }
    }

    private func beat() async {
        await withCheckedContinuation { continuation in submitBeat { continuation.resume() } }
    }

    /// Shows a sign of life, and takes in what became of the group. `completion` is called in any case.
    private func submitBeat(_ completion: @escaping @Sendable () -> Void) {
        let (id, voice) = state.withLock { state in
            state.errand = .beating
            return (state.view.id, state.voice)
        }
        let group = options.group
        log.writer.submit(
            .other { transaction in
                let state = try GroupStore(transaction).update(group) { state in
                    if voice == .beating { state.heartbeat(id, now: transaction.uptime) }
                }
                return (state, transaction.uptime)
            } completion: { [weak self] result in
                self?.finishBeat(result)
                completion()
            })
    }

    private func finishBeat(_ result: Result<(GroupState, Int64), LogError>) {
        let now = log.time.uptime()
        state.withLock { state in
            state.errand = .none
            state.nextBeat = now + beatInterval
        }
        switch result {
        case .success((let group, let uptime)): observe(group, uptime: uptime)
        case .failure(let error) where error.code == .closed: break
        case .failure(let error):
            log.logger.warning("a heartbeat failed", ["group": options.group, "error": "\(error)"])
        }
        log.caretaker.poke()
    }

    private func observe(_ group: GroupState, uptime: Int64) {
        let (followUp, id, round) = state.withLock { state in
            let (held, generation) = (state.view.owned, state.view.generation)
            let followUp = state.view.observe(group)
            state.lastBeat = max(state.lastBeat, uptime)
            state.nextBeat = max(state.nextBeat, uptime + beatInterval)
            state.revision = GroupRevision(group)
            state.revokeDeadline = group.revokeDeadline
            // A new assignment fetches nothing until it is started, also of what was ours before: records from the old
            // position on would come first, and those between would be taken for ones that do not exist.
            let isNew = state.view.generation != generation
            fetcher.remove(held.filter { isNew || !state.view.mayFetch($0) })
            return (followUp, state.view.id, state.view.round)
        }
        signal.raise()
        switch followUp {
        case .nothing: break
        case .release(let partitions): submitRelease(of: partitions, id: id, round: round) {}
        case .rejoin: rejoin()
        }
    }

    // MARK: changes of membership

    private func tellRelease(of partitions: [TopicPartition], id: String, round: Int64) async {
        await withCheckedContinuation { continuation in
            submitRelease(of: partitions, id: id, round: round) { continuation.resume() }
        }
    }

    private func submitRelease(
        of partitions: [TopicPartition], id: String, round: Int64, _ completion: @escaping @Sendable () -> Void
    ) {
        let group = options.group
        log.writer.submit(
            .other { transaction in
                let state = try GroupStore(transaction).update(group) { state in
                    if state.round == round { state.release(partitions, by: id) }
                }
                return (state, transaction.uptime)
            } completion: { [weak self] result in
                if case .success((let group, let uptime)) = result { self?.observe(group, uptime: uptime) }
                completion()
            })
    }

    private func rejoin() {
        let mayJoin = state.withLock { state in
            guard state.stage == .running, state.voice == .beating, state.errand == .none else { return false }
            state.errand = .joining
            return true
        }
        guard mayJoin else { return }
        let id = Self.makeID(options)
        let options = options
        log.logger.warning("the group had taken this member for dead; it joins again", ["group": options.group])
        log.writer.submit(
            .other { transaction in
                (try Self.join(options, id: id, transaction), transaction.uptime)
            } completion: { [weak self] result in
                self?.finishJoin(id, result)
            })
    }

    /// A join that failed is tried again after the next heartbeat, which finds the member missing.
    private func finishJoin(_ id: String, _ result: Result<(GroupState, Int64), LogError>) {
        let group = options.group
        let hasLeft = state.withLock { state in
            state.errand = .none
            guard case .success((let group, _)) = result, state.stage == .running else { return true }
            state.view = MemberView(id: id, joined: group, after: state.view)
            return false
        }
        if case .success((let state, let uptime)) = result {
            if hasLeft {
                log.writer.submit(
                    .other {
                        try Self.leave(id, group, $0)
                    } completion: { _ in
                    })
            } else {
                observe(state, uptime: uptime)
            }
        }
        log.caretaker.poke()
    }

    /// Ids begin with the client's name, so that people recognise them, and sort by it; the rest makes them unique.
    static func makeID(_ options: GroupOptions) -> String {
        "\(options.clientID)-\(WakeFolder.hexadecimal(.random(in: .min ... .max)))"
    }

    static func join(_ options: GroupOptions, id: String, _ transaction: WriteTransaction) throws -> GroupState {
        try GroupStore(transaction).update(options.group) { state in
            let member = GroupState.Member(
                id: id, clientID: options.clientID, topics: Set(options.topics).sorted(), bootID: transaction.bootID,
                heartbeat: transaction.uptime, sessionTimeout: Int64(options.sessionTimeoutMilliseconds),
                revokeTimeout: Int64(options.revokeTimeoutMilliseconds))
            state.join(member, now: transaction.uptime)
        }
    }

    private func checkRunning() throws {
        switch state.withLock({ $0.stage }) {
        case .running: return
        case .left: throw LogError(.closed, "the member has left its group")
        case .logClosed: throw SQLiteTaskLog.closedError
        }
    }

    /// The member's id, the first time.
    private func end(_ ending: Stage) -> String? {
        let id = state.withLock { state -> String? in
            guard state.stage == .running else { return nil }
            state.stage = ending
            return state.view.id
        }
        signal.raise()
        return id
    }
}

extension GroupRevision {
    init(_ state: GroupState) { self.init(generation: state.generation, round: state.round) }
}
