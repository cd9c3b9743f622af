import Foundation

/// Why an event is dead: a closed list for programs.
public enum DeathReason: String, Hashable, Sendable, Codable, CaseIterable {
    /// The last attempt that the policy allows failed.
    case attemptsExhausted = "attempts-exhausted"
    /// The event is older than the policy's maximum age.
    case tooOld = "too-old"
    /// The handler said that it can never succeed.
    case fatal
    /// Twice in a row the process died while this event alone was suspected.
    case workerLost = "worker-lost"
    /// No worker knew the task within the maximum age.
    case unknownTask = "unknown-task"
    /// The record, or its payload, cannot be read.
    case undecodable
    /// It lay on a wrong partition after it had been moved.
    case misrouted
}

/// A dead letter: a record of the `dead` topic. The value is the original payload, untouched; what happened is in headers.
public struct DeadLetter: Hashable, Sendable {
    /// The original event; of an undecodable record, a stand-in whose task is empty.
    public var event: TaskEvent
    public var queue: String
    public var reason: DeathReason
    /// Where the last turn's record lay.
    public var place: RecordPlace
    /// Key and headers of a record that could not be read; nil for events.
    public var raw: RawRecord?

    /// What of an unreadable record is not its value, cut so that the letter fits where the record did.
    public struct RawRecord: Hashable, Sendable, Codable {
        public struct Header: Hashable, Sendable, Codable {
            public var name: String
            public var value: Data?
        }
        /// The first 16 KiB of it.
        public var key: Data?
        /// Those that fit, in order.
        public var headers: [Header]
        /// What is wrong with it; at most 1 KiB of UTF-8.
        public var problem: String
        /// How many headers are left out; nil for none.
        public var omittedHeaders: Int?

        private enum CodingKeys: String, CodingKey {
            case key, headers, problem
            case omittedHeaders = "omitted_headers"
        }

        /// Bytes of JSON that all of it may take.
        public static let maximumBytes = 128 * 1024
        public static let maximumKeyBytes = 16 * 1024

        /// As they lay in the log.
        public var recordHeaders: [RecordHeader] {
            headers.map { RecordHeader($0.name, $0.value.map { [UInt8]($0) }) }
        }

        public init(key: [UInt8]?, headers: RecordHeaders, problem: String) {
            self.problem = problem.truncated(toUTF8Bytes: FailureHistory.maximumMessageBytes)
            self.key = key.map { Data($0.prefix(Self.maximumKeyBytes)) }
            self.headers = []
            var room = Self.maximumBytes - (self.key?.count ?? 0) * 4 / 3 - self.problem.utf8.count * 6 - 96
            for header in headers {
                // The worst case: each byte of the name escaped, the value as base64, the JSON around them.
                let size = header.name.utf8.count * 6 + (header.value?.count ?? 0) * 4 / 3 + 32
                guard size <= room else {
                    omittedHeaders = (omittedHeaders ?? 0) + 1
                    continue
                }
                room -= size
                self.headers.append(Header(name: header.name, value: header.value.map { Data($0) }))
            }
        }
    }

    public init(event: TaskEvent, queue: String, reason: DeathReason, place: RecordPlace, raw: RawRecord? = nil) {
        self.event = event
        self.queue = queue
        self.reason = reason
        self.place = place
        self.raw = raw
    }

    fileprivate static let queueHeader = "tidemill_queue"
    fileprivate static let reasonHeader = "tidemill_reason"
    private static let placeHeader = "tidemill_place"
    private static let rawHeader = "tidemill_raw"
    static let kindHeader = "tidemill_kind"
    fileprivate static let letterKind = "letter"
    private static let ownHeaders: Set = [queueHeader, reasonHeader, placeHeader, rawHeader, kindHeader]

    public func encoded() -> RecordBody {
        var body = event.encoded()
        body.key = Array(DeadLetterKey(fingerprint: event.fingerprint, replay: event.replay).description.utf8)
        // What a publisher calls by our names is dropped: it must not speak for the letter.
        body.headers = body.headers.without(Self.ownHeaders)
        body.headers.append(contentsOf: [
            RecordHeader(Self.kindHeader, Self.letterKind),
            RecordHeader(Self.queueHeader, queue),
            RecordHeader(Self.reasonHeader, reason.rawValue),
            RecordHeader(Self.placeHeader, CanonicalJSON.encode(place)),
        ])
        if let raw { body.headers.append(RecordHeader(Self.rawHeader, CanonicalJSON.encode(raw))) }
        return body
    }

