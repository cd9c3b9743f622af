/// A decision, with its reason and author: a record of `journal`, under its subject.
public struct JournalEntry: Hashable, Sendable, Codable {
    public enum Kind: String, Hashable, Sendable, Codable, CaseIterable {
        /// A nominal time made an event.
        case fired
        /// Nominal times were dropped: too old, or beyond what the catch-up allows.
        case misfired
        /// One fire stands for several nominal times.
        case coalesced
        /// A fire or nominal time was passed over by rule.
        case skipped
        case paused, resumed, created, updated, removed, triggered
        /// Something waits for a condition that a person may have to mend.
        case held
        /// What was held goes on.
        case released
        /// A scheduler took a partition over.
        case restored
        case replayed, discarded, cancelled
    }

    /// Where nominal times lie that one entry speaks of: in `(after, through]`.
    public struct Span: Hashable, Sendable, Codable {
        public var after: Timestamp
        public var through: Timestamp

        public init(after: Timestamp, through: Timestamp) {
            self.after = after
            self.through = through
        }
    }

    public var version = 1
    /// What it is about: a schedule's id, a fingerprint, a queue, or a scheduler.
    public var subject: String
    public var kind: Kind
    public var at: Timestamp
    /// A person, a program, or `scheduler`.
    public var author: String
    public var reason: String
    public var fingerprint: Fingerprint?
    public var nominal: Timestamp?
    /// How many nominal times it speaks of, where that is not one.
    public var count: Int?
    /// Where they lie, by the trigger that named them; nil for one, and in entries of older writers. Of `paused`: what the
    /// pause holds, nil for one without an end.
    public var span: Span?

    public init(
        subject: String, kind: Kind, at: Timestamp, author: String, reason: String, fingerprint: Fingerprint? = nil,
        nominal: Timestamp? = nil, count: Int? = nil, span: Span? = nil
    ) {
        self.subject = subject
        self.kind = kind
        self.at = at
        self.author = author
        self.reason = reason
        self.fingerprint = fingerprint
        self.nominal = nominal
        self.count = count
        self.span = span
    }

    public func encoded() -> RecordBody {
        RecordBody(
            key: Array(subject.utf8), value: json, headers: Self.headers[kind] ?? [])
    }

    private static let headers = Dictionary(
        uniqueKeysWithValues: Kind.allCases.map { kind in
            (kind, [RecordHeader(ControlRecord.kind, kind.rawValue), ControlRecord.contentType] as RecordHeaders)
        })

    /// The kind by a record's header alone; nil when it is missing or not known.
    public static func kind(in headers: some Sequence<RecordHeader>) -> Kind? {
        headers.first { $0.name == ControlRecord.kind }?.text.flatMap(Kind.init)
    }

    public init(key: [UInt8]?, value: [UInt8]?) throws(SchedulingDecodingError) {
        let entry = try ControlRecord.decode(JournalEntry.self, value, what: "journal entry")
        guard entry.version == 1, key == Array(entry.subject.utf8) else {
            throw SchedulingDecodingError("journal entry: version 1 and the subject as key are needed")
        }
        self = entry
    }
}
