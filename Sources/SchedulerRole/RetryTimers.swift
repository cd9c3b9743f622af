internal import Containers
internal import TaskLog
internal import TaskModel

/// One work's waiting turns are dropped together by a cancel marker.
struct WorkKey: Hashable, Sendable {
    var fingerprint: Fingerprint
    var replay: UInt32
}

/// The waiting events of one partition of `retry`: a fold of its records, and a heap of their times.
///
/// Tombstones and cancel markers fold away; whoever folds the same records has the same timers. Events beyond the byte
/// budget are kept as stubs, whose records are fetched again by offset shortly before they are due.
struct RetryTimers: Sendable {
    /// What is to be done with an entry that has come up.
    enum Work: Sendable {
        case emit(DueEmission)
        /// A cancel marker names it.
        case drop
        /// It cannot be read; its record, and why.
        case bury(LogRecord, reason: String)
    }

    struct DueEntry: Sendable {
        var coordinate: Coordinate
        var work: Work
    }

    private enum Content: Sendable {
        case loaded(DueEmission)
        /// On disk only; `isAsked` once a fetch is under way.
        case stub(isAsked: Bool)
        indirect case undecodable(LogRecord, reason: String)
    }

    private enum Phase: Sendable {
        /// In the heap, to come up at this instant.
        case waiting(wake: Timestamp)
        /// Up, but its record has not been fetched yet.
        case starved
        /// Its queue has no topic.
        case parked(queue: String)
        /// Handed out; its tombstone will end it.
        case leaving
    }

    private struct Entry: Sendable {
        var offset: Int64
        var due: Timestamp
        var bytes: Int
        var isCancelled: Bool
        var content: Content
        var phase: Phase
    }

    private struct Turn: Comparable, Sendable {
        var at: Timestamp
        var coordinate: Coordinate
        static func < (left: Turn, right: Turn) -> Bool {
            left.at == right.at ? left.coordinate < right.coordinate : left.at < right.at
        }
    }

    private struct MarkerEnd: Comparable, Sendable {
        var at: Timestamp
        var key: WorkKey
        static func < (left: MarkerEnd, right: MarkerEnd) -> Bool { left.at < right.at }
        static func == (left: MarkerEnd, right: MarkerEnd) -> Bool { left.at == right.at }
    }

    private let budget: Int
    private let markerLifetime: Int64
    private var entries: [Coordinate: Entry] = [:]
    private var turns: [WorkKey: [UInt32]] = [:]
    private var markers: [WorkKey: (offset: Int64, end: Timestamp)] = [:]
    private var parked: [String: Set<Coordinate>] = [:]
    private var byTime = MinHeap<Turn>()
    private var stubs = MinHeap<Turn>()
    private var byOffset = LiveOffsets()
    private var byMarkerEnd = MinHeap<MarkerEnd>()
    private var loadedBytes = 0
    /// One fetch at a time: the next one when its records are here.
    private var isFetching = false
    /// One past the last record folded.
    private(set) var position: Int64
    /// Records without a key that parses, since the last ``takeForeign()``.
    private var foreign: [LogRecord] = []
    private static let maximumForeign = 100
    /// Of its events so far; those since the last ``takeNewQueues()``.
    private var queues: Set<String> = []
    private var newQueues: [String] = []
    private static let maximumQueues = 100
    private static let fetchAllowance = 1 << 20

    init(position: Int64, budget: Int, markerLifetime: Int64) {
        self.position = position
        self.budget = budget
        self.markerLifetime = markerLifetime
    }

    /// Events that wait, are parked or are on their way out.
    var count: Int { entries.count }
    var parkedCount: Int { parked.values.reduce(0) { $0 + $1.count } }

    // MARK: the fold

