public import TaskModel

/// Which dead letters to act on.
public enum DeadLetterSelection: Hashable, Sendable {
    /// Open letters that match, oldest first; at most `limit`.
    case matching(DeadLetterFilter, limit: Int? = nil)
    case letters([DeadLetterKey])
}

/// Who acts on dead letters, why, and how fast.
public struct DeadLetterOrder: Hashable, Sendable {
    public var author: String
    public var reason: String
    /// Letters a second; nil is as fast as the log takes them.
    public var rate: Double?
    /// Says what would happen, and writes nothing.
    public var isDryRun = false

    public init(author: String, reason: String) {
        self.author = author
        self.reason = reason
    }
}

/// What happened to one letter.
public struct DeadLetterStep: Hashable, Sendable {
    public enum Result: Hashable, Sendable {
        /// The event is in its queue again under this coordinate, and the letter is marked.
        case replayed(Coordinate)
        case discarded
        /// Of a dry run.
        case wouldReplay(Coordinate)
        case wouldDiscard
        /// Somebody has dealt with it before.
        case alreadyHandled(LetterState)
        case refused(ClientError)
    }

    public var key: DeadLetterKey
    /// Empty when the letter was not found, or could not be read.
    public var task: String
    public var result: Result
    /// Letters dealt with so far, this one included, and in all.
    public var done: Int
    public var total: Int
}

/// What became of all of them.
public struct DeadLetterActionReport: Hashable, Sendable {
    /// Replayed or discarded; of a dry run, what would be.
    public var done = 0
    public var alreadyHandled = 0
    /// At most ``maximumRefusals`` with their reasons; `refused` counts all.
    public var refusals: [DeadLetterKey: ClientError] = [:]
    public var refused = 0
    public var total = 0
    /// More letters match than one run takes: run it again.
    public var isTruncated = false

    public static let maximumRefusals = 1000

    public init() {}

    mutating func count(_ step: DeadLetterStep) {
        switch step.result {
        case .replayed, .discarded, .wouldReplay, .wouldDiscard: done += 1
        case .alreadyHandled: alreadyHandled += 1
        case .refused(let error):
            refused += 1
            if refusals.count < Self.maximumRefusals { refusals[step.key] = error }
        }
    }
}

extension DeadLetter {
    /// The event as it is published again, or why it cannot be.
    ///
    /// The same work with replay + 1, as if new: turn and attempt 1, no history (the letter keeps it), a new age. Counted
    /// from the letter, so that two people who replay it make the same coordinate, which runs once.
    func replayed(now: Timestamp) throws(ClientError) -> TaskEvent {
        var event = event
        if let raw {
            guard let decoded = Self.decoded(raw, payload: event.payload, place: place) else {
                throw ClientError(
                    .refused,
                    "the record could not be read as an event, and still cannot: publish a corrected event instead, "
                        + "then discard this letter")
            }
            event = decoded
        }
        event.fingerprint = self.event.fingerprint
        return try event.replayed(as: self.event.replay + 1, now: now)
    }

    /// A record that an older version could not read may be readable now.
    private static func decoded(_ raw: RawRecord, payload: [UInt8], place: RecordPlace) -> TaskEvent? {
        try? TaskEvent(
            key: raw.key.map { [UInt8]($0) }, value: payload, headers: RecordHeaders(raw.recordHeaders), place: place)
    }
}

extension TaskEvent {
    /// The same work again as if new, under another replay number: turn and attempt 1, no history, a new age.
    func replayed(as replay: UInt32, now: Timestamp) throws(ClientError) -> TaskEvent {
        if let expiresAt, expiresAt <= now {
            throw ClientError(
                .refused,
                "the event expired at \(expiresAt.rfc3339), so no worker would run it: publish it anew")
        }
        var event = self
        event.replay = replay
        event.turn = 1
        event.attempt = 1
        event.history = FailureHistory()
        event.publishedAt = now
        event.dueAt = nil
        event.firstDueAt = nil
        event.isForwarded = false
        return event
    }
}
