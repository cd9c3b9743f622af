import Synchronization
internal import TaskLog

/// A follower: positions, and a wait for more behind them.
final class SQLiteFollower: LogFollower {
    private enum Stage { case running, closed, logClosed }

    /// How long a gathered one leaves records lying, so that it may be told first which it need not bring.
    private static let gathering = Duration.milliseconds(80)

    private let log: SQLiteTaskLog
    private let pace: FollowPace
    /// The last read was a full one.
    private let isBehind = Atomic(false)
    private let signal = Signal()
    private let fetcher: Fetcher
    private let stage = Mutex(Stage.running)

    init(log: SQLiteTaskLog, pace: FollowPace) {
        self.log = log
        self.pace = pace
        fetcher = Fetcher(
            log: log, signal: signal, maximumRecords: log.configuration.maximumReadBatchRecords,
            maximumBytes: log.configuration.maximumReadBatchBytes)
    }

    func next() async throws -> [LogRecord]? {
        while true {
            try Task.checkCancellation()
            switch stage.withLock({ $0 }) {
            case .closed: return nil
            case .logClosed: throw SQLiteTaskLog.closedError
            case .running: break
            }
            if pace == .gathered, !isBehind.load(ordering: .relaxed) { try await Task.sleep(for: Self.gathering) }
            let records: [LogRecord]
            do { records = try await fetcher.read() } catch let error as LogError where error.code == .closed {
                // The handle closes: its own word on this follower follows.
                records = []
            }
            guard stage.withLock({ $0 == .running }) else { continue }
            isBehind.store(records.count == log.configuration.maximumReadBatchRecords, ordering: .relaxed)
            if !records.isEmpty { return records }
            await signal.wait()
        }
    }

    func add(_ positions: [TopicPartition: Int64]) async throws {
        let checked = try await fetcher.check(positions)
        fetcher.set(checked)
    }

    func remove(_ partitions: [TopicPartition]) async { fetcher.remove(partitions) }

    func skip(to positions: [TopicPartition: Int64]) { fetcher.skip(to: positions) }

    func close() async { end(.closed) }

    /// The handle is closed.
    func logClosed() { end(.logClosed) }

    private func end(_ ending: Stage) {
        stage.withLock { if $0 == .running { $0 = ending } }
        signal.raise()
    }
}
