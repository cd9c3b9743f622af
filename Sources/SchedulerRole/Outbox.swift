internal import Containers
internal import TaskLog
internal import TaskModel

/// Records on their way to the log, in chains: a stage is sent when every record of the stage before it is durable.
///
/// What fails for a time is sent again, in order, after a pause that grows from 100 ms to 10 s; what the log refuses for
/// good ends its chain, and so does a missing topic where the chain says that its first stage may meet one. A call
/// carries the records of many chains: what gathers while one is under way goes with the next, and beside it only where
/// a call is full or has waited for ``patienceMilliseconds``. First stages are what somebody waits for, so later ones
/// (states, tombstones) let them pass, for as long.
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
        let number: Int
        let purpose: Purpose
        /// Behind the one that is sent now.
        var stages: ArraySlice<[LogAppend]>
        var stage = 0
        var unacknowledged: Int
        var highestOffset: Int64 = -1
        let byteCount: Int
        let mayLackTopic: Bool

        /// Whether the log will not take it, however often it is sent.
        func isEnded(by error: LogError) -> Bool {
            error.code == .recordTooLarge || (error.isMissingTopic && mayLackTopic && stage == 0)
        }

        /// Whether that was the last record of the stage.
        mutating func acknowledge(_ offset: Int64) -> Bool {
            unacknowledged -= 1
            highestOffset = max(highestOffset, offset)
            return unacknowledged == 0
        }

        /// Goes on to the next stage; nil when there is none.
        mutating func takeStage() -> [LogAppend]? {
            guard let next = stages.popFirst() else { return nil }
            stage += 1
            unacknowledged = next.count
            highestOffset = -1
            return next
        }
    }

    /// Where a chain is, and its number: another chain may be there now.
    private struct ChainPlace {
        var slot: Int
        var number: Int

        /// Whether the chain still is, and is still there.
        func isHeld(in chains: Slots<Chain>) -> Bool { chains.values[slot]?.number == number }
    }

    /// Records and, beside each, its chain.
    private struct Items {
        var chains: [ChainPlace] = []
        var records: [LogAppend] = []

        mutating func append(_ chain: ChainPlace, _ record: LogAppend) {
            chains.append(chain)
            records.append(record)
        }

        var byteCount: Int {
            var count = 0
            // Looked at where they lie: taken out, each would be copied with all that it refers to.
            for index in records.indices { count += records[index].footprint }
            return count
        }

        /// Those of a topic behind each other, in their order: logs take runs of one topic, and only the order within a
        /// partition means something.
        func groupedByTopic() -> Items {
            var groups: [[Int]] = []
            var groupOfTopic: [String: Int] = [:]
            var topic: String?
            var group = 0
            for index in records.indices {
                let next = records[index].topic
                if next != topic {
                    topic = next
                    group = groupOfTopic[next] ?? groups.count
                    groupOfTopic[next] = group
                    if group == groups.count { groups.append([]) }
                }
                groups[group].append(index)
            }
            guard groups.count > 1 else { return self }
            var grouped = Items()
            grouped.chains.reserveCapacity(chains.count)
            grouped.records.reserveCapacity(records.count)
            for index in groups.joined() { grouped.append(chains[index], records[index]) }
            return grouped
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

        /// All that wait, where they may go with one call: the usual case, for which the lane is handed over as it is.
        private mutating func takeAll(
            atMost maximumRecords: Int, _ maximumBytes: Int, of open: Slots<Chain>
        ) -> Items? {
            guard head == 0, !isEmpty, count <= maximumRecords, items.byteCount <= maximumBytes,
                items.chains.allSatisfy({ $0.isHeld(in: open) })
            else { return nil }
            defer {
                items = Items()
                since = nil
            }
            return items
        }

        /// As many as a call may carry, of chains that still are; nil when there is none.
        mutating func take(atMost maximumRecords: Int, _ maximumBytes: Int, of open: Slots<Chain>) -> Items? {
            if let all = takeAll(atMost: maximumRecords, maximumBytes, of: open) { return all }
            var taken = Items()
            let most = min(maximumRecords, items.chains.count - head)
            taken.chains.reserveCapacity(most)
            taken.records.reserveCapacity(most)
            var bytes = 0
            while !isEmpty, taken.chains.count < maximumRecords {
                let (chain, record) = (items.chains[head], items.records[head])
                if chain.isHeld(in: open) {
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

    private enum LaneName {
        case first, later
    }

    private let maximumRecords: Int
    private let maximumBytes: Int
    private var chains = Slots<Chain>()
    /// Bytes of all stages of the chains that are not complete.
    private(set) var byteCount = 0
    private var first = Lane()
    private var later = Lane()
    private var flying: [Int: (lane: LaneName, items: Items)] = [:]
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

    /// Stages must not be empty. `mayLackTopic`: the topic of the first one may be gone, and somebody knows what then.
    mutating func add(_ stages: [[LogAppend]], for purpose: Purpose, mayLackTopic: Bool = false) {
        precondition(!stages.isEmpty && !stages.contains { $0.isEmpty })
        nextID += 1
        var bytes = 0
        for stage in stages { for record in stage { bytes += record.footprint } }
        byteCount += bytes
        let slot = chains.insert(
            Chain(
                number: nextID, purpose: purpose, stages: stages.dropFirst(), unacknowledged: stages[0].count,
                byteCount: bytes, mayLackTopic: mayLackTopic))
        let place = ChainPlace(slot: slot, number: nextID)
        for record in stages[0] { first.items.append(place, record) }
    }

    /// Forgets chains: no further stage of them is sent, and nothing more is heard of them.
    mutating func cancel(where isCancelled: (Purpose) -> Bool) {
        for (slot, chain) in chains.values.enumerated() {
            if let chain, isCancelled(chain.purpose) { end(slot, chain) }
        }
    }

    private mutating func end(_ slot: Int, _ chain: Chain) {
        byteCount -= chain.byteCount
        chains.remove(slot)
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

    private mutating func fly(_ taken: Items, _ lane: LaneName) -> Batch {
        let items = taken.groupedByTopic()
        nextID += 1
        flying[nextID] = (lane, items)
        switch lane {
        case .first: first.calls += 1
        case .later: later.calls += 1
        }
        return Batch(id: nextID, records: items.records)
    }

    /// Takes the results of an append call, and says how far its chains have come.
    mutating func complete(
        _ batch: Int, _ results: [Result<AppendReceipt, LogError>], uptime: Int64
    ) -> [Progress] {
        guard let (lane, items) = flying.removeValue(forKey: batch) else { return [] }
        var progress: [Progress] = []
        progress.reserveCapacity(results.count)
        var failed = Items()
        for (index, result) in results.enumerated() {
            let place = items.chains[index]
            switch result {
            case .success(let receipt):
                if let step = acknowledge(place, offset: receipt.offset) { progress.append(step) }
            case .failure(let error):
                guard place.isHeld(in: chains), let chain = chains.values[place.slot] else { continue }
                guard chain.isEnded(by: error) else {
                    failed.append(place, items.records[index])
                    continue
                }
                end(place.slot, chain)
                progress.append(Progress(purpose: chain.purpose, step: .refused(error)))
            }
        }
        switch lane {
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

    private mutating func acknowledge(_ place: ChainPlace, offset: Int64) -> Progress? {
        guard place.isHeld(in: chains),
            chains.values[place.slot]?.acknowledge(offset) == true,
            let chain = chains.values[place.slot]
        else { return nil }
        if let next = chains.values[place.slot]?.takeStage() {
            for record in next { later.items.append(place, record) }
        } else {
            end(place.slot, chain)
        }
        return Progress(
            purpose: chain.purpose,
            step: .durable(index: chain.stage, offset: chain.highestOffset, isLast: chain.stages.isEmpty))
    }
}
