public import TaskModel

/// Which dead letters: every condition that is given must hold.
public struct DeadLetterFilter: Hashable, Sendable {
    /// In what state letters are wanted.
    public enum States: String, Hashable, Sendable, Codable, CaseIterable {
        /// Nobody has dealt with them. The default.
        case open
        case all
    }

    public var states: States = .open
    public var task: String?
    public var queue: String?
    /// The last failure's code, or a part of its message in either case.
    public var error: String?
    public var reason: DeathReason?
    /// By the broker's time of the letter: at or after, and before.
    public var since: Timestamp?
    public var until: Timestamp?
    public var fingerprint: Fingerprint?
    /// Only these letters.
    var keys: Set<DeadLetterKey>?

    public init() {}

    /// Whether a letter with this outline may match; what only the whole letter tells is not looked at.
    func mayMatch(_ outline: DeadLetterOutline, at time: Timestamp) -> Bool {
        if let task, outline.task != task { return false }
        if let queue, outline.queue != queue { return false }
        if let reason, outline.reason != reason { return false }
        if let since, time < since { return false }
        if let until, time >= until { return false }
        if let fingerprint, outline.key.fingerprint != fingerprint { return false }
        if let keys, !keys.contains(outline.key) { return false }
        return true
    }

    /// Whether a letter whose outline may match does so.
    func matches(_ letter: DeadLetterSummary) -> Bool {
        guard let error else { return true }
        return letter.lastFailure.map { $0.code == error || $0.message.lowercased().contains(error.lowercased()) }
            ?? false
    }
}

/// A dead letter without its payload.
public struct DeadLetterSummary: Hashable, Sendable {
    public var key: DeadLetterKey
    public var place: RecordPlace
    /// The broker's time of the letter.
    public var at: Timestamp
    /// Empty for a record that could not be read.
    public var task: String
    public var queue: String
    /// The lane.
    public var partitionKey: String?
    public var reason: DeathReason
    public var attempts: UInt32
    public var lastFailure: AttemptFailure?
    public var payloadBytes: Int
    public var isUnreadable: Bool
    public var state: LetterState

    init(_ letter: DeadLetter, key: DeadLetterKey, place: RecordPlace, at time: Timestamp) {
        self.key = key
        self.place = place
        at = time
        task = letter.event.task
        queue = letter.queue
        partitionKey = letter.event.partitionKey
        reason = letter.reason
        attempts = letter.event.attempt
        lastFailure = letter.event.history.last
        payloadBytes = letter.event.payload.count
        isUnreadable = letter.raw != nil
        state = .open
    }
}

/// Letters that died of the same thing.
public struct DeadLetterGroup: Hashable, Sendable {
    public var task: String
    public var reason: DeathReason
    /// The code of the last failure, empty when there was none.
    public var code: String
    public var count: Int
    public var oldest: Timestamp
    public var newest: Timestamp
    /// The newest one.
    public var example: DeadLetterKey
}

/// What a search for dead letters found.
public struct DeadLetterReport: Hashable, Sendable {
    /// Newest first, at most as many as were asked for.
    public var letters: [DeadLetterSummary]
    /// How many match, listed or not.
    public var matching: Int
    /// All that match, the largest group first.
    public var groups: [DeadLetterGroup]
    /// There were more than one call keeps in memory; counts are lower bounds. Narrow the search by time.
    public var isTruncated: Bool
}
