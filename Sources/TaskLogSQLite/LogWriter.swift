import Foundation
import Synchronization
internal import TaskLog
internal import TaskModel

/// What a commit changed, for those who wait for it.
struct CommitNotice: Sendable {
    /// New ends by partition id.
    var ends: [Int64: Int64]
    var hasChangedGroups: Bool
    var hasChangedTopics: Bool

    var isNews: Bool { !ends.isEmpty || hasChangedGroups || hasChangedTopics }
}

/// The one thread that writes. What waits when it comes round goes into one transaction, and so costs one sync of the
/// disk: with more callers the transactions get larger, not more.
///
/// Bounded: appends pass a gate of bytes; every other job's caller waits for it.
final class LogWriter: Sendable {
    private let connections: Connections
    private let catalog: TopicCatalog
    private let writeLock: NSLock
    private let queue = BlockingQueue<WriteJob>()
    private let gate: ByteGate
    private let crew = Crew()
    /// Uptime after which nobody waits for a lock any more; set by `close`.
    private let giveUpAt = Atomic<Int64>(.max)
    /// Uptime since when nobody could write, as far as this handle knows: the first of its waits that came to nothing, or
    /// the beginning of a write of its own that took long. `.max` when nothing is amiss.
    private let stalledSince = Atomic<Int64>(.max)
    private let transactions = Atomic<Int>(0)
    private let onCommit: @Sendable (CommitNotice) -> Void

    /// `writeLock` is shared by the handles of a file in this process, so that they queue up fairly instead of trying
    /// again and again.
    init(
        connections: Connections, catalog: TopicCatalog, writeLock: NSLock,
        onCommit: @escaping @Sendable (CommitNotice) -> Void
    ) {
        self.connections = connections
        self.catalog = catalog
        self.writeLock = writeLock
        self.onCommit = onCommit
        gate = ByteGate(limit: connections.configuration.maximumWaitingBytes)
    }

    /// Transactions committed so far.
    var committedTransactions: Int { transactions.load(ordering: .relaxed) }

    /// Starts the thread; returns when the file is open, or throws why it cannot be.
    func start() async throws {
        let result = await withCheckedContinuation {
            (continuation: CheckedContinuation<Result<Void, LogError>, Never>) in
            crew.start("tidemill-writer") { self.runThread(opened: continuation) }
        }
        try result.get()
    }

    func append(_ records: [LogAppend]) async -> [Result<AppendReceipt, LogError>] {
        guard !records.isEmpty else { return [] }
        // One more than the content, so that an append of nothing but absent values still counts as one.
        let bytes = records.reduce(1) { $0 + $1.footprint + 64 }
        await gate.enter(bytes)
        defer { gate.leave(bytes) }
        return await withCheckedContinuation { continuation in
            submit(.append(records, bytes: bytes) { continuation.resume(returning: $0) })
        }
    }

