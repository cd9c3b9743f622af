/// One attempt that did not succeed.
public struct AttemptFailure: Hashable, Sendable, Codable {
    public var attempt: UInt32
    public var turn: UInt32
    public var replay: UInt32
    /// When the attempt ended, by the worker's clock.
    public var at: Timestamp
    /// At most 256 bytes of UTF-8.
    public var worker: String
    /// A short word for programs: `error`, `timeout`, `exit-75`, `http-503`, `worker-lost`, `undecodable`, …
    /// At most 64 bytes of UTF-8.
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
        self.worker = worker.truncated(toUTF8Bytes: FailureHistory.maximumWorkerBytes)
        self.code = code.truncated(toUTF8Bytes: FailureHistory.maximumCodeBytes)
        self.message = message.truncated(toUTF8Bytes: FailureHistory.maximumMessageBytes)
    }
}

extension AttemptFailure {
    /// Reads within the same bounds that ``init(attempt:turn:replay:at:worker:code:message:)`` keeps.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            attempt: try container.decode(UInt32.self, forKey: .attempt),
            turn: try container.decode(UInt32.self, forKey: .turn),
            replay: try container.decode(UInt32.self, forKey: .replay),
            at: try container.decode(Timestamp.self, forKey: .at),
            worker: try container.decode(String.self, forKey: .worker),
            code: try container.decode(String.self, forKey: .code),
            message: try container.decode(String.self, forKey: .message))
    }
}

/// The failures of an event, oldest first, bounded so that a failure record always fits: the first and the last eight.
///
/// As JSON that is at most 132 KiB, even if every byte is a control character (six bytes each, escaped): `retry`, `dead`
/// and `ledger` take 256 KiB more than `due`.
public struct FailureHistory: Hashable, Sendable, Codable {
    public static let keptAtEachEnd = 8
    public static let maximumMessageBytes = 1024
    public static let maximumWorkerBytes = 256
    public static let maximumCodeBytes = 64

    public private(set) var failures: [AttemptFailure] = []
    /// How many were left out between the first and the last ones.
    public private(set) var omitted: Int = 0

    public init() {}

    /// Reads a history within its bounds, whatever wrote it.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let omitted = try container.decode(Int.self, forKey: .omitted)
        self.omitted = min(max(0, omitted), Int(UInt32.max))
        for failure in try container.decode([AttemptFailure].self, forKey: .failures) { append(failure) }
    }

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