    fileprivate init(_ body: RecordBody, place letterPlace: RecordPlace) throws(EventDecodingError) {
        let own = Self.ownHeaders
        let fields = Dictionary(body.headers.filter { own.contains($0.name) }.map { ($0.name, $0.value ?? []) }) { $1 }
        func text(_ name: String) -> String { String(decoding: fields[name] ?? [], as: UTF8.self) }
        guard let reason = DeathReason(rawValue: text(Self.reasonHeader)) else {
            throw EventDecodingError("header \(Self.reasonHeader) is \"\(text(Self.reasonHeader))\"")
        }
        guard let place = try? CanonicalJSON.decode(RecordPlace.self, from: fields[Self.placeHeader] ?? []) else {
            throw EventDecodingError("header \(Self.placeHeader) must be JSON of topic, partition and offset")
        }
        queue = text(Self.queueHeader)
        self.reason = reason
        self.place = place
        raw = fields[Self.rawHeader].flatMap { try? CanonicalJSON.decode(RawRecord.self, from: $0) }
        event = try TaskEvent.lettered(
            value: body.value ?? [], headers: body.headers.without(own), place: letterPlace)
    }
}

/// What a letter says of itself at first sight: read from its headers, without its event, its history and its payload.
package struct DeadLetterOutline: Hashable, Sendable {
    package var key: DeadLetterKey
    package var task: String
    package var queue: String
    /// Nil in a letter that cannot be read.
    package var reason: DeathReason?

    /// Nil for a mark, and for what is no record of `dead`.
    package init?(key: [UInt8]?, headers: RecordHeaders) {
        guard headers.last(named: DeadLetter.kindHeader)?.text == DeadLetter.letterKind, let key = DeadLetterKey(key)
        else { return nil }
        self.key = key
        task = headers.last(named: CloudEventHeader.subject)?.text ?? ""
        queue = headers.last(named: DeadLetter.queueHeader)?.text ?? ""
        reason = headers.last(named: DeadLetter.reasonHeader)?.text.flatMap { DeathReason(rawValue: $0) }
    }
}

/// The key of a record in `dead`: `fingerprint/replay`. Its partition is the fingerprint's.
public struct DeadLetterKey: Hashable, Sendable, CustomStringConvertible {
    public var fingerprint: Fingerprint
    public var replay: UInt32

    public init(fingerprint: Fingerprint, replay: UInt32) {
        self.fingerprint = fingerprint
        self.replay = replay
    }

    public var description: String { "\(fingerprint.hex)/\(replay)" }

    public init?(_ key: [UInt8]?) {
        guard let key, let text = String(validating: key, as: UTF8.self) else { return nil }
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let fingerprint = Fingerprint(hex: parts[0]), let replay = UInt32(parts[1]) else {
            return nil
        }
        self.init(fingerprint: fingerprint, replay: replay)
    }
}

/// What later became of a dead letter, and who did it why.
public struct DeadLetterMark: Hashable, Sendable, Codable {
    /// Ordered: a later case beats an earlier one in the fold.
    public enum Kind: String, Hashable, Sendable, Codable, CaseIterable, Comparable {
        case replayed, discarded, resolved

        public static func < (left: Kind, right: Kind) -> Bool {
            (left == .replayed ? 0 : 1) < (right == .replayed ? 0 : 1)
        }
    }

    public var kind: Kind
    public var by: String
    public var reason: String
    public var at: Timestamp

    public init(kind: Kind, by: String, reason: String, at: Timestamp) {
        self.kind = kind
        self.by = by
        self.reason = reason
        self.at = at
    }
}

/// A record of the `dead` topic.
public enum DeadTopicRecord: Hashable, Sendable {
    case letter(DeadLetter)
    case mark(DeadLetterKey, DeadLetterMark)

    public func encoded() -> RecordBody {
        switch self {
        case .letter(let letter): letter.encoded()
        case .mark(let key, let mark):
            RecordBody(
                key: Array(key.description.utf8), value: CanonicalJSON.encode(mark),
                headers: [RecordHeader(DeadLetter.kindHeader, mark.kind.rawValue)])
        }
    }

    public init(key: [UInt8]?, value: [UInt8]?, headers: RecordHeaders, place: RecordPlace) throws(EventDecodingError) {
        guard let letterKey = DeadLetterKey(key) else {
            throw EventDecodingError("the key must be fingerprint/replay")
        }
        switch headers.last(named: DeadLetter.kindHeader)?.text {
        case DeadLetter.letterKind:
            self = .letter(try DeadLetter(RecordBody(key: key, value: value, headers: headers), place: place))
        case let kind? where DeadLetterMark.Kind(rawValue: kind) != nil:
            guard let mark = try? CanonicalJSON.decode(DeadLetterMark.self, from: value ?? []) else {
                throw EventDecodingError("the value of a \(kind) record must be JSON of kind, by, reason and at")
            }
            self = .mark(letterKey, mark)
        case let kind:
            throw EventDecodingError(
                "header \(DeadLetter.kindHeader) is \"\(kind ?? "")\"; letter, replayed, discarded and resolved are known"
            )
        }
    }
}
