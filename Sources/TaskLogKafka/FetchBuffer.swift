internal import TaskLog

/// What a reader fetches and what it has fetched ahead: the policy, without the consumer that carries it out.
///
/// The consumer is told a whole new set of positions (a request) each time the set of fetched partitions changes, and
/// marks records with the number of the request that they come from. So a record of before a restart is told from one
/// after it, and nothing rests on librdkafka's own idea of a position.
///
/// Bounded by bytes. At the bound, whoever fetches waits a little for room; if none comes, paused partitions give their
/// records back (they are fetched again at resume), and if that is not enough nothing is fetched until half of the bytes
/// are taken.
struct FetchBuffer {
    /// Fetch these from there on, and nothing else.
    struct Request: Equatable {
        var positions: [TopicPartition: Int64]
        var serial: UInt64
    }

    fileprivate struct Partition {
        /// The next offset to come from the log.
        var position: Int64
        /// Records and ends of earlier requests do not count.
        var minimumSerial: UInt64
        var records: [LogRecord] = []
        /// Index of the first record not yet taken.
        var head = 0
        var bytes = 0
        var isPaused = false
        /// Not fetched for now, be it paused with the buffer full or out of the log's range.
        var isHeld = false
        /// Where the log ended when it was last reached.
        var reachedEnd: Int64?

        var isEmpty: Bool { head == records.count }
    }

    private let maximumBytes: Int
    private var partitions: [TopicPartition: Partition] = [:]
    /// The order of turns, so that a busy partition does not starve the others.
    private var turns: [TopicPartition] = []
    private var bytes = 0
    private var isFull = false
    private var serial: UInt64 = 0
    private var isChanged = false
    /// Positions that have moved forward within the last request.
    private var skips: [TopicPartition: Int64] = [:]

    init(maximumBytes: Int) {
        self.maximumBytes = max(1, maximumBytes)
    }

    /// Whether records are expected of the consumer, which has come to the request with this serial: something is fetched,
    /// and nothing lies ready. What it has not been asked for yet it cannot be late with.
    func isHungry(at serial: UInt64) -> Bool {
        bytes == 0 && !isFull
            && partitions.values.contains { !$0.isHeld && $0.isEmpty && $0.minimumSerial <= serial }
    }

    var bufferedBytes: Int { bytes }

    /// Whether `take` or `takeEnd` would give something.
    var hasReady: Bool {
        partitions.values.contains { $0.isEmpty ? $0.reachedEnd != nil : !$0.isPaused }
    }

    // MARK: What is fetched

    /// Adds partitions, or moves them and forgets what was fetched; a paused one stays paused. Negative offsets mean 0:
    /// to librdkafka they would be words such as "end".
    mutating func start(_ positions: [TopicPartition: Int64]) {
        for (key, position) in positions {
            let old = drop(key)
            if old == nil { turns.append(key) }
            partitions[key] = Partition(
                position: max(0, position), minimumSerial: serial + 1, isPaused: old?.isPaused ?? false)
        }
        isChanged = isChanged || !positions.isEmpty
        relax()
    }

    mutating func remove(_ keys: some Sequence<TopicPartition>) {
        for key in keys where drop(key) != nil {
            partitions[key] = nil
            isChanged = true
        }
        turns.removeAll { partitions[$0] == nil }
        relax()
    }

    mutating func removeAll() { remove(Array(partitions.keys)) }

    mutating func pause(_ keys: some Sequence<TopicPartition>) {
        for key in keys { partitions[key]?.isPaused = true }
        if isFull { giveBackPaused() }
        relax()
    }

    mutating func resume(_ keys: some Sequence<TopicPartition>) {
        for key in keys {
            guard let partition = partitions[key], partition.isPaused else { continue }
            partitions[key]?.isPaused = false
            if partition.isHeld { fetchAgain(key) }
        }
    }

    /// Stops fetching a partition whose position the log does not hold. Nil if that is old news.
    mutating func hold(_ key: TopicPartition, serial: UInt64) -> Int64? {
        guard let partition = partitions[key], partition.minimumSerial <= serial, !partition.isHeld else { return nil }
        partitions[key]?.isHeld = true
        return partition.position
    }

    /// Goes on at another position after `hold`; what was fetched before stays.
    mutating func move(_ key: TopicPartition, from old: Int64, to position: Int64) {
        guard let partition = partitions[key], partition.isHeld, partition.position == old else { return }
        partitions[key]?.position = position
        fetchAgain(key)
    }

    /// Goes on further ahead: what lies between is not wanted. A partition that is held keeps its position.
    mutating func skip(to positions: [TopicPartition: Int64]) {
        for (key, position) in positions {
            guard let partition = partitions[key], !partition.isHeld, partition.position < position else { continue }
            partitions[key]?.position = position
            skips[key] = position
        }
    }