    /// Runs `body` in a write transaction, perhaps with others, and returns when that is durable.
    ///
    /// A ``LogError`` that it throws undoes its own work only.
    func transact<Value: Sendable>(
        _ body: @escaping @Sendable (WriteTransaction) throws -> Value
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            submit(.other(body) { continuation.resume(with: $0) })
        }
    }

    /// As `transact`, for threads; `completion` runs on the writer's thread and must be short.
    func submit(_ job: WriteJob) {
        if !queue.push(job) { job.finish(LogError(.closed, "the embedded log is closed")) }
    }

    /// Works off what waits, within the close timeout, and closes the file. Idempotent.
    func close() async {
        requestStop()
        await crew.waitUntilAllHaveEnded()
    }

    /// Asks the thread to end when it has worked off its queue; does not wait.
    func requestStop() {
        let time = connections.time
        let deadline = time.uptime() + Int64(connections.configuration.closeTimeoutMilliseconds)
        _ = giveUpAt.compareExchange(expected: .max, desired: deadline, ordering: .relaxed)
        queue.close()
    }

    private func runThread(opened: CheckedContinuation<Result<Void, LogError>, Never>) {
        do throws(LogError) {
            let connection = try connections.openWriter()
            let bootID = connections.configuration.bootID ?? BootID.current()
            opened.resume(returning: .success(()))
            serve(WriteTransaction(connection: connection, catalog: catalog, bootID: bootID))
        } catch {
            queue.close()
            opened.resume(returning: .failure(error))
        }
        connections.holder.close()
    }

    /// A wait for the lock that is long against the time between two heartbeats.
    private static let stallMilliseconds: Int64 = 500

    private func serve(_ transaction: WriteTransaction) {
        let configuration = connections.configuration
        while let jobs = queue.takeAll() {
            var start = 0
            while start < jobs.count {
                var end = start
                var bytes = 0
                while end < jobs.count, end == start || bytes + jobs[end].bytes <= configuration.maximumCommitBytes {
                    bytes += jobs[end].bytes
                    end += 1
                }
                serve(Array(jobs[start..<end]), transaction)
                start = end
            }
        }
    }

    private func serve(_ jobs: [WriteJob], _ transaction: WriteTransaction) {
        switch commit(jobs, transaction) {
        case .success(let notice):
            transactions.wrappingAdd(1, ordering: .relaxed)
            if notice.isNews { onCommit(notice) }
            for job in jobs { job.finish(nil) }
        case .failure(let error):
            let others = jobs.filter { !$0.isAppend }
            // A full disk must not silence the heartbeats: alone, they may still fit.
            guard error.code == .storage, !others.isEmpty, others.count < jobs.count else {
                for job in jobs { job.finish(error) }
                return
            }
            for job in jobs where job.isAppend { job.finish(error) }
            serve(others, transaction)
        }
    }

    private func commit(_ jobs: [WriteJob], _ transaction: WriteTransaction) -> Result<CommitNotice, LogError> {
        let asked = min(connections.time.uptime(), stalledSince.load(ordering: .relaxed))
        let patience = Double(connections.configuration.lockTimeoutMilliseconds) / 1000
        guard writeLock.lock(before: Date(timeIntervalSinceNow: patience)) else {
            return .failure(
                LogError(.unavailable, "another handle of \(connections.file.path) in this process writes for too long")
            )
        }
        defer { writeLock.unlock() }
        do throws(LogError) {
            try connections.begin(transaction.connection, giveUpAt: giveUpAt.load(ordering: .relaxed))
            defer { connections.holder.clear() }
            return .success(
                try connections.translating("write") { () throws(SQLiteFailure) in
                    try self.run(jobs, transaction, asked: asked)
                })
        } catch {
            if error.code == .unavailable { stalledSince.store(asked, ordering: .relaxed) }
            return .failure(error)
        }
    }

    /// `asked`: since when this write, or one before it that failed, has waited.
    private func run(
        _ jobs: [WriteJob], _ transaction: WriteTransaction, asked: Int64
    ) throws(SQLiteFailure) -> CommitNotice {
        do throws(SQLiteFailure) {
            let uptime = connections.time.uptime()
            try transaction.begin(now: connections.time.now(), uptime: uptime)
            if uptime - asked >= Self.stallMilliseconds {
                try GroupStore(transaction).forgive(stall: uptime - asked)
            }
            for job in jobs { try job.run(transaction) }
            let ends = try transaction.finish()
            try transaction.connection.execute("COMMIT")
            // A process that was stopped in here held up all others, and may be the first to write again.
            let isLong = connections.time.uptime() - uptime >= Self.stallMilliseconds
            stalledSince.store(isLong ? uptime : .max, ordering: .relaxed)
            return CommitNotice(
                ends: ends, hasChangedGroups: transaction.hasChangedGroups,
                hasChangedTopics: transaction.hasChangedTopics)
        } catch {
            // Some failures have rolled back already. What the rollback itself says adds nothing to the first failure.
            if transaction.connection.isInTransaction { try? transaction.connection.execute("ROLLBACK") }
            transaction.forget()
            throw error
        }
    }
}
