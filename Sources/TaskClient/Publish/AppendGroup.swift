internal import ServiceRuntime
import Synchronization
internal import TaskLog

/// Appends single records of many callers together: what arrives while an append is under way goes with the next one.
///
/// A caller that finds room appends at once, so a lone one waits for nobody; it takes along what waits, and when it
/// returns, one of those that came meanwhile is the next to append. Every record has its own result.
final class AppendGroup: Sendable {
    /// What a caller that waited is woken for.
    private enum Turn: Sendable {
        case done(Result<AppendReceipt, LogError>)
        /// It is to append its own record, and those that wait with it.
        case lead([Waiter])
    }

    private struct Waiter: Sendable {
        var record: LogAppend
        var continuation: CheckedContinuation<Turn, Never>
    }

    private struct State {
        var waiting: [Waiter] = []
        var underWay = 0
        /// Uptime at which the last append began.
        var lastBegin: Int64 = 0
    }

    private let log: any TaskLog
    private let time: any TimeSource
    private let state = Mutex(State())

    /// Appends under way at once: while one is on its way, the next one is gathered and sent.
    private static let maximumUnderWay = 2
    /// After so many milliseconds those under way hold up nobody any more: they may wait for a broker that is away.
    private static let patienceMilliseconds: Int64 = 20
    private static let maximumRecords = 500
    private static let maximumBytes = 4 << 20

    init(log: any TaskLog, time: any TimeSource) {
        self.log = log
        self.time = time
    }

    /// Callers that wait for an append under way.
    var waitingCount: Int { state.withLock { $0.waiting.count } }

    /// Returns when the record is durable or has failed.
    func append(_ record: LogAppend) async -> Result<AppendReceipt, LogError> {
        if let others = state.withLock({ begin(&$0, with: record) }) { return await lead(record, others) }
        let turn = await withCheckedContinuation { (continuation: CheckedContinuation<Turn, Never>) in
            let others = state.withLock { state in
                let others = begin(&state, with: record)
                if others == nil { state.waiting.append(Waiter(record: record, continuation: continuation)) }
                return others
            }
            if let others { continuation.resume(returning: .lead(others)) }
        }
        switch turn {
        case .done(let result): return result
        case .lead(let others): return await lead(record, others)
        }
    }

    /// Counts one more append as under way, and takes what is to go with `record`; nil when there is no room for it.
    private func begin(_ state: inout State, with record: LogAppend) -> [Waiter]? {
        let now = time.uptime()
        guard state.underWay < Self.maximumUnderWay || now - state.lastBegin >= Self.patienceMilliseconds else {
            return nil
        }
        state.underWay += 1
        state.lastBegin = now
        var bytes = record.footprint
        var count = 0
        while count < min(state.waiting.count, Self.maximumRecords - 1) {
            bytes += state.waiting[count].record.footprint
            guard bytes <= Self.maximumBytes else { break }
            count += 1
        }
        defer { state.waiting.removeFirst(count) }
        return Array(state.waiting[..<count])
    }

    private func lead(_ record: LogAppend, _ others: [Waiter]) async -> Result<AppendReceipt, LogError> {
        let results = await log.append([record] + others.map(\.record))
        for (waiter, result) in zip(others, results.dropFirst()) {
            waiter.continuation.resume(returning: .done(result))
        }
        // Those that come again at once are to go with the next append, not with the one after it.
        if !others.isEmpty { await Task.yield() }
        handOver()
        return results[0]
    }

    /// Ends an append: the next one begins if anybody waits.
    private func handOver() {
        let next = state.withLock { state -> (Waiter, [Waiter])? in
            state.underWay -= 1
            guard !state.waiting.isEmpty else { return nil }
            let first = state.waiting.removeFirst()
            guard let others = begin(&state, with: first.record) else {
                state.waiting.insert(first, at: 0)
                return nil
            }
            return (first, others)
        }
        if let (first, others) = next { first.continuation.resume(returning: .lead(others)) }
    }
}
