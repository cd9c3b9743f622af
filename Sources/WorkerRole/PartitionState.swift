internal import TaskLog
internal import TaskModel

/// A due partition that is ours, or was.
struct PartitionState: Sendable {
    enum Phase: Hashable, Sendable {
        /// Not ours.
        case away
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
    private(set) var epoch: Int64 = 0
    var phase = Phase.away
    private(set) var tracker = OffsetTracker(start: 0)
    private(set) var table = TurnTable(slot: 0, assignment: 0)
    /// The unsettled turn that leads each fingerprint, and the ones behind it (rare), in the order of their offsets.
    private var leaders: [Fingerprint: Int] = [:]
    private var followers: [Fingerprint: [Int]] = [:]
    /// The seats of the turns of events that have a lane, by their key's hash: an event that asks who else is there must
    /// not look at all that the partition holds.
    private var lanes: [UInt32: [Int]] = [:]
    /// What the last commit says of offsets above the watermark; nil once they were all seen.
    private(set) var committedHoles: CommittedHoles?
    /// Records that arrived while no room was left, in order; those before `backlogHead` were taken.
    private var backlog: [TurnFacts] = []
    private var backlogHead = 0
    /// Offsets below are suspects, while `suspectsLeft` lasts.
    private var suspectEnd: Int64 = 0
    private var suspectsLeft = 0
    private(set) var lastCommit: CommittedOffset?
    var needsCommit = false
    private(set) var bufferedBytes = 0
    var isPaused = false
    /// Broker time at the watermark.
    private(set) var watermarkTime = Timestamp.epoch

    init(due: TopicPartition, ledger: TopicPartition, queue: String, count: Int32) {
        self.due = due
        self.ledger = ledger
        self.queue = queue
        self.count = count
    }

    /// It came. Nothing of an earlier assignment is left.
    mutating func begin(epoch: Int64, assignment: Int64, slot: Int) {
        end()
        self.epoch = epoch
        table = TurnTable(slot: slot, assignment: assignment)
        phase = .restoring
    }

    /// It went.
    mutating func end() { self = PartitionState(due: due, ledger: ledger, queue: queue, count: count) }

    /// Ready to fetch from `start`; `committed` is the knowledge of the last owner, if there is any.
    mutating func open(at start: Int64, committed: CommitMetadata?, suspectsBelow end: Int64, maximumSuspects: Int) {
        phase = .open
        tracker = OffsetTracker(start: start)
        committedHoles = committed.flatMap { CommittedHoles($0, from: start) }
        suspectEnd = end
        suspectsLeft = maximumSuspects
    }

    // MARK: turns

    @inline(__always) mutating func setStage(_ stage: TurnStage, of place: TurnPlace) {
        table.change(place) { $0.stage = stage }
    }

    mutating func setSuspicion(_ suspicion: Suspicion?, of place: TurnPlace) {
        table.change(place) { $0.suspicion = suspicion }
    }

    mutating func trimEffect(of place: TurnPlace) { table.change(place) { $0.isEffectTrimmed = true } }

    var turnsInOrder: [Turn] {
        table.all.sorted { $0.facts.place.offset < $1.facts.place.offset }
    }

    /// Unsettled turns of a fingerprint, in the order of their offsets.
    func places(of fingerprint: Fingerprint) -> [TurnPlace] {
        seats(of: fingerprint).compactMap { table.place(ofSeat: $0) }
    }

    private func seats(of fingerprint: Fingerprint) -> [Int] {
        guard let leader = leaders[fingerprint] else { return [] }
        return followers.isEmpty ? [leader] : [leader] + (followers[fingerprint] ?? [])
    }

    /// The unsettled turns of the other events of its lane, in the order of their offsets.
    func laneTurns(besides turn: Turn) -> [(TurnPlace, Turn)] {
        var found: [(TurnPlace, Turn)] = []
        for seat in lanes[turn.facts.keyHash] ?? [] {
            guard let other = table.turn(ofSeat: seat),
                other.facts.coordinate.fingerprint != turn.facts.coordinate.fingerprint,
                other.facts.event.partitionKey == turn.facts.event.partitionKey
            else { continue }
            found.append((table.place(seat, other.facts.place.offset), other))
        }
        return found.sorted { $0.0.offset < $1.0.offset }
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
        !hasBacklog && tracker.holeCount <= configuration.maximumHoles / 2
            && bufferedBytes <= configuration.maximumBufferedBytes / 2
    }

