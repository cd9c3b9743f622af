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
    static let ownHeaders: Set = [queueHeader, delayHeader, atHeader]

    public func dueTime(recordedAt brokerTime: Timestamp) -> Timestamp {
        switch due {
        case .after(let milliseconds): brokerTime + milliseconds
        case .at(let time): time
        }
    }

    public func encoded() -> RecordBody {
        var body = event.encoded()
        body.key = RetryKey.emission(event.coordinate).bytes
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
        func field(_ name: String) -> String? { headers.last(named: name).map { $0.text ?? "" } }
        guard let queue = field(Self.queueHeader), TopicNames.isValidQueueName(queue) else {
            throw EventDecodingError("header \(Self.queueHeader) must name the queue")
        }
        if let text = field(Self.atHeader) {
            guard let time = Timestamp(rfc3339: text) else {
                throw EventDecodingError("header \(Self.atHeader) must be an RFC 3339 date-time")
            }
            due = .at(time)
        } else {
            guard let text = field(Self.delayHeader), let milliseconds = Int64(text), milliseconds >= 0 else {
                throw EventDecodingError("header \(Self.delayHeader) must be a number of milliseconds")
            }
            due = .after(milliseconds: milliseconds)
        }
        self.queue = queue
        event = try TaskEvent(key: key, value: value, headers: headers.without(Self.ownHeaders), place: place)
    }
}