    mutating func apply(_ record: LogRecord) {
        guard record.offset >= position else { return }
        position = record.offset + 1
        switch RetryKey(record.key) {
        case nil:
            if foreign.count < Self.maximumForeign { foreign.append(record) }
        case .emission(let coordinate)?:
            if record.value == nil {
                if let entry = entries[coordinate], entry.offset < record.offset { remove(coordinate) }
            } else {
                insert(coordinate, record)
            }
        case .cancel(let fingerprint, let replay)?:
            let work = WorkKey(fingerprint: fingerprint, replay: replay)
            if record.value == nil {
                markers[work] = nil
            } else {
                mark(work, record)
            }
        }
    }

    /// Everything before `end` is folded, also where the last offsets are gaps.
    mutating func reach(_ end: Int64) { position = max(position, end) }

    private mutating func insert(_ coordinate: Coordinate, _ record: LogRecord) {
        remove(coordinate)
        let work = WorkKey(fingerprint: coordinate.fingerprint, replay: coordinate.replay)
        let bytes = record.bytesInMemory
        var entry = Entry(
            offset: record.offset, due: record.timestamp, bytes: bytes, isCancelled: markers[work] != nil,
            content: .stub(isAsked: false), phase: .waiting(wake: record.timestamp))
        switch Self.decode(record, coordinate) {
        case .success(let emission):
            entry.due = emission.due
            note(emission.queue)
            if loadedBytes + bytes <= budget { entry.content = .loaded(emission) }
        case .failure(let error): entry.content = .undecodable(record, reason: error.description)
        }
        if case .stub = entry.content {
            stubs.insert(Turn(at: entry.due, coordinate: coordinate))
        } else {
            loadedBytes += bytes
        }
        entries[coordinate] = entry
        turns[work, default: []].append(coordinate.turn)
        byOffset.append(record.offset, .emission(coordinate))
        wait(coordinate, until: entry.isCancelled ? record.timestamp : entry.due)
    }

    /// A record whose headers speak of another emission than its key cannot be trusted with either's tombstone.
    private static func decode(
        _ record: LogRecord, _ coordinate: Coordinate
    ) -> Result<DueEmission, EventDecodingError> {
        do {
            let emission = try DueEmission(
                key: record.key, value: record.value, headers: record.headers, place: record.place,
                recordedAt: record.timestamp)
            guard emission.coordinate == coordinate else {
                let problem = "the key names \(coordinate), the headers \(emission.coordinate)"
                return .failure(EventDecodingError(problem))
            }
            return .success(emission)
        } catch {
            return .failure(error)
        }
    }

    private mutating func mark(_ work: WorkKey, _ record: LogRecord) {
        let end = record.timestamp + markerLifetime
        markers[work] = (record.offset, end)
        byMarkerEnd.insert(MarkerEnd(at: end, key: work))
        byOffset.append(record.offset, .cancel(work.fingerprint, replay: work.replay))
        for turn in turns[work] ?? [] {
            let coordinate = Coordinate(fingerprint: work.fingerprint, replay: work.replay, turn: turn)
            guard let phase = entries[coordinate]?.phase else { continue }
            if case .leaving = phase { continue }
            unpark(coordinate)
            entries[coordinate]?.isCancelled = true
            wait(coordinate, until: record.timestamp)
        }
    }

    private mutating func wait(_ coordinate: Coordinate, until wake: Timestamp) {
        entries[coordinate]?.phase = .waiting(wake: wake)
        byTime.insert(Turn(at: wake, coordinate: coordinate))
    }

    private mutating func remove(_ coordinate: Coordinate) {
        unpark(coordinate)
        guard let entry = entries.removeValue(forKey: coordinate) else { return }
        if case .stub = entry.content {} else { loadedBytes -= entry.bytes }
        let work = WorkKey(fingerprint: coordinate.fingerprint, replay: coordinate.replay)
        turns[work]?.removeAll { $0 == coordinate.turn }
        if turns[work]?.isEmpty == true { turns[work] = nil }
    }

    private mutating func note(_ queue: String) {
        guard !queues.contains(queue), queues.count < Self.maximumQueues else { return }
        queues.insert(queue)
        newQueues.append(queue)
    }

