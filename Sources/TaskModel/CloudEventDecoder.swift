import Foundation

/// Why a record is no event.
public struct EventDecodingError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The header or JSON member at fault, and what it should be.
    public var description: String

    public init(_ description: String) { self.description = description }
}

/// The place of a record: topic, partition, offset. It is the identity of a record that names none.
public struct RecordPlace: Hashable, Sendable, Codable, CustomStringConvertible {
    public var topic: String
    public var partition: Int32
    public var offset: Int64

    public init(topic: String, partition: Int32, offset: Int64) {
        self.topic = topic
        self.partition = partition
        self.offset = offset
    }

    public var description: String { "\(topic)[\(partition)]@\(offset)" }
}

extension TaskEvent {
    /// Reads a record of a due topic: binary mode, structured mode (`application/cloudevents+json`), or the short form.
    ///
    /// The short form is for people at a shell: any payload and one header `ce_subject` (or `task`) with the task's name.
    /// Its identity is its place in the log. Everything the encoder writes is read back exactly.
    public init(key: [UInt8]?, value: [UInt8]?, headers: [RecordHeader], place: RecordPlace) throws(EventDecodingError)
    {
        if let envelope = try Self.envelope(value ?? [], headers: headers) {
            self = try Self.structured(envelope, value: value ?? [], headers: headers, place: place)
        } else {
            self = try Self.binary(value: value ?? [], headers: headers, place: place)
        }
    }

    /// The members of a structured event; nil when the record is in binary mode.
    private static func envelope(
        _ value: [UInt8], headers: [RecordHeader]
    ) throws(EventDecodingError) -> [String: JSONValue]? {
        // Only our encoder writes the fingerprint as a header: its payload may well be an envelope of somebody's own.
        if headers.contains(where: { $0.name == CloudEventHeader.fingerprint }) { return nil }
        let contentType = headers.last { $0.name.lowercased() == CloudEventHeader.contentType }?.text
        if contentType?.lowercased().hasPrefix("application/cloudevents+json") == true {
            guard let members = JSONValue(value)?.members else {
                throw EventDecodingError("the value is not a JSON object, as a structured CloudEvent must be")
            }
            return members
        }
        let namesTask = headers.contains { $0.name == CloudEventHeader.subject || $0.name == CloudEventHeader.task }
        guard !namesTask, value.first(where: { $0 > 0x20 }) == UInt8(ascii: "{"),
            let members = JSONValue(value)?.members, members["specversion"] != nil
        else { return nil }
        return members
    }

    /// The event that a dead letter keeps: it may have no task, when its record could not be read.
    static func lettered(
        value: [UInt8], headers: [RecordHeader], place: RecordPlace
    ) throws(EventDecodingError) -> TaskEvent {
        try binary(value: value, headers: headers, place: place, mayLackTask: true)
    }

    private static func binary(
        value: [UInt8], headers: [RecordHeader], place: RecordPlace, mayLackTask: Bool = false
    ) throws(EventDecodingError) -> TaskEvent {
        var attributes: [String: String] = [:]
        var extra: [RecordHeader] = []
        for header in headers {
            let isOurs = header.name.hasPrefix(CloudEventHeader.prefix) || header.name == CloudEventHeader.task
            let name = isOurs ? header.name : header.name.lowercased()
            guard isOurs || name == CloudEventHeader.contentType else {
                extra.append(header)
                continue
            }
            guard let text = header.text else { throw EventDecodingError("header \(header.name) is not UTF-8 text") }
            attributes[name] = text
        }
        if let task = attributes.removeValue(forKey: CloudEventHeader.task), attributes[CloudEventHeader.subject] == nil
        {
            attributes[CloudEventHeader.subject] = task
        }
        var reader = EventAttributes(attributes)
        var event = try reader.event(payload: value, place: place, mayLackTask: mayLackTask)
        event.contentType = attributes[CloudEventHeader.contentType]
        event.extraHeaders += extra
        return event
    }

    private static func structured(
        _ envelope: [String: JSONValue], value: [UInt8], headers: [RecordHeader], place: RecordPlace
    ) throws(EventDecodingError) -> TaskEvent {
        var attributes: [String: String] = [:]
        for (name, member) in envelope where name != "data" && name != "data_base64" && name != "datacontenttype" {
            switch member.content {
            case .string(let text): attributes[CloudEventHeader.prefix + name] = text
            case .number(let literal): attributes[CloudEventHeader.prefix + name] = literal
            case .bool(let flag): attributes[CloudEventHeader.prefix + name] = flag ? "true" : "false"
            case .null: break
            case .array, .object: throw EventDecodingError("member \(name) must be a string, a number or a boolean")
            }
        }
        var contentType: String?
        switch envelope["datacontenttype"]?.content {
        case .string(let text): contentType = text
        case nil, .null: contentType = envelope["data"] == nil ? nil : "application/json"
        default: throw EventDecodingError("member datacontenttype must be a string")
        }
        var reader = EventAttributes(attributes)
        var event = try reader.event(
            payload: try payload(of: envelope, contentType: contentType, value: value), place: place)
        event.contentType = contentType
        event.extraHeaders += headers.filter {
            $0.name.lowercased() != CloudEventHeader.contentType && !$0.name.hasPrefix(CloudEventHeader.prefix)
                && $0.name != CloudEventHeader.task
        }
        return event
    }

