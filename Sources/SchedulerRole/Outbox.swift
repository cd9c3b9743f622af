internal import TaskLog

/// Records on their way to the log, in chains: a stage is sent when every record of the stage before it is durable.
///
/// What fails for a time is sent again, in order, after a pause that grows from 100 ms to 10 s; what the log refuses for
/// good ends its chain. A call carries the records of many chains.
struct Outbox<Purpose: Sendable>: Sendable {
    /// News of a chain.
    struct Progress: Sendable {
        enum Step: Sendable {
            /// Stage `index` is durable; `offset` is the highest one of it.
            case durable(index: Int, offset: Int64, isLast: Bool)
            case refused(LogError)
        }
        var purpose: Purpose
        var step: Step
    }

    struct Batch: Sendable {
        var id: Int
        var records: [LogAppend]
    }

    private struct Chain {
        var purpose: Purpose
        var stages: [[LogAppend]]
        var index = 0
        var unacknowledged = 0
        var highestOffset: Int64 = -1
        let byteCount: Int
    }

    private struct Item {
        var chain: Int
        var record: LogAppend
    }

    private let maximumRecords: Int
    private let maximumBytes: Int
    private var chains: [Int: Chain] = [:]
    /// Bytes of all stages of the chains that are not complete.
    private(set) var byteCount = 0
    private var queue: [Item] = []
    private var queueHead = 0
    private var flying: [Int: [Item]] = [:]
    private var nextID = 0
    private var failuresInARow = 0
    private var pausedUntil = Int64.min

    /// Append calls under way at once.
    static var maximumCalls: Int { 4 }

    init(maximumRecords: Int, maximumBytes: Int) {
        self.maximumRecords = maximumRecords
        self.maximumBytes = maximumBytes
    }

    var isEmpty: Bool { chains.isEmpty }
    /// Chains that are not complete.
    var count: Int { chains.count }

    /// The uptime at which records that wait may be sent; nil when none wait for a time.
    var nextAttempt: Int64? { queueHead < queue.count && pausedUntil > .min ? pausedUntil : nil }

    /// Stages must not be empty.
    mutating func add(_ stages: [[LogAppend]], for purpose: Purpose) {
        precondition(!stages.isEmpty && !stages.contains(where: \.isEmpty))
        nextID += 1
        let bytes = stages.reduce(0) { $0 + $1.reduce(0) { $0 + $1.byteCount } }
        byteCount += bytes
        chains[nextID] = Chain(purpose: purpose, stages: stages, byteCount: bytes)
        enqueueStage(of: nextID)
    }

    /// Forgets chains: no further stage of them is sent, and nothing more is heard of them.
    mutating func cancel(where isCancelled: (Purpose) -> Bool) {
        chains = chains.filter { !isCancelled($0.value.purpose) }
        byteCount = chains.values.reduce(0) { $0 + $1.byteCount }
    }

    private mutating func enqueueStage(of id: Int) {
        guard let stage = chains[id].map({ $0.stages[$0.index] }) else { return }
        chains[id]?.unacknowledged = stage.count
        for record in stage { queue.append(Item(chain: id, record: record)) }
    }

    /// The next append call, or nil when nothing may be sent now.
    mutating func nextBatch(uptime: Int64) -> Batch? {
        guard flying.count < Self.maximumCalls, uptime >= pausedUntil else { return nil }
        pausedUntil = .min
        var items: [Item] = []
        var bytes = 0
        while queueHead < queue.count, items.count < maximumRecords {
            let item = queue[queueHead]
            guard chains[item.chain] != nil else {
                queueHead += 1
                continue
            }
            bytes += item.record.byteCount
            if bytes > maximumBytes && !items.isEmpty { break }
            items.append(item)
            queueHead += 1
        }
        if queueHead == queue.count {
            queue.removeAll(keepingCapacity: queue.count < 100_000)
            queueHead = 0
        }
        guard !items.isEmpty else { return nil }
        nextID += 1
        flying[nextID] = items
        return Batch(id: nextID, records: items.map(\.record))
    }

    /// Takes the results of an append call, and says how far its chains have come.
    mutating func complete(
        _ batch: Int, _ results: [Result<AppendReceipt, LogError>], uptime: Int64
    ) -> [Progress] {
        guard let items = flying.removeValue(forKey: batch) else { return [] }
        var progress: [Progress] = []
        var failed: [Item] = []
        for (item, result) in zip(items, results) {
            switch result {
            case .success(let receipt):
                if let step = acknowledge(item.chain, offset: receipt.offset) { progress.append(step) }
            case .failure(let error) where error.code == .recordTooLarge:
                if let chain = chains.removeValue(forKey: item.chain) {
                    byteCount -= chain.byteCount
                    progress.append(Progress(purpose: chain.purpose, step: .refused(error)))
                }
            case .failure:
                failed.append(item)
            }
        }
        if failed.isEmpty {
            failuresInARow = 0
        } else {
            queue.replaceSubrange(0..<queueHead, with: failed)
            queueHead = 0
            failuresInARow += 1
            pausedUntil = uptime + min(10_000, Int64(100) << Int64(min(failuresInARow - 1, 7)))
        }
        return progress
    }

    private mutating func acknowledge(_ id: Int, offset: Int64) -> Progress? {
        guard let position = chains.index(forKey: id) else { return nil }
        chains.values[position].unacknowledged -= 1
        chains.values[position].highestOffset = max(offset, chains.values[position].highestOffset)
        let chain = chains.values[position]
        guard chain.unacknowledged == 0 else { return nil }
        let isLast = chain.index + 1 == chain.stages.count
        if isLast {
            chains.remove(at: position)
            byteCount -= chain.byteCount
        } else {
            chains.values[position].index += 1
            chains.values[position].highestOffset = -1
            enqueueStage(of: id)
        }
        return Progress(
            purpose: chain.purpose,
            step: .durable(index: chain.index, offset: chain.highestOffset, isLast: isLast))
    }
}
