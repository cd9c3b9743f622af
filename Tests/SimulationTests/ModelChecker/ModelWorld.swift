import TaskModel

/// The smallest world in which everything can go wrong: one event, one partition, a policy of two attempts, workers that
/// take over from each other, a scheduler that may crash once. Topics are short arrays; every append is a step.
struct ModelWorld: Hashable {
    /// What is built, and what is deliberately built wrong.
    enum Variant: String, CaseIterable {
        case decideThenDo = "decide, then do"
        /// The effect is appended before the decision.
        case effectBeforeDecision = "effect before decision"
        /// A hole whose own coordinate is decided is taken for settled.
        case skipsDecidedHoles = "decided holes are skipped, not re-done"
        /// A death is answered only when its completion is read after it.
        case answersOnlyLaterCompletions = "only completions read after a death are answered"
        /// A later turn does not wait for the one before.
        case runsBesideItself = "turns do not wait for each other"

        static let wrong = allCases.filter { $0 != .decideThenDo }
    }

    struct Bounds: Hashable {
        var takeovers: UInt8
        /// How many workers may go on without knowing that they were taken over. Without any, a takeover means that the
        /// worker before has crashed.
        var zombies: UInt8
        var schedulerCrashes: UInt8
        /// Whether the first attempt may also fail for good.
        var hasFatal: Bool
        /// Whether an append and its acknowledgement are two steps. A crash between them leaves what a crash after them
        /// leaves, so one step for both loses no world; two show it.
        var acknowledgesApart: Bool
    }

    /// Where one received record stands in one worker. Pairs of (to append, appended but not acknowledged) leave room for
    /// a crash between an append and its acknowledgement.
    enum Stage: UInt8 {
        case waiting = 0x00
        case running = 0x10
        case deciding = 0x20
        case decisionSent = 0x30
        case doing = 0x40
        case effectSent = 0x50
    }

    enum Life: UInt8 {
        case unborn
        /// It has read the committed offset, not yet the ledger.
        case restoring
        /// Works, and believes that it owns the partition. All but the last one born are zombies that do not know it.
        case working
        case dead
    }

    struct Worker: Hashable {
        var life = Life.unborn
        /// Ledger records read: `position` of them from the start, and our own acknowledged ones.
        var position: UInt8 = 0
        var acknowledged: UInt8 = 0
        /// The next due offset to receive; what of the received is unsettled, and what the commit said is settled.
        var next: UInt8 = 0
        var holes: UInt8 = 0
        var committedSettled: UInt8 = 0
        /// Per due offset: stage and decision.
        var stages: UInt64 = 0
        var highestStarted: UInt8 = 0
        /// A dead letter stands against a completion, and we have not answered it.
        var mustResolve = false

        func stage(_ offset: UInt8) -> Stage { Stage(rawValue: UInt8(stages >> UInt64(8 * offset) & 0xf0))! }
        func decision(_ offset: UInt8) -> ModelDecision? {
            ModelDecision(rawValue: UInt8(stages >> UInt64(8 * offset) & 0xf))
        }
        mutating func set(_ offset: UInt8, _ stage: Stage, _ decision: ModelDecision? = nil) {
            stages &= ~(0xff << UInt64(8 * offset))
            stages |= UInt64(stage.rawValue | (decision?.rawValue ?? 0)) << UInt64(8 * offset)
        }
        func isHole(_ offset: UInt8) -> Bool { holes & 1 << offset != 0 }
        /// The lowest hole of a set of them, taken out of it.
        static func popFirst(_ holes: inout UInt8) -> UInt8? {
            guard holes != 0 else { return nil }
            defer { holes &= holes &- 1 }
            return UInt8(truncatingIfNeeded: holes.trailingZeroBitCount)
        }
    }

    /// What is committed: the offset, the high mark, the holes between them.
    struct Commit: Hashable {
        var offset: UInt8 = 0
        var highMark: UInt8 = 0
        var holes: UInt8 = 0
    }

