internal import TaskLog
internal import TaskModel

/// An assigned due partition.
struct PartitionState: Sendable {
    enum Phase: Hashable, Sendable {
        case restoring
        case open
        /// The operator has to say where to start.
        case stopped
    }

    let due: TopicPartition
    let ledger: TopicPartition
    let queue: String
    /// Partition count of the queue.
    let count: Int32
    let epoch: Int64
    var phase = Phase.restoring
    private(set) var tracker = OffsetTracker(start: 0)
    private var turns: [Int64: Turn] = [:]
    /// The unsettled offset that leads each fingerprint, and the ones behind it (rare), ascending.
    private var leaders: [Fingerprint: Int64] = [:]
    private var followers: [Fingerprint: [Int64]] = [:]
    /// What the last commit says of offsets above the watermark; nil once they were all seen.
    private(set) var committedHoles: CommittedHoles?
    /// Records that arrived while no room was left, in order.
    private var backlog: ArraySlice<TurnFacts> = []
    /// Offsets below are suspects, while `suspectsLeft` lasts.
    private var suspectEnd: Int64 = 0
    private var suspectsLeft = 0
    private(set) var lastCommit: CommittedOffset?
    var needsCommit = false
    private(set) var bufferedBytes = 0
    var isPaused = false
    /// Broker time at the watermark.
    private(set) var watermarkTime = Timestamp.epoch

    init(due: TopicPartition, ledger: TopicPartition, queue: String, count: Int32, epoch: Int64) {
        self.due = due
        self.ledger = ledger
        self.queue = queue
        self.count = count
        self.epoch = epoch
    }

    func place(_ offset: Int64) -> TurnPlace { TurnPlace(partition: due, epoch: epoch, offset: offset) }

    /// Ready to fetch from `start`; `committed` is the knowledge of the last owner, if there is any.
    mutating func open(at start: Int64, committed: CommitMetadata?, suspectsBelow end: Int64, maximumSuspects: Int) {
        phase = .open
        tracker = OffsetTracker(start: start)
        committedHoles = committed.flatMap { CommittedHoles($0, from: start) }
        suspectEnd = end
        suspectsLeft = maximumSuspects
    }

    // MARK: turns

    var turnCount: Int { turns.count }

    subscript(offset: Int64) -> Turn? { turns[offset] }

    /// Does nothing when the turn is gone.
    mutating func setStage(_ stage: TurnStage, of offset: Int64) { turns[offset]?.stage = stage }

    mutating func setSuspicion(_ suspicion: Suspicion?, of offset: Int64) { turns[offset]?.suspicion = suspicion }

    mutating func trimEffect(of offset: Int64) { turns[offset]?.isEffectTrimmed = true }

    var offsetsInOrder: [Int64] { turns.keys.sorted() }

    /// Unsettled offsets of a fingerprint, ascending.
    func offsets(of fingerprint: Fingerprint) -> [Int64] {
        guard let leader = leaders[fingerprint] else { return [] }
        return followers.isEmpty ? [leader] : [leader] + (followers[fingerprint] ?? [])
    }

    /// Whether an earlier event of this lane, other than `turn`, is at work.
    func hasEarlierAtWork(than turn: Turn) -> Bool {
        turns.contains { offset, other in
            offset < turn.facts.place.offset && other.facts.coordinate.fingerprint != turn.facts.coordinate.fingerprint
                && other.facts.event.partitionKey == turn.facts.event.partitionKey && !other.isEnding
        }
    }

    /// Whether a turn that gets ready is to be noted before it starts.
    mutating func takeSuspect(_ offset: Int64) -> Bool {
        guard offset < suspectEnd, suspectsLeft > 0 else { return false }
        suspectsLeft -= 1
        return true
    }

    // MARK: records in

    /// Where a record went.
    enum Reception: Hashable, Sendable {
        /// Known already, or settled by the last commit.
        case passed
        case taken
    }

    func isFull(_ configuration: WorkerConfiguration) -> Bool {
        tracker.holeCount >= configuration.maximumHoles || bufferedBytes >= configuration.maximumBufferedBytes
    }

    func hasRoomAgain(_ configuration: WorkerConfiguration) -> Bool {
        backlog.isEmpty && tracker.holeCount <= configuration.maximumHoles / 2
            && bufferedBytes <= configuration.maximumBufferedBytes / 2
    }

    var hasBacklog: Bool { !backlog.isEmpty }