    /// Queues that events are for, each once; the first hundred of them.
    mutating func takeNewQueues() -> [String] {
        defer { newQueues = [] }
        return newQueues
    }

    mutating func takeForeign() -> [LogRecord] {
        defer { foreign = [] }
        return foreign
    }

    // MARK: time

    /// When to look again: an entry comes up, a stub is to be fetched, or a marker ends.
    mutating func nextWake(fetchAhead: Int64) -> Timestamp? {
        let entries = self.entries
        let time = byTime.firstFresh { turn in
            guard case .waiting(let wake)? = entries[turn.coordinate]?.phase else { return true }
            return wake != turn.at
        }
        let stub = mayFetch ? firstStub() : nil
        let markers = self.markers
        let marker = byMarkerEnd.firstFresh { markers[$0.key]?.end != $0.at }
        return [time?.at, stub.map { $0.at - fetchAhead }, marker?.at].compactMap { $0 }.min()
    }

    /// Not while what was fetched before has not gone out: a hold must not fill the memory.
    private var mayFetch: Bool { !isFetching && loadedBytes < 2 * budget + Self.fetchAllowance }

    private mutating func firstStub() -> Turn? {
        let entries = self.entries
        return stubs.firstFresh { turn in
            guard let entry = entries[turn.coordinate], case .stub(isAsked: false) = entry.content else { return true }
            return entry.due != turn.at
        }
    }

    /// Hands out at most `limit` entries that have come up, earliest first. Each ends by `finish`, `putOff` or `park`.
    mutating func takeDue(now: Timestamp, limit: Int) -> [DueEntry] {
        var due: [DueEntry] = []
        while due.count < limit, let turn = byTime.first, turn.at <= now {
            byTime.popFirst()
            guard let place = entries.index(forKey: turn.coordinate),
                case .waiting(let wake) = entries.values[place].phase, wake == turn.at
            else { continue }
            let work: Work
            switch entries.values[place].content {
            case _ where entries.values[place].isCancelled: work = .drop
            case .loaded(let emission): work = .emit(emission)
            case .undecodable(let record, let reason): work = .bury(record, reason: reason)
            case .stub:
                entries.values[place].phase = .starved
                continue
            }
            entries.values[place].phase = .leaving
            due.append(DueEntry(coordinate: turn.coordinate, work: work))
        }
        return due
    }

    /// Offsets to fetch now, ascending: stubs due by `horizon`, a quarter of the budget at a time.
    mutating func takeFetches(horizon: Timestamp) -> [Int64] {
        guard mayFetch else { return [] }
        var offsets: [Int64] = []
        var bytes = 0
        while bytes <= budget / 4, let turn = firstStub(), turn.at <= horizon {
            stubs.popFirst()
            guard let entry = entries[turn.coordinate] else { continue }
            entries[turn.coordinate]?.content = .stub(isAsked: true)
            offsets.append(entry.offset)
            bytes += entry.bytes
        }
        isFetching = !offsets.isEmpty
        return offsets.sorted()
    }

    /// Takes fetched records. An offset that was asked for and is gone was superseded in the log: its successor, or its
    /// tombstone, arrives by itself.
    mutating func loaded(_ records: [LogRecord], asked: [Int64]) {
        isFetching = false
        var missing = Set(asked)
        for record in records {
            guard case .emission(let coordinate)? = RetryKey(record.key), let entry = entries[coordinate],
                entry.offset == record.offset, case .stub = entry.content
            else { continue }
            missing.remove(record.offset)
            switch Self.decode(record, coordinate) {
            case .success(let emission): entries[coordinate]?.content = .loaded(emission)
            case .failure(let error):
                entries[coordinate]?.content = .undecodable(record, reason: error.description)
            }
            loadedBytes += entry.bytes
            if case .starved = entry.phase { wait(coordinate, until: entry.due) }
        }
        guard !missing.isEmpty else { return }
        for (coordinate, entry) in entries where missing.contains(entry.offset) {
            if case .stub(isAsked: true) = entry.content { remove(coordinate) }
        }
    }