    /// Decisions, four bits each, oldest lowest.
    var ledger: UInt64 = 0
    var ledgerCount: UInt8 = 0
    /// Turns, two bits each, oldest lowest.
    var due: UInt16 = 1
    var dueCount: UInt8 = 1
    /// `retry` holds the second turn, without a tombstone.
    var isRetryLive = false
    /// The scheduler has emitted it and not yet written the tombstone.
    var isEmitted = false
    var schedulerCrashes: UInt8 = 0
    var hasLetter = false
    var isResolved = false
    var commit = Commit()
    var workers = (Worker(life: .working), Worker(), Worker())
    /// How many workers were born.
    var born: UInt8 = 1

    static let maximumDue: UInt8 = 8

    /// How many workers live.
    var living: Int { (0..<Int(born)).count { self[$0].life != .dead } }

    func turn(at offset: UInt8) -> UInt8 { UInt8(due >> (2 * UInt16(offset)) & 3) }
    func ledgerDecision(at position: UInt8) -> ModelDecision {
        ModelDecision(rawValue: UInt8(ledger >> (4 * UInt64(position)) & 15))!
    }

    mutating func appendDue(turn: UInt8) {
        due |= UInt16(turn) << (2 * UInt16(dueCount))
        dueCount += 1
    }

    func place(of decision: ModelDecision) -> UInt8? {
        var position: UInt8 = 0
        while position < ledgerCount, ledgerDecision(at: position) != decision { position += 1 }
        return position < ledgerCount ? position : nil
    }

    /// A record that repeats an earlier one adds no state: whoever reads it has read that one, and the fold does not change.
    mutating func appendLedger(_ decision: ModelDecision) {
        guard place(of: decision) == nil else { return }
        ledger |= UInt64(decision.rawValue) << (4 * UInt64(ledgerCount))
        ledgerCount += 1
    }

    subscript(index: Int) -> Worker {
        get { index == 0 ? workers.0 : index == 1 ? workers.1 : workers.2 }
        set {
            switch index {
            case 0: workers.0 = newValue
            case 1: workers.1 = newValue
            default: workers.2 = newValue
            }
        }
    }

    /// The ledger with what this worker has not read left out.
    func known(to worker: Worker) -> UInt64 {
        var mask = (UInt64(1) << UInt64(4 * worker.position)) &- 1
        var own = worker.acknowledged
        while let position = Worker.popFirst(&own) { mask |= 15 << UInt64(4 * position) }
        return ledger & mask
    }

    static func == (left: ModelWorld, right: ModelWorld) -> Bool {
        left.head == right.head && left.ledger == right.ledger && left.workers.0 == right.workers.0
            && left.workers.1 == right.workers.1 && left.workers.2 == right.workers.2
    }

    func hash(into hasher: inout Hasher) {
        hasher.combine(ledger)
        hasher.combine(head)
        workers.0.hash(into: &hasher)
        workers.1.hash(into: &hasher)
        workers.2.hash(into: &hasher)
    }

    /// Everything but the ledger and the workers (`due` fixes its count, the ledger fixes its own).
    private var head: UInt64 {
        var bits = UInt64(due)
        bits = bits << 8 | UInt64(commit.offset << 4 | commit.highMark)
        bits = bits << 8 | UInt64(commit.holes)
        bits = bits << 8 | UInt64(schedulerCrashes << 4 | born)
        bits = bits << 4 | (isRetryLive ? 8 : 0) | (isEmitted ? 4 : 0) | (hasLetter ? 2 : 0) | (isResolved ? 1 : 0)
        return bits
    }
}

extension ModelWorld.Worker {
    static func == (left: Self, right: Self) -> Bool { left.words == right.words && left.stages == right.stages }

    func hash(into hasher: inout Hasher) {
        hasher.combine(words)
        hasher.combine(stages)
    }

    private var words: UInt64 {
        var bits = UInt64(life.rawValue << 4 | position)
        bits = bits << 8 | UInt64(acknowledged)
        bits = bits << 8 | UInt64(next)
        bits = bits << 8 | UInt64(holes)
        bits = bits << 8 | UInt64(committedSettled)
        return bits << 8 | UInt64(highestStarted << 4 | (mustResolve ? 1 : 0))
    }
}