    mutating func postpone(_ facts: TurnFacts) { backlog.append(facts) }

    mutating func popBacklog() -> TurnFacts? { backlog.popFirst() }

    /// Tracks a record's offset. A taken one is a hole from here on.
    mutating func receive(_ facts: TurnFacts) -> Reception {
        let offset = facts.place.offset
        guard tracker.receive(offset) else { return .passed }
        needsCommit = true
        if turns.isEmpty { watermarkTime = max(watermarkTime, facts.recordTime) }
        guard let holes = committedHoles else { return .taken }
        if tracker.next >= holes.highMark { committedHoles = nil }
        guard holes.isSettled(offset) else { return .taken }
        tracker.settle(offset)
        return .passed
    }

    /// What a new turn means for its fingerprint.
    enum Admission: Hashable, Sendable {
        case leads
        case waits
        /// Another unsettled record has the same coordinate.
        case duplicate
    }

    mutating func admit(_ turn: Turn) -> Admission {
        let offset = turn.facts.place.offset
        let coordinate = turn.facts.coordinate
        let earlier = offsets(of: coordinate.fingerprint)
        turns[offset] = turn
        bufferedBytes += turn.facts.byteCount
        guard !earlier.isEmpty else {
            leaders[coordinate.fingerprint] = offset
            return .leads
        }
        followers[coordinate.fingerprint, default: []].append(offset)
        return earlier.contains { turns[$0]?.facts.coordinate == coordinate } ? .duplicate : .waits
    }

    /// The turn is settled. Returns the offset that leads its fingerprint from now on, if that changed.
    mutating func settle(_ offset: Int64) -> Int64? {
        guard let turn = turns.removeValue(forKey: offset) else { return nil }
        let wasWatermark = tracker.watermark == offset
        tracker.settle(offset)
        needsCommit = true
        bufferedBytes -= turn.facts.byteCount
        if wasWatermark { watermarkTime = max(watermarkTime, turn.facts.recordTime) }
        let fingerprint = turn.facts.coordinate.fingerprint
        guard leaders[fingerprint] == offset else {
            followers[fingerprint]?.removeAll { $0 == offset }
            if followers[fingerprint]?.isEmpty == true { followers[fingerprint] = nil }
            return nil
        }
        let rest = followers.isEmpty ? [] : followers.removeValue(forKey: fingerprint) ?? []
        leaders[fingerprint] = rest.first
        if rest.count > 1 { followers[fingerprint] = Array(rest.dropFirst()) }
        return rest.first
    }

    // MARK: commits

    /// The commit as of now; nil when it says nothing new. What the last commit knows of offsets that have not been
    /// read again is kept: the fold may have forgotten them, and they must not run again.
    mutating func takeCommit(isClean: Bool) -> CommittedOffset? {
        needsCommit = false
        let watermark = tracker.watermark
        var metadata = CommitMetadata(tracker, isClean: isClean)
        if let known = committedHoles, known.highMark > tracker.next {
            metadata.holes += known.holes(from: tracker.next)
            metadata.highMark = known.highMark
        }
        let commit = CommittedOffset(offset: watermark, metadata: metadata.encoded(offset: watermark))
        guard commit != lastCommit else { return nil }
        lastCommit = commit
        return commit
    }
}

/// The holes of a commit, ready for look-ups.
struct CommittedHoles: Sendable {
    let highMark: Int64
    /// Ascending.
    private let holes: [Int64]
    private let members: Set<Int64>

    /// Nil when it knows nothing at or above `start`.
    init?(_ metadata: CommitMetadata, from start: Int64) {
        guard metadata.highMark > start else { return nil }
        highMark = metadata.highMark
        holes = metadata.holes.filter { $0 >= start }
        members = Set(holes)
    }

    func isSettled(_ offset: Int64) -> Bool { offset < highMark && !members.contains(offset) }

    func holes(from offset: Int64) -> [Int64] { holes.filter { $0 >= offset } }
}

/// The ledger of one partition, owned now or lately.
struct LedgerState: Sendable {
    var fold = LedgerFold()
    /// The next offset that was not applied yet: what lies below is never applied twice, for notes are counted.
    var position: Int64 = 0
    /// The due partition while it is ours.
    var owner: TopicPartition?
    /// Nil while the partition is owned; else the uptime at which the state is dropped.
    var expiresAt: Int64?
    /// While a scan is under way the follower may be ahead of it: its records come again once the fold is whole.
    var isScanning = true
}
