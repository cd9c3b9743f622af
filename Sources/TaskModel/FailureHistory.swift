/// One attempt that did not succeed.
public struct AttemptFailure: Hashable, Sendable, Codable {
    public var attempt: UInt32
    public var turn: UInt32
    public var replay: UInt32
    /// When the attempt ended, by the worker's clock.
    public var at: Timestamp
    public var worker: String
    /// A short word for programs: `error`, `timeout`, `exit-75`, `http-503`, `worker-lost`, `undecodable`, …
    public var code: String
    /// For people; at most 1 KiB of UTF-8.
    public var message: String

    public init(
        attempt: UInt32, turn: UInt32, replay: UInt32, at: Timestamp, worker: String, code: String, message: String
    ) {
        self.attempt = attempt
        self.turn = turn
        self.replay = replay
        self.at = at
        self.worker = worker
        self.code = code
        self.message = message.truncated(toUTF8Bytes: FailureHistory.maximumMessageBytes)
    }
}

/// The failures of an event, oldest first, bounded so that a failure record always fits: the first and the last eight.
public struct FailureHistory: Hashable, Sendable, Codable {
    public static let keptAtEachEnd = 8
    public static let maximumMessageBytes = 1024

    public private(set) var failures: [AttemptFailure] = []
    /// How many were left out between the first and the last ones.
    public private(set) var omitted: Int = 0

    public init() {}

    public var isEmpty: Bool { failures.isEmpty }
    public var last: AttemptFailure? { failures.last }

    public mutating func append(_ failure: AttemptFailure) {
        failures.append(failure)
        if failures.count > 2 * Self.keptAtEachEnd {
            failures.remove(at: Self.keptAtEachEnd)
            omitted += 1
        }
    }
}

extension String {
    /// The longest prefix of whole characters (scalars) that has at most `limit` bytes of UTF-8.
    func truncated(toUTF8Bytes limit: Int) -> String {
        guard utf8.count > limit else { return self }
        var end = utf8.index(utf8.startIndex, offsetBy: limit)
        while end > startIndex, end.samePosition(in: unicodeScalars) == nil { end = utf8.index(before: end) }
        return String(self[..<end])
    }
}
