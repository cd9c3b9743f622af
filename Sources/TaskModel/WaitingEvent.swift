/// A record of the `retry` topic: an event whose time has not come, under the coordinate of its next emission.
///
/// The value is the event's payload; the event's own headers are there as in a due topic, with these beside them.
/// A tombstone under the same key means that it was emitted (or dropped).
public struct WaitingEvent: Hashable, Sendable {
    /// When to emit.
    public enum Due: Hashable, Sendable {
        /// This many milliseconds after the record's broker time (a backoff, `--delay`).
        case after(milliseconds: Int64)
        /// At an instant (`--at`).
        case at(Timestamp)
    }

    public var event: TaskEvent
    public var queue: String
    public var due: Due

    public init(event: TaskEvent, queue: String, due: Due) {
        self.event = event
        self.queue = queue
        self.due = due
    }

    private static let queueHeader = "tidemill_queue"
    private static let delayHeader = "tidemill_delay_ms"
    private static let atHeader = "tidemill_at"
    private static let ownHeaders: Set = [queueHeader, delayHeader, atHeader]

    public func dueTime(recordedAt brokerTime: Timestamp) -> Timestamp {
        switch due {
        case .after(let milliseconds): brokerTime + milliseconds
        case .at(let time): time
        }
    }

    public func encoded() -> RecordBody {
        var body = event.encoded()
        body.key = Array(event.coordinate.description.utf8)
        // What a publisher calls by our names is dropped: it must not decide when or where this is emitted.
        body.headers = body.headers.without(Self.ownHeaders)
        body.headers.append(RecordHeader(Self.queueHeader, queue))
        switch due {
        case .after(let milliseconds): body.headers.append(RecordHeader(Self.delayHeader, String(milliseconds)))
        case .at(let time): body.headers.append(RecordHeader(Self.atHeader, time.rfc3339))
        }
        return body
    }

    public init(key: [UInt8]?, value: [UInt8]?, headers: RecordHeaders, place: RecordPlace) throws(EventDecodingError) {
        let own = Self.ownHeaders
        let fields = Dictionary(headers.filter { own.contains($0.name) }.map { ($0.name, $0.text ?? "") }) { $1 }
        guard let queue = fields[Self.queueHeader], TopicNames.isValidQueueName(queue) else {
            throw EventDecodingError("header \(Self.queueHeader) must name the queue")
        }
        if let text = fields[Self.atHeader] {
            guard let time = Timestamp(rfc3339: text) else {
                throw EventDecodingError("header \(Self.atHeader) must be an RFC 3339 date-time")
            }
            due = .at(time)
        } else {
            guard let text = fields[Self.delayHeader], let milliseconds = Int64(text), milliseconds >= 0 else {
                throw EventDecodingError("header \(Self.delayHeader) must be a number of milliseconds")
            }
            due = .after(milliseconds: milliseconds)
        }
        self.queue = queue
        event = try TaskEvent(key: key, value: value, headers: headers.without(own), place: place)
    }
}

/// What a key of the `retry` topic names.
public enum RetryKey: Hashable, Sendable {
    case emission(Coordinate)
    /// A marker that drops every waiting turn of this replay.
    case cancel(Fingerprint, replay: UInt32)

    /// Nil for what is not written exactly as ``bytes`` writes it: a tombstone under our key would never reach it.
    public init?(_ key: [UInt8]?) {
        guard let key, let text = String(validating: key, as: UTF8.self) else { return nil }
        if let coordinate = Coordinate(text) {
            self = .emission(coordinate)
        } else {
            let parts = text.split(separator: "/", omittingEmptySubsequences: false)
            guard parts.count == 3, parts[1] == "cancel", let fingerprint = Fingerprint(hex: parts[0]),
                let replay = UInt32(parts[2])
            else { return nil }
            self = .cancel(fingerprint, replay: replay)
        }
        guard bytes == key else { return nil }
    }

    public var bytes: [UInt8] {
        switch self {
        case .emission(let coordinate): Array(coordinate.description.utf8)
        case .cancel(let fingerprint, let replay): Array("\(fingerprint.hex)/cancel/\(replay)".utf8)
        }
    }

    /// The record that drops every waiting turn of this replay; the value is for people.
    public static func cancelMarker(
        _ fingerprint: Fingerprint, replay: UInt32, by author: String, reason: String, at time: Timestamp
    ) -> RecordBody {
        RecordBody(
            key: RetryKey.cancel(fingerprint, replay: replay).bytes,
            value: CanonicalJSON.encode(["by": author, "reason": reason, "at": time.rfc3339]), headers: [])
    }

    /// Waiting events and their cancel markers share a partition: that of the fingerprint.
    public var fingerprint: Fingerprint {
        switch self {
        case .emission(let coordinate): coordinate.fingerprint
        case .cancel(let fingerprint, _): fingerprint
        }
    }
}
