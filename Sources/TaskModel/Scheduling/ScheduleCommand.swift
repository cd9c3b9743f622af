import Foundation

/// A client's request about one schedule: a record of `commands`, under the schedule's id.
public struct ScheduleCommand: Hashable, Sendable {
    public enum Kind: Hashable, Sendable {
        /// Creates the schedule, or replaces it. Queue and key of an existing one cannot change, and a spec without a
        /// pause keeps the pause that there is. Equal to what there is, it is applied without a new revision.
        case put(ScheduleSpec)
        case remove
        /// Fires nothing until resumed, or until an instant. Pausing a paused schedule changes note and end.
        case pause(note: String, until: Timestamp? = nil)
        /// Times that passed while paused are not caught up.
        case resume
        /// One run out of turn: now, or at an instant; with the schedule's payload, or another one.
        case trigger(at: Timestamp?, payload: [UInt8]?)

        /// `put`, `remove`, `pause`, `resume` or `trigger`.
        public var word: String {
            switch self {
            case .put: "put"
            case .remove: "remove"
            case .pause: "pause"
            case .resume: "resume"
            case .trigger: "trigger"
            }
        }
    }

    /// Chosen by the client, unique: the result names it, and sending it again is harmless. 1 to 100 bytes.
    public var id: String
    public var scheduleID: String
    public var kind: Kind
    /// The revision that the client saw; another one is a conflict. 0: there must be none yet. Nil: whatever there is.
    public var baseRevision: UInt64?
    public var author: String
    public var reason: String
    public var origin: ScheduleOrigin

    public init(
        id: String, scheduleID: String, kind: Kind, baseRevision: UInt64? = nil, author: String, reason: String = "",
        origin: ScheduleOrigin = .api
    ) {
        self.id = id
        self.scheduleID = scheduleID
        self.kind = kind
        self.baseRevision = baseRevision
        self.author = author
        self.reason = reason
        self.origin = origin
    }

    private static let failurePrefix = "failure/"

    /// The pause that the death of an event asks for: the same command, however often it is written.
    public static func pauseOnFailure(
        of coordinate: Coordinate, scheduleID: String, cause: String, author: String
    ) -> ScheduleCommand {
        let note = "event \(coordinate.fingerprint) died: \(cause)".truncated(toUTF8Bytes: 500)
        return ScheduleCommand(
            id: failurePrefix + coordinate.description, scheduleID: scheduleID, kind: .pause(note: note),
            author: author, reason: note)
    }

    /// A worker wrote it for `pause_on_failure`.
    public var isPauseOnFailure: Bool { id.hasPrefix(Self.failurePrefix) }

    /// The identity of the run that a `trigger` command asks for.
    public func triggeredFingerprint(task: String) -> Fingerprint {
        Fingerprint(.idempotencyKey(task: task, key: id))
    }

    /// What is wrong with it; empty when nothing is.
    public var problems: [String] {
        var problems: [String] = []
        if !ScheduleSpec.isValidID(scheduleID) {
            problems.append(
                "schedule \"\(scheduleID.prefix(120))\" must be 1 to 100 of letters, digits, '.', '_', '-'")
        }
        if id.isEmpty || id.utf8.count > 100 { problems.append("id must be 1 to 100 bytes") }
        switch kind {
        case .put(let spec):
            problems += spec.problems
            if spec.id != scheduleID {
                problems.append("the spec's id is \"\(spec.id.prefix(120))\", not the command's")
            }
        case .trigger(_, let payload?) where payload.count > ScheduleSpec.maximumPayloadBytes:
            problems.append("payload has \(payload.count) bytes; at most 256 KiB are taken")
        case .trigger, .remove, .pause, .resume: break
        }
        return problems
    }
}

extension ScheduleCommand: Codable {
    static let formatVersion = 1

    private enum CodingKeys: String, CodingKey {
        case version, id, schedule, kind, spec, note, until, at, payload, author, reason, origin
        case baseRevision = "base_revision"
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let version = try container.decode(Int.self, forKey: .version)
        guard version == Self.formatVersion else {
            throw DecodingError.dataCorruptedError(
                forKey: .version, in: container,
                debugDescription: "command version \(version); version \(Self.formatVersion) is read")
        }
        id = try container.decode(String.self, forKey: .id)
        scheduleID = try container.decode(String.self, forKey: .schedule)
        baseRevision = try container.decodeIfPresent(UInt64.self, forKey: .baseRevision)
        author = try container.decode(String.self, forKey: .author)
        reason = try container.decodeIfPresent(String.self, forKey: .reason) ?? ""
        guard let origin = ScheduleOrigin(try container.decode(String.self, forKey: .origin)) else {
            throw DecodingError.dataCorruptedError(
                forKey: .origin, in: container, debugDescription: "origin is file:<name>, cli or api")
        }
        self.origin = origin
        switch try container.decode(String.self, forKey: .kind) {
        case "put": kind = .put(try container.decode(ScheduleSpec.self, forKey: .spec))
        case "remove": kind = .remove
        case "pause":
            kind = .pause(
                note: try container.decodeIfPresent(String.self, forKey: .note) ?? "",
                until: try container.decodeIfPresent(Timestamp.self, forKey: .until))
        case "resume": kind = .resume
        case "trigger":
            kind = .trigger(
                at: try container.decodeIfPresent(Timestamp.self, forKey: .at),
                payload: try container.decodeIfPresent(Data.self, forKey: .payload).map { [UInt8]($0) })
        case let word:
            throw DecodingError.dataCorruptedError(
                forKey: .kind, in: container,
                debugDescription: "\"\(word.prefix(40))\"; put, remove, pause, resume and trigger are known")
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(Self.formatVersion, forKey: .version)
        try container.encode(id, forKey: .id)
        try container.encode(scheduleID, forKey: .schedule)
        try container.encode(kind.word, forKey: .kind)
        try container.encodeIfPresent(baseRevision, forKey: .baseRevision)
        try container.encode(author, forKey: .author)
        if !reason.isEmpty { try container.encode(reason, forKey: .reason) }
        try container.encode(origin.description, forKey: .origin)
        switch kind {
        case .put(let spec): try container.encode(spec, forKey: .spec)
        case .pause(let note, let until):
            try container.encode(note, forKey: .note)
            try container.encodeIfPresent(until, forKey: .until)
        case .trigger(let time, let payload):
            try container.encodeIfPresent(time, forKey: .at)
            try container.encodeIfPresent(payload.map { Data($0) }, forKey: .payload)
        case .remove, .resume: break
        }
    }
}