    var hasBacklog: Bool { backlogHead < backlog.count }

    mutating func postpone(_ facts: TurnFacts) { backlog.append(facts) }

    mutating func popBacklog() -> TurnFacts? {
        guard hasBacklog else { return nil }
        defer {
            backlogHead += 1
            if backlogHead == backlog.count || backlogHead >= 1024 {
                backlog.removeFirst(backlogHead)
                backlogHead = 0
            }
        }
        return backlog[backlogHead]
    }

    /// Tracks a record's offset. A taken one is a hole from here on.
    mutating func receive(_ facts: TurnFacts) -> Reception {
        let offset = facts.place.offset
        guard tracker.receive(offset) else { return .passed }
        needsCommit = true
        if tracker.holeCount == 1 { watermarkTime = max(watermarkTime, facts.recordTime) }
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

    mutating func admit(_ turn: Turn) -> (TurnPlace, Admission) {
        let coordinate = turn.facts.coordinate
        let seat = table.take(turn)
        let place = table.place(seat, turn.facts.place.offset)
        bufferedBytes += turn.facts.byteCount
        if turn.facts.hasLane { lanes[turn.facts.keyHash, default: []].append(seat) }
        guard leaders[coordinate.fingerprint] != nil else {
            leaders[coordinate.fingerprint] = seat
            return (place, .leads)
        }
        let isKnown = seats(of: coordinate.fingerprint).contains {
            table.turn(ofSeat: $0)?.facts.coordinate == coordinate
        }
        followers[coordinate.fingerprint, default: []].append(seat)
        return (place, isKnown ? .duplicate : .waits)
    }

    /// The turn is settled. Returns the one that leads its fingerprint from now on, if that changed.
    mutating func settle(_ place: TurnPlace) -> TurnPlace? {
        guard let turn = table.remove(place) else { return nil }
        let offset = place.offset
        let wasWatermark = tracker.watermark == offset
        tracker.settle(offset)
        needsCommit = true
        bufferedBytes -= turn.facts.byteCount
        if wasWatermark { watermarkTime = max(watermarkTime, turn.facts.recordTime) }
        if turn.facts.hasLane { leaveLane(turn.facts.keyHash, place.seat) }
        let fingerprint = turn.facts.coordinate.fingerprint
        guard leaders[fingerprint] == place.seat else {
            followers[fingerprint]?.removeAll { $0 == place.seat }
            if followers[fingerprint]?.isEmpty == true { followers[fingerprint] = nil }
            return nil
        }
        let rest = followers.isEmpty ? [] : followers.removeValue(forKey: fingerprint) ?? []
        leaders[fingerprint] = rest.first
        if rest.count > 1 { followers[fingerprint] = Array(rest.dropFirst()) }
        return rest.first.flatMap { table.place(ofSeat: $0) }
    }

    private mutating func leaveLane(_ keyHash: UInt32, _ seat: Int) {
        guard let found = lanes.index(forKey: keyHash), let index = lanes.values[found].firstIndex(of: seat) else {
            return
        }
        guard lanes.values[found].count > 1 else {
            lanes.remove(at: found)
            return
        }
        // Their order means nothing.
        lanes.values[found].swapAt(index, lanes.values[found].count - 1)
        lanes.values[found].removeLast()
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
    var own = OwnDecisions()
    var stage = Stage.unknown
    /// Nil while the partition is owned; else the uptime at which the state is dropped.
    var expiresAt: Int64?
    /// From its very beginning it holds cancels only, which people write: nothing was done here that a commit should know.
    var isUntouched = true

    enum Stage: Sendable {
        case unknown
        /// Its first scan is under way: half a fold must not be taken for a whole one.
        case restoring
        /// The partition has come back: a scan reads on from `position`, up to which the fold is whole, and the follower
        /// leaves. What it brings until then counts: it is no less whole, and may be all that comes.
        case catchingUp
        /// Its follower brings the rest.
        case followed
    }

    var isKept: Bool { stage != .unknown }
    var isFollowed: Bool { stage == .followed }
    /// What comes joins on to what is known.
    var isWhole: Bool { stage == .catchingUp || stage == .followed }
}