    /// `data_base64` decoded; the text of `data` when it is a string and not meant as JSON; else the bytes of `data` as
    /// they lie in the envelope, so that no number loses a digit and no payload grows.
    private static func payload(
        of envelope: [String: JSONValue], contentType: String?, value: [UInt8]
    ) throws(EventDecodingError) -> [UInt8] {
        if let member = envelope["data_base64"], member.content != .null {
            guard case .string(let text) = member.content, let data = Data(base64Encoded: text) else {
                throw EventDecodingError("member data_base64 is not base64")
            }
            return [UInt8](data)
        }
        guard let member = envelope["data"] else { return [] }
        if case .string(let text) = member.content, let contentType, !isJSON(contentType) { return Array(text.utf8) }
        return Array(value[member.range])
    }

    /// Whether a media type is `…/json` or `…+json`, whatever its parameters.
    private static func isJSON(_ mediaType: String) -> Bool {
        let type = mediaType.prefix { $0 != ";" }.lowercased().filter { !$0.isWhitespace }
        return type.hasSuffix("/json") || type.hasSuffix("+json")
    }
}

/// Turns attribute texts into typed fields, each with an error that names it.
private struct EventAttributes {
    private var rest: [String: String]

    init(_ attributes: [String: String]) { rest = attributes }

    mutating func event(
        payload: [UInt8], place: RecordPlace, mayLackTask: Bool = false
    ) throws(EventDecodingError) -> TaskEvent {
        rest[CloudEventHeader.contentType] = nil
        guard let task = take(CloudEventHeader.subject), mayLackTask || !task.isEmpty else {
            throw EventDecodingError("no header ce_subject: it names the task to run")
        }
        if let version = take(CloudEventHeader.specVersion), version != "1.0" {
            throw EventDecodingError("header ce_specversion is \"\(version)\"; 1.0 is read")
        }
        _ = take(CloudEventHeader.type)
        let id = take(CloudEventHeader.id)
        let source = take(CloudEventHeader.source)
        let fingerprint: Fingerprint
        if let text = take(CloudEventHeader.fingerprint) {
            guard let value = Fingerprint(hex: text) else {
                throw EventDecodingError("header ce_fingerprint is \"\(text.prefix(64))\"; it must be 32 hex digits")
            }
            fingerprint = value
        } else if let id, let source {
            fingerprint = Fingerprint(.event(source: source, id: id))
        } else {
            fingerprint = Fingerprint(.place(topic: place.topic, partition: place.partition, offset: place.offset))
        }
        var event = TaskEvent(
            id: id ?? place.description, source: source ?? "kafka", task: task, payload: payload,
            fingerprint: fingerprint)
        event.replay = try number(CloudEventHeader.replay) ?? 0
        event.turn = try number(CloudEventHeader.turn) ?? 1
        event.attempt = try number(CloudEventHeader.attempt) ?? 1
        event.standsFor = try number(CloudEventHeader.standsFor) ?? 1
        event.publishedAt = try time(CloudEventHeader.time)
        event.dueAt = try time(CloudEventHeader.dueAt)
        event.firstDueAt = try time(CloudEventHeader.firstDueAt)
        event.expiresAt = try time(CloudEventHeader.expiresAt)
        event.nominalTime = try time(CloudEventHeader.nominalTime)
        event.partitionKey = take(CloudEventHeader.partitionKey)
        event.traceParent = take(CloudEventHeader.traceParent)
        event.scheduleID = take(CloudEventHeader.scheduleID)
        event.isForwarded = ["1", "true"].contains(take(CloudEventHeader.forwarded))
        event.retryPolicy = try json(CloudEventHeader.retryPolicy)
        event.history = try json(CloudEventHeader.history) ?? FailureHistory()
        if let text = take(CloudEventHeader.overlap) {
            guard let rule = OverlapRule(rawValue: text) else {
                throw EventDecodingError("header ce_overlap is \"\(text)\"; skip and allow are known")
            }
            event.overlap = rule
        }
        guard event.turn > 0, event.attempt > 0, event.standsFor > 0 else {
            throw EventDecodingError("headers ce_turn, ce_attempt and ce_standsfor count from 1")
        }
        if let policy = event.retryPolicy, let problem = policy.problems.first {
            throw EventDecodingError("header ce_retrypolicy: \(problem)")
        }
        event.extraHeaders = rest.sorted { $0.key < $1.key }.map { RecordHeader($0.key, $0.value) }
        return event
    }

    private mutating func take(_ name: String) -> String? { rest.removeValue(forKey: name) }

    private mutating func number(_ name: String) throws(EventDecodingError) -> UInt32? {
        guard let text = take(name) else { return nil }
        // CloudEvents' integers end at 2³¹ - 1. So a next turn always exists, whatever a record claims.
        guard let value = UInt32(text), value <= Int32.max else {
            throw EventDecodingError(
                "header \(name) is \"\(text.prefix(64))\"; it must be a whole number up to \(Int32.max)")
        }
        return value
    }

    private mutating func time(_ name: String) throws(EventDecodingError) -> Timestamp? {
        guard let text = take(name) else { return nil }
        guard let value = Timestamp(rfc3339: text) else {
            throw EventDecodingError("header \(name) is \"\(text.prefix(64))\"; it must be an RFC 3339 date-time")
        }
        return value
    }

    private mutating func json<Value: Decodable>(_ name: String) throws(EventDecodingError) -> Value? {
        guard let text = take(name) else { return nil }
        guard let value = try? CanonicalJSON.decode(Value.self, from: Array(text.utf8)) else {
            throw EventDecodingError("header \(name) is not the JSON that it must hold")
        }
        return value
    }
}
