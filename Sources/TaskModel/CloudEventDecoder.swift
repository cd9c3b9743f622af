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
        let contentType = headers.last { $0.name.lowercased() == CloudEventHeader.contentType }?.text
        if contentType?.lowercased().hasPrefix("application/cloudevents+json") == true {
            self = try Self.structured(value ?? [], headers: headers, place: place)
        } else if !headers.contains(where: { $0.name == CloudEventHeader.subject || $0.name == CloudEventHeader.task }),
            let value, value.first(where: { $0 > 0x20 }) == UInt8(ascii: "{"), Self.looksStructured(value)
        {
            self = try Self.structured(value, headers: headers, place: place)
        } else {
            self = try Self.binary(value: value ?? [], headers: headers, place: place)
        }
    }

    private static func looksStructured(_ value: [UInt8]) -> Bool {
        (try? JSONSerialization.jsonObject(with: Data(value)) as? [String: Any])?["specversion"] != nil
    }

    private static func binary(
        value: [UInt8], headers: [RecordHeader], place: RecordPlace
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
        var event = try reader.event(payload: value, place: place)
        event.contentType = attributes[CloudEventHeader.contentType]
        event.extraHeaders += extra
        return event
    }

    private static func structured(
        _ value: [UInt8], headers: [RecordHeader], place: RecordPlace
    ) throws(EventDecodingError) -> TaskEvent {
        guard let object = (try? JSONSerialization.jsonObject(with: Data(value))) as? [String: Any] else {
            throw EventDecodingError("the value is not a JSON object, as a structured CloudEvent must be")
        }
        var attributes: [String: String] = [:]
        for (name, member) in object where name != "data" && name != "data_base64" && name != "datacontenttype" {
            switch member {
            case let text as String: attributes[CloudEventHeader.prefix + name] = text
            case let number as NSNumber: attributes[CloudEventHeader.prefix + name] = number.stringValue
            case is NSNull: break
            default: throw EventDecodingError("member \(name) must be a string, a number or a boolean")
            }
        }
        let payload: [UInt8]
        if let text = object["data_base64"] {
            guard let text = text as? String, let data = Data(base64Encoded: text) else {
                throw EventDecodingError("member data_base64 is not base64")
            }
            payload = [UInt8](data)
        } else if let data = object["data"] {
            payload = CanonicalJSON.encode(data) ?? []
        } else {
            payload = []
        }
        var reader = EventAttributes(attributes)
        var event = try reader.event(payload: payload, place: place)
        event.contentType = object["datacontenttype"] as? String ?? (object["data"] == nil ? nil : "application/json")
        event.extraHeaders += headers.filter {
            $0.name.lowercased() != CloudEventHeader.contentType && !$0.name.hasPrefix(CloudEventHeader.prefix)
        }
        return event
    }
}

/// Turns attribute texts into typed fields, each with an error that names it.
private struct EventAttributes {
    private var rest: [String: String]

    init(_ attributes: [String: String]) { rest = attributes }

    mutating func event(payload: [UInt8], place: RecordPlace) throws(EventDecodingError) -> TaskEvent {
        rest[CloudEventHeader.contentType] = nil
        guard let task = take(CloudEventHeader.subject), !task.isEmpty else {
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
        event.isForwarded = take(CloudEventHeader.forwarded) == "1"
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
        guard let value = UInt32(text) else {
            throw EventDecodingError("header \(name) is \"\(text.prefix(64))\"; it must be a whole number")
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
