internal import TaskLog

/// Records on their way to the log, in chains: a stage is sent when every record of the stage before it is durable.
///
/// What fails for a time is sent again, in order, after a pause that grows from 100 ms to 10 s; what the log refuses for
/// good ends its chain. A call carries the records of many chains: what gathers while one is under way goes with the
/// next, and beside it only where a call is full or has waited for ``patienceMilliseconds``. First stages are what
/// somebody waits for, so later ones (states, tombstones) let them pass, for as long.
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
        /// From the one that is sent now on.
        var stages: ArraySlice<[LogAppend]>
        var unacknowledged: Int
        var highestOffset: Int64 = -1
        let byteCount: Int
    }

    /// Records and, beside each, the number of its chain.
    private struct Items {
        var chains: [Int] = []
        var records: [LogAppend] = []

        mutating func append(_ chain: Int, _ record: LogAppend) {
            chains.append(chain)
            records.append(record)
        }
    }

    /// Records that wait for a call, and how many calls of such are under way.
    private struct Lane {
        var items = Items()
        /// How many of the items have been sent.
        var head = 0
        var calls = 0
        /// Uptime since which the oldest item waits; nil when none does.
        var since: Int64?

        var count: Int { items.chains.count - head }
        var isEmpty: Bool { count == 0 }

        func hasWaited(_ uptime: Int64) -> Bool { since.map { uptime >= $0 + Outbox.patienceMilliseconds } ?? false }

        /// Puts `others` where those were that have been sent.
        mutating func dropSent(with others: Items = Items()) {
            items.chains.replaceSubrange(0..<head, with: others.chains)
            items.records.replaceSubrange(0..<head, with: others.records)
            head = 0
        }

        /// As many as a call may carry, of chains that still are; nil when there is none.
        mutating func take(atMost maximumRecords: Int, _ maximumBytes: Int, of open: [Int: Chain]) -> Items? {
            var taken = Items()
            let most = min(maximumRecords, items.chains.count - head)
            taken.chains.reserveCapacity(most)
            taken.records.reserveCapacity(most)
            var bytes = 0
            while !isEmpty, taken.chains.count < maximumRecords {
                let (chain, record) = (items.chains[head], items.records[head])
                if open.index(forKey: chain) != nil {
                    bytes += record.footprint
                    if bytes > maximumBytes && !taken.chains.isEmpty { break }
                    taken.append(chain, record)
                }
                head += 1
            }
            if isEmpty {
                dropSent()
                since = nil
            }
            return taken.chains.isEmpty ? nil : taken
        }
    }

    private enum Place {
        case first, later
    }

    private let maximumRecords: Int
    private let maximumBytes: Int
    private var chains: [Int: Chain] = [:]
    /// Bytes of all stages of the chains that are not complete.
    private(set) var byteCount = 0
    private var first = Lane()
    private var later = Lane()
    private var flying: [Int: (place: Place, items: Items)] = [:]
    private var nextID = 0
    private var failuresInARow = 0
    private var pausedUntil = Int64.min

    /// Append calls of first stages under way at once. There is one of later stages.
    static var maximumCalls: Int { 4 }
    static var patienceMilliseconds: Int64 { 50 }
    /// So many records are worth a call beside another.
    private static var fullCall: Int { 500 }

    init(maximumRecords: Int, maximumBytes: Int) {
        self.maximumRecords = maximumRecords
        self.maximumBytes = maximumBytes
    }

    var isEmpty: Bool { chains.isEmpty }
    /// Chains that are not complete.
    var count: Int { chains.count }

    /// The uptime at which records that wait may be sent; nil when none wait for a time.
    var nextAttempt: Int64? {
        if pausedUntil > .min { return first.isEmpty && later.isEmpty ? nil : pausedUntil }
        let waiting = [first.calls < Self.maximumCalls ? first.since : nil, later.calls == 0 ? later.since : nil]
        return waiting.compactMap { $0 }.min().map { $0 + Self.patienceMilliseconds }
    }

    /// Stages must not be empty.
    mutating func add(_ stages: [[LogAppend]], for purpose: Purpose) {
        precondition(!stages.isEmpty && !stages.contains(where: \.isEmpty))
        nextID += 1
        var bytes = 0
        for stage in stages { for record in stage { bytes += record.footprint } }
        byteCount += bytes
        chains[nextID] = Chain(
            purpose: purpose, stages: stages[...], unacknowledged: stages[0].count, byteCount: bytes)
        for record in stages[0] { first.items.append(nextID, record) }
    }

    /// Forgets chains: no further stage of them is sent, and nothing more is heard of them.
    mutating func cancel(where isCancelled: (Purpose) -> Bool) {
        chains = chains.filter { !isCancelled($0.value.purpose) }
        byteCount = chains.values.reduce(0) { $0 + $1.byteCount }
    }

    /// The next append call, or nil when nothing may be sent now.
    mutating func nextBatch(uptime: Int64) -> Batch? {
        guard uptime >= pausedUntil else { return nil }
        pausedUntil = .min
        if !first.isEmpty { first.since = first.since ?? uptime }
        if !later.isEmpty { later.since = later.since ?? uptime }
        if mayCallFirst(uptime), let items = first.take(atMost: maximumRecords, maximumBytes, of: chains) {
            return fly(items, .first)
        }
        guard !later.isEmpty, later.calls == 0, first.calls == 0 || later.hasWaited(uptime) else { return nil }
        return later.take(atMost: maximumRecords, maximumBytes, of: chains).map { fly($0, .later) }
    }

    private func mayCallFirst(_ uptime: Int64) -> Bool {
        if first.isEmpty || first.calls >= Self.maximumCalls { return false }
        return first.calls == 0 || first.count >= min(Self.fullCall, maximumRecords) || first.hasWaited(uptime)
    }

    private mutating func fly(_ items: Items, _ place: Place) -> Batch {
        nextID += 1
        flying[nextID] = (place, items)
        switch place {
        case .first: first.calls += 1
        case .later: later.calls += 1
        }
        return Batch(id: nextID, records: items.records)
    }

    /// Takes the results of an append call, and says how far its chains have come.
    mutating func complete(
        _ batch: Int, _ results: [Result<AppendReceipt, LogError>], uptime: Int64
    ) -> [Progress] {
        guard let (place, items) = flying.removeValue(forKey: batch) else { return [] }
        var progress: [Progress] = []
        progress.reserveCapacity(results.count)
        var failed = Items()
        for (index, result) in results.enumerated() {
            let id = items.chains[index]
            switch result {
            case .success(let receipt):
                if let step = acknowledge(id, offset: receipt.offset) { progress.append(step) }
            case .failure(let error) where error.code == .recordTooLarge:
                if let chain = chains.removeValue(forKey: id) {
                    byteCount -= chain.byteCount
                    progress.append(Progress(purpose: chain.purpose, step: .refused(error)))
                }
            case .failure:
                failed.append(id, items.records[index])
            }
        }
        switch place {
        case .first:
            first.calls -= 1
            first.dropSent(with: failed)
        case .later:
            later.calls -= 1
            later.dropSent(with: failed)
        }
        if failed.chains.isEmpty {
            failuresInARow = 0
        } else {
            failuresInARow += 1
            pausedUntil = uptime + min(10_000, Int64(100) << Int64(min(failuresInARow - 1, 7)))
        }
        return progress
    }

    private mutating func acknowledge(_ id: Int, offset: Int64) -> Progress? {
        guard let place = chains.index(forKey: id) else { return nil }
        chains.values[place].unacknowledged -= 1
        let highest = max(offset, chains.values[place].highestOffset)
        chains.values[place].highestOffset = highest
        guard chains.values[place].unacknowledged == 0 else { return nil }
        let purpose = chains.values[place].purpose
        let index = chains.values[place].stages.startIndex
        chains.values[place].stages.removeFirst()
        let next = chains.values[place].stages.first
        if let next {
            chains.values[place].unacknowledged = next.count
            chains.values[place].highestOffset = -1
            for record in next { later.items.append(id, record) }
        } else {
            byteCount -= chains.values[place].byteCount
            chains.remove(at: place)
        }
        return Progress(purpose: purpose, step: .durable(index: index, offset: highest, isLast: next == nil))
    }
}
