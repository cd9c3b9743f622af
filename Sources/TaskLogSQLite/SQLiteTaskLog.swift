package import ServiceRuntime
import Synchronization
package import TaskLog
internal import TaskModel
package import TaskTelemetry

/// The embedded log: one SQLite file for one machine, with the semantics of Kafka.
///
/// Durable: what is acked survives a power loss. Several handles, in one process or several, may share the file; each has
/// one thread that writes, a few that read, and one that keeps house, so nothing blocks Swift's pool. Holds no more in
/// memory than what waits to be written (`maximumWaitingBytes`) and one batch per reader.
package final class SQLiteTaskLog: TaskLog {
    private struct Weak<Value: AnyObject & Sendable>: Sendable {
        weak var value: Value?
    }

    private struct State {
        var isClosed = false
        var areThreadsStopped = false
        var members: [Weak<SQLiteGroupMember>] = []
        var followers: [Weak<SQLiteFollower>] = []
    }

    static let closedError = LogError(.closed, "the embedded log is closed")

    let connections: Connections
    let catalog: TopicCatalog
    let writer: LogWriter
    let readers: ReaderPool
    let tail: Tail
    let caretaker: Caretaker
    private let crew = Crew()
    private let hub: FileHub
    private let listener: UInt64
    private let upkeep: UpkeepClock
    /// Names this handle among those that may keep up the file.
    let upkeepName = WakeFolder.hexadecimal(.random(in: .min ... .max))
    /// Records that the last compaction left, by partition id.
    let compactedSizes = Mutex<[Int64: Int64]>([:])
    private let state = Mutex(State())

    var configuration: SQLiteLogConfiguration { connections.configuration }
    var time: any TimeSource { connections.time }
    var logger: Logger { connections.logger }

    /// Opens the file at `path`, and makes it and its folder when they are missing.
    ///
    /// Throws `unsupported` (a network file system, another program's file, a newer schema, damage), `storage` (no right
    /// to write, no space) or `unavailable` (locked for longer than the lock timeout).
    package static func open(
        path: String, configuration: SQLiteLogConfiguration = SQLiteLogConfiguration(),
        time: any TimeSource = SystemTimeSource(), logger: Logger = Logger()
    ) async throws -> SQLiteTaskLog {
        let file = try await Crew.run("tidemill-open") { try DatabaseFile.prepare(path: path) }
        let connections = Connections(
            file: file, configuration: configuration, time: time, logger: logger,
            holder: LockHolder(databasePath: file.path))
        let log = SQLiteTaskLog(connections)
        do {
            try await log.start()
            return log
        } catch {
            await log.close()
            throw error
        }
    }

    private init(_ connections: Connections) {
        self.connections = connections
        let configuration = connections.configuration
        let hub = FileHub.enter(connections.file.identity, isShared: configuration.wakePaths.contains(.inProcess))
        let socket = configuration.wakePaths.contains(.socket) ? WakeSocket(databasePath: connections.file.path) : nil
        let caretaker = Caretaker(socket: socket)
        let tail = Tail()
        let catalog = TopicCatalog()
        self.hub = hub
        self.caretaker = caretaker
        self.tail = tail
        self.catalog = catalog
        upkeep = UpkeepClock(interval: configuration.maintenanceIntervalMilliseconds, from: connections.time.uptime())
        readers = ReaderPool(connections: connections)
        listener = hub.listen { notice in
            tail.advance(notice.ends)
            if notice.hasChangedGroups { caretaker.poke() }
        }
        writer = LogWriter(connections: connections, catalog: catalog, writeLock: hub.writeLock) { notice in
            hub.tell(notice)
            caretaker.announce()
        }
        if socket == nil, configuration.wakePaths.contains(.socket) {
            connections.logger.warning(
                "no wake socket could be made beside the log; other processes hear of news at the tick",
                [
                    "file": connections.file.path, "tick_ms": "\(configuration.fallbackTickMilliseconds)",
                ])
        }
    }

    deinit { stopThreads() }

    private func start() async throws {
        try await writer.start()
        readers.start(in: crew)
        let eye = CaretakerEye(connections: connections)
        let tick = configuration.fallbackTickMilliseconds
        caretaker.start(in: crew) { [weak self] in
            self.map { $0.tend(eye, tick: tick) }
        } ended: {
            eye.close()
        }
    }

    /// Transactions committed by this handle. With group commit there are fewer than appends.
    package var committedTransactions: Int { writer.committedTransactions }

    // MARK: life of members and followers

    package func join(_ options: GroupOptions) async throws -> any GroupMember {
        try checkOpen()
        let id = SQLiteGroupMember.makeID(options)
        let (group, uptime) = try await writer.transact { transaction in
            (try SQLiteGroupMember.join(options, id: id, transaction), transaction.uptime)
        }
        let member = SQLiteGroupMember(log: self, options: options, id: id, joined: group, uptime: uptime)
        let isOpen = state.withLock { state in
            state.members.removeAll { $0.value == nil }
            state.members.append(Weak(value: member))
            return !state.isClosed
        }
        if !isOpen { _ = member.logClosed() }
        caretaker.poke()
        return member
    }

    package func follow(_ positions: [TopicPartition: Int64], pace: FollowPace) async throws -> any LogFollower {
        try checkOpen()
        let follower = SQLiteFollower(log: self, pace: pace)
        try await follower.add(positions)
        let isOpen = state.withLock { state in
            state.followers.removeAll { $0.value == nil }
            state.followers.append(Weak(value: follower))
            return !state.isClosed
        }
        if !isOpen { follower.logClosed() }
        return follower
    }

    /// Leaves all groups, so that others take over at once, writes what waits, and frees the file. After the close
    /// timeout it gives up on what a locked file still holds up.
    package func close() async {
        let (members, followers) = state.withLock { state in
            guard !state.isClosed else { return ([SQLiteGroupMember](), [SQLiteFollower]()) }
            state.isClosed = true
            return (state.members.compactMap(\.value), state.followers.compactMap(\.value))
        }
        for follower in followers { follower.logClosed() }
        for member in members {
            guard let id = member.logClosed() else { continue }
            let group = member.options.group
            writer.submit(
                .other {
                    try SQLiteGroupMember.leave(id, group, $0)
                } completion: { _ in
                })
        }
        await writer.close()
        stopThreads()
        await crew.waitUntilAllHaveEnded()
    }

    func checkOpen() throws {
        if state.withLock({ $0.isClosed }) { throw Self.closedError }
    }

    private func stopThreads() {
        let isFirst = state.withLock { state in
            defer { state.areThreadsStopped = true }
            return !state.areThreadsStopped
        }
        guard isFirst else { return }
        writer.requestStop()
        readers.close()
        caretaker.stop()
        hub.unlisten(listener)
        hub.leave()
    }

    // MARK: the caretaker's round

    /// Returns after how many milliseconds to come again at the latest.
    private func tend(_ eye: CaretakerEye, tick: Int) -> Int {
        if let ends = eye.look() { tail.advance(ends) }
        let uptime = time.uptime()
        let members = state.withLock { $0.members.compactMap(\.value) }
        var next = uptime + Int64(tick)
        for member in members {
            if let due = member.tend(uptime: uptime, revision: eye.revisions[member.options.group]) {
                next = min(next, due)
            }
        }
        if upkeep.begin(uptime: uptime) {
            let upkeep = upkeep
            Task { [weak self] in
                await self?.keepUp(interval: upkeep.interval)
                if let self { upkeep.finish(uptime: time.uptime()) }
            }
        }
        return Int(clamping: max(0, next - uptime))
    }
}