    /// What to tell the consumer beside the last request, which holds still.
    mutating func takeSkips() -> Request? {
        guard !skips.isEmpty, !isChanged else { return nil }
        defer { skips = [:] }
        return Request(positions: skips, serial: serial)
    }

    /// The request to hand to the consumer, if the last one does not hold any more.
    mutating func takeRequest() -> Request? {
        guard isChanged else { return nil }
        isChanged = false
        skips = [:]
        serial += 1
        let positions = isFull ? [:] : partitions.filter { !$0.value.isHeld }.mapValues(\.position)
        return Request(positions: positions, serial: serial)
    }

    // MARK: What was fetched

    /// Records of one partition, ascending.
    mutating func accept(_ records: [LogRecord], serial: UInt64) {
        guard let first = records.first, let last = records.last else { return }
        let key = first.topicPartition
        guard var partition = partitions[key], partition.minimumSerial <= serial, !partition.isHeld else { return }
        partitions[key] = nil
        var size = 0
        if partition.isEmpty, first.offset >= partition.position {
            // The list is taken as it is: to move records one by one costs four references each.
            partition.records = records
            partition.head = 0
            for index in records.indices { size += records[index].cost }
        } else {
            for record in records where record.offset >= partition.position {
                partition.records.append(record)
                size += record.cost
            }
        }
        partition.position = max(partition.position, last.offset + 1)
        partition.bytes += size
        bytes += size
        partitions[key] = partition
    }

    /// More lies here than may, and more comes.
    var isOverfull: Bool { bytes > maximumBytes && !isFull }

    /// Waiting for the taker was of no use: what is fetched has to change, though that costs fetching some again.
    mutating func relieve() {
        guard isOverfull else { return }
        giveBackPaused()
        guard bytes > maximumBytes else { return }
        isFull = true
        isChanged = true
    }

    mutating func noteEnd(_ key: TopicPartition, offset: Int64, serial: UInt64) {
        guard let partition = partitions[key], partition.minimumSerial <= serial else { return }
        partitions[key]?.reachedEnd = offset
    }

    /// An end that was reached, once all before it is taken. Each is told once.
    mutating func takeEnd() -> (TopicPartition, Int64)? {
        for (key, partition) in partitions where partition.isEmpty {
            guard let end = partition.reachedEnd else { continue }
            partitions[key]?.reachedEnd = nil
            return (key, end)
        }
        return nil
    }

    /// The next records, at most `maximum`, a run of each partition in turn.
    mutating func take(_ maximum: Int) -> [LogRecord] {
        var batch: [LogRecord] = []
        for _ in turns.indices where batch.count < maximum {
            let key = turns.removeFirst()
            turns.append(key)
            guard var partition = partitions[key], !partition.isPaused, !partition.isEmpty else { continue }
            partitions[key] = nil
            bytes -= partition.bytes
            partition.move(maximum - batch.count, to: &batch)
            bytes += partition.bytes
            partitions[key] = partition
        }
        relax()
        return batch
    }

    // MARK: Inner workings

    private mutating func drop(_ key: TopicPartition) -> (isPaused: Bool, position: Int64)? {
        guard let partition = partitions[key] else { return nil }
        bytes -= partition.bytes
        return (partition.isPaused, partition.position)
    }

    private mutating func fetchAgain(_ key: TopicPartition) {
        partitions[key]?.isHeld = false
        partitions[key]?.minimumSerial = serial + 1
        isChanged = true
    }

    private mutating func giveBackPaused() {
        for (key, partition) in partitions where partition.isPaused && !partition.isEmpty {
            bytes -= partition.bytes
            let first = partition.records[partition.head].offset
            partitions[key] = Partition(position: first, minimumSerial: serial + 1, isPaused: true, isHeld: true)
            isChanged = true
        }
    }

    private mutating func relax() {
        guard isFull, bytes <= maximumBytes / 2 else { return }
        isFull = false
        isChanged = true
    }
}

extension FetchBuffer.Partition {
    /// Moves at most `maximum` records behind those of a batch.
    fileprivate mutating func move(_ maximum: Int, to batch: inout [LogRecord]) {
        if head == 0, records.count <= maximum, batch.isEmpty {
            swap(&records, &batch)
            bytes = 0
            return
        }
        let end = min(records.count, head + maximum)
        for index in head..<end { bytes -= records[index].cost }
        batch.append(contentsOf: records[head..<end])
        head = end
        compact()
    }

    /// Frees what was taken, without moving the rest at every batch.
    private mutating func compact() {
        if isEmpty {
            records.removeAll(keepingCapacity: true)
            head = 0
        } else if head > 1000 && head > records.count / 2 {
            records.removeSubrange(..<head)
            head = 0
        }
    }
}

extension LogRecord {
    /// About what it takes in the buffer: its bytes, the array headers and the struct.
    fileprivate var cost: Int { byteCount + 200 }
}
