/// What becomes of an event while others of its lane are open: running, leased or waiting in `retry`.
///
/// A lane is one partition and so one worker's: its owner knows from the ledger and from the records that it holds what
/// is open, without a lock.
public enum OverlapRule: String, Hashable, Sendable, Codable, CaseIterable {
    /// The new one ends as skipped.
    case skip
    /// The new one waits for the open ones; while it does, further ones are skipped.
    case bufferOne = "buffer-one"
    /// All wait and run one after another; beyond a bound the newest is skipped.
    case bufferAll = "buffer-all"
    /// What is open is asked to end, and the new one starts once it has.
    case cancelOther = "cancel-other"
    /// What is open ends as cancelled at once, and the new one starts without waiting for its attempt to end.
    case terminateOther = "terminate-other"
    /// They run side by side: any number of them, or up to a limit, beyond which the newest is skipped.
    case allow

    /// How many wait under ``bufferAll`` unless the schedule says otherwise.
    public static let defaultBuffered: UInt32 = 100
    /// The most that may be asked for: what waits is held by the worker, and keeps room from what else is in the partition.
    public static let maximumBuffered: UInt32 = 250
    public static let maximumInstances: UInt32 = 1000
}

/// What an event finds in its lane.
public struct LaneState: Hashable, Sendable {
    /// Other events that were let in and have not ended.
    public var open: Int
    /// Earlier events that wait to be let in.
    public var waiting: Int
    /// Other events whose end is decided, but not on record yet.
    public var ending: Int
    /// The partition holds as many waiting events as it may.
    public var isFull: Bool

    public init(open: Int = 0, waiting: Int = 0, ending: Int = 0, isFull: Bool = false) {
        self.open = open
        self.waiting = waiting
        self.ending = ending
        self.isFull = isFull
    }
}

/// What an event does in its lane.
public enum LaneMove: Hashable, Sendable {
    case enter
    case wait
    /// It ends as skipped, for this reason.
    case skip(String)
    /// The others are asked to end, and it waits.
    case cancelOthers
    /// The others are cancelled, and it waits until that is on record.
    case terminateOthers
}

extension OverlapRule {
    /// A pure function: so a new owner of the lane comes to the same end, however far the old one came.
    ///
    /// `isNew` is false for an event that waits already: it is not skipped any more, for itself would be in the way.
    public func move(limit: UInt32?, lane: LaneState, isNew: Bool) -> LaneMove {
        let others = lane.open + lane.waiting
        switch self {
        case .skip: return others == 0 ? .enter : .skip("an earlier event of this lane is still open")
        case .allow:
            guard let limit, others >= limit else { return .enter }
            return .skip("\(others) events of this lane are open; max_instances is \(limit)")
        case .bufferOne, .bufferAll, .cancelOther, .terminateOther: break
        }
        // Entering before an end is on record would let both run after a crash.
        guard others + lane.ending > 0 else { return .enter }
        guard !isNew || !lane.isFull else { return .skip("too many events of this partition wait for their lanes") }
        switch self {
        case .cancelOther: return .cancelOthers
        case .terminateOther: return .terminateOthers
        case .skip, .allow, .bufferOne, .bufferAll: break
        }
        let bound = self == .bufferOne ? 1 : Int(limit ?? Self.defaultBuffered)
        guard isNew, lane.waiting >= bound else { return .wait }
        return .skip("\(lane.waiting) of this lane wait already; at most \(bound) may")
    }
}