    /// A fetch failed: its stubs are asked for again.
    mutating func fetchFailed(asked: [Int64]) {
        isFetching = false
        let offsets = Set(asked)
        for (coordinate, entry) in entries where offsets.contains(entry.offset) {
            guard case .stub = entry.content else { continue }
            entries[coordinate]?.content = .stub(isAsked: false)
            stubs.insert(Turn(at: entry.due, coordinate: coordinate))
        }
    }

    // MARK: the end of an entry

    /// Its tombstone is durable at `tombstone`. A later record of the same key stays.
    mutating func finish(_ coordinate: Coordinate, tombstone: Int64) {
        guard let entry = entries[coordinate], entry.offset < tombstone else { return }
        remove(coordinate)
    }

    /// Waits for its queue's topic. One that a cancel marker came for while it was on its way comes up to be dropped.
    mutating func park(_ coordinate: Coordinate, queue: String) {
        guard let entry = entries[coordinate] else { return }
        guard markers[WorkKey(fingerprint: coordinate.fingerprint, replay: coordinate.replay)] == nil else {
            entries[coordinate]?.isCancelled = true
            return wait(coordinate, until: entry.due)
        }
        entries[coordinate]?.phase = .parked(queue: queue)
        parked[queue, default: []].insert(coordinate)
    }

    /// The queue has no topic, which may last: what waits for it is kept as stubs only.
    mutating func unloadParked(queue: String) {
        for coordinate in parked[queue] ?? [] {
            guard let entry = entries[coordinate], case .loaded = entry.content else { continue }
            loadedBytes -= entry.bytes
            entries[coordinate]?.content = .stub(isAsked: true)
        }
    }

    private mutating func unpark(_ coordinate: Coordinate) {
        guard case .parked(let queue)? = entries[coordinate]?.phase else { return }
        parked[queue]?.remove(coordinate)
        if parked[queue]?.isEmpty == true { parked[queue] = nil }
    }

    /// The queue's topic exists now: what waited for it comes up, after a fetch where only a stub was kept.
    mutating func unpark(queue: String) {
        for coordinate in parked.removeValue(forKey: queue) ?? [] {
            guard let entry = entries[coordinate], case .parked = entry.phase else { continue }
            guard case .stub = entry.content else {
                wait(coordinate, until: entry.due)
                continue
            }
            entries[coordinate]?.phase = .starved
            entries[coordinate]?.content = .stub(isAsked: false)
            stubs.insert(Turn(at: entry.due, coordinate: coordinate))
        }
    }

    /// Cancel markers whose time is over: they are to be ended by a tombstone, and are forgotten here.
    mutating func takeEndedMarkers(now: Timestamp) -> [RetryKey] {
        var ended: [RetryKey] = []
        while let first = byMarkerEnd.first, first.at <= now {
            byMarkerEnd.popFirst()
            guard markers[first.key]?.end == first.at else { continue }
            markers[first.key] = nil
            ended.append(.cancel(first.key.fingerprint, replay: first.key.replay))
        }
        return ended
    }

    /// The lowest offset that still matters: what is to be committed.
    var lowestLiveOffset: Int64 { byOffset.lowest ?? position }

    /// Lets go of offsets that do not matter any more, so that ``lowestLiveOffset`` is true.
    mutating func settleOffsets() {
        let entries = self.entries
        let markers = self.markers
        byOffset.removeFirst { offset, key in
            switch key {
            case .emission(let coordinate): entries[coordinate]?.offset != offset
            case .cancel(let fingerprint, let replay):
                markers[WorkKey(fingerprint: fingerprint, replay: replay)]?.offset != offset
            }
        }
    }
}

extension LogRecord {
    var place: RecordPlace { RecordPlace(topic: topic, partition: partition, offset: offset) }

    /// Roughly what its event takes in memory.
    fileprivate var bytesInMemory: Int {
        512 + (key?.count ?? 0) + (value?.count ?? 0) + headers.block.count
    }
}
