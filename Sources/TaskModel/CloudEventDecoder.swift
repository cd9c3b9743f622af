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
    public init(key: [UInt8]?, value: [UInt8]?, headers: RecordHeaders, place: RecordPlace) throws(EventDecodingError) {
        let attributes = EventAttributes(headers)
        if let envelope = try Self.envelope(value ?? [], attributes) {
            self = try Self.structured(envelope, value: value ?? [], headers: headers, place: place)
        } else {
            self = try Self.binary(attributes, value: value ?? [], place: place)
        }
    }

    /// The members of a structured event; nil when the record is in binary mode.
    private static func envelope(
        _ value: [UInt8], _ attributes: EventAttributes
    ) throws(EventDecodingError) -> [String: JSONValue]? {
        // Only our encoder writes the fingerprint as a header: its payload may well be an envelope of somebody's own.
        if attributes.has(.fingerprint) { return nil }
        if attributes.contentType?.lowercased().hasPrefix("application/cloudevents+json") == true {
            guard let members = JSONValue(value)?.members else {
                throw EventDecodingError("the value is not a JSON object, as a structured CloudEvent must be")
            }
            return members
        }
        guard !attributes.has(.subject), !attributes.has(.task),
            value.first(where: { $0 > 0x20 }) == UInt8(ascii: "{"),
            let members = JSONValue(value)?.members, members["specversion"] != nil
        else { return nil }
        return members
    }

    /// The event that a dead letter keeps: it may have no task, when its record could not be read.
    static func lettered(
        value: [UInt8], headers: RecordHeaders, place: RecordPlace
    ) throws(EventDecodingError) -> TaskEvent {
        try binary(EventAttributes(headers), value: value, place: place, mayLackTask: true)
    }

    private static func binary(
        _ attributes: EventAttributes, value: [UInt8], place: RecordPlace, mayLackTask: Bool = false
    ) throws(EventDecodingError) -> TaskEvent {
        if let name = attributes.unreadable { throw EventDecodingError("header \(name) is not UTF-8 text") }
        var event = try attributes.event(payload: value, place: place, mayLackTask: mayLackTask)
        event.contentType = attributes.contentType
        return event
    }

    private static func structured(
        _ envelope: [String: JSONValue], value: [UInt8], headers: RecordHeaders, place: RecordPlace
    ) throws(EventDecodingError) -> TaskEvent {
        var members = RecordHeaders()
        for (name, member) in envelope where name != "data" && name != "data_base64" && name != "datacontenttype" {
            switch member.content {
            case .string(let text): members.append(CloudEventHeader.prefix + name, text)
            case .number(let literal): members.append(CloudEventHeader.prefix + name, literal)
            case .bool(let flag): members.append(CloudEventHeader.prefix + name, flag ? "true" : "false")
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
        var event = try EventAttributes(members).event(
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
