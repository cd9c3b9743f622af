import RecordFormat

/// The body of a record, before it has a place in a log.
public struct RecordBody: Hashable, Sendable {
    public var key: [UInt8]?
    public var value: [UInt8]?
    public var headers: RecordHeaders

    public init(key: [UInt8]?, value: [UInt8]?, headers: RecordHeaders) {
        self.key = key
        self.value = value
        self.headers = headers
    }
}

/// The names of our headers: CloudEvents' Kafka binding, binary mode (attributes as `ce_` headers).
enum CloudEventHeader {
    static let contentType = "content-type"
    static let prefix = "ce_"
    static let specVersion = "ce_specversion"
    static let id = "ce_id"
    static let source = "ce_source"
    static let type = "ce_type"
    static let subject = "ce_subject"
    static let time = "ce_time"
    static let fingerprint = "ce_fingerprint"
    static let replay = "ce_replay"
    static let turn = "ce_turn"
    static let attempt = "ce_attempt"
    static let dueAt = "ce_dueat"
    static let firstDueAt = "ce_firstdueat"
    static let expiresAt = "ce_expiresat"
    static let partitionKey = "ce_partitionkey"
    static let traceParent = "ce_traceparent"
    static let scheduleID = "ce_scheduleid"
    static let nominalTime = "ce_nominaltime"
    static let standsFor = "ce_standsfor"
    static let overlap = "ce_overlap"
    static let overlapLimit = "ce_overlaplimit"
    static let pausesOnFailure = "ce_pauseonfailure"
    static let retryPolicy = "ce_retrypolicy"
    static let history = "ce_history"
    static let forwarded = "ce_forwarded"
    /// Stands for `ce_subject` in a record written by hand.
    static let task = "task"
}

extension TaskEvent {
    /// The event as a record of a due topic. Attributes that have their default are left out.
    public func encoded() -> RecordBody {
        var headers = RecordHeaders(capacity: roomForHeaders) { headers in
            headers.append(CloudEventHeader.specVersion, "1.0")
            headers.append(CloudEventHeader.id, id)
            headers.append(CloudEventHeader.source, source)
            headers.append(CloudEventHeader.type, TaskEvent.type)
            headers.append(CloudEventHeader.subject, task)
            headers.append(CloudEventHeader.fingerprint, maximum: Fingerprint.hexCount, fingerprint.writeHex)
            if let contentType { headers.append(CloudEventHeader.contentType, contentType) }
            if let publishedAt { headers.append(CloudEventHeader.time, publishedAt) }
            if replay != 0 { headers.append(CloudEventHeader.replay, String(replay)) }
            if turn != 1 { headers.append(CloudEventHeader.turn, String(turn)) }
            if attempt != 1 { headers.append(CloudEventHeader.attempt, String(attempt)) }
            if let dueAt { headers.append(CloudEventHeader.dueAt, dueAt) }
        }
        if case .some(let attributes) = rare { attributes.append(to: &headers) }
        return RecordBody(key: recordKey, value: payload, headers: headers)
    }

    /// At least the bytes of the headers that are not rare: their names and what has a bound take no more than 256.
    private var roomForHeaders: Int {
        256 + 12 * RecordHeaderWriter.overhead + id.utf8.count + source.utf8.count + task.utf8.count
            + (contentType?.utf8.count ?? 0)
    }
}

extension RecordHeaderWriter {
    fileprivate mutating func append(_ name: String, _ time: Timestamp) {
        append(name, maximum: Timestamp.maximumRFC3339Count, time.writeRFC3339)
    }
}

extension RareAttributes {
    fileprivate func append(to headers: inout RecordHeaders) {
        func add(_ name: String, _ value: String?) {
            if let value { headers.append(name, value) }
        }
        add(CloudEventHeader.firstDueAt, firstDueAt?.rfc3339)
        add(CloudEventHeader.expiresAt, expiresAt?.rfc3339)
        add(CloudEventHeader.partitionKey, partitionKey)
        add(CloudEventHeader.traceParent, traceParent)
        add(CloudEventHeader.scheduleID, scheduleID)
        add(CloudEventHeader.nominalTime, nominalTime?.rfc3339)
        add(CloudEventHeader.standsFor, standsFor == 1 ? nil : String(standsFor))
        add(CloudEventHeader.overlap, overlap == .allow ? nil : overlap.rawValue)
        add(CloudEventHeader.overlapLimit, overlapLimit.map { String($0) })
        add(CloudEventHeader.pausesOnFailure, pausesOnFailure ? "1" : nil)
        add(CloudEventHeader.forwarded, isForwarded ? "1" : nil)
        if let retryPolicy {
            headers.append(RecordHeader(CloudEventHeader.retryPolicy, CanonicalJSON.encode(retryPolicy)))
        }
        if !history.isEmpty { headers.append(RecordHeader(CloudEventHeader.history, CanonicalJSON.encode(history))) }
        headers.append(contentsOf: extraHeaders)
    }
}
