/// What became of a command: a record of `commands` beside it, under the same key. The first result of a command counts.
public struct CommandResult: Hashable, Sendable {
    public enum Outcome: Hashable, Sendable {
        /// Done; `revision` holds now. Sending the same again changes nothing and is applied too.
        case applied(revision: UInt64)
        /// The base revision was not the current one (0: there is no schedule). Nothing changed.
        case conflict(revision: UInt64, spec: ScheduleSpec?)
        /// It can never be applied as it is.
        case refused(reason: String)

        /// `applied`, `conflict` or `refused`.
        public var word: String {
            switch self {
            case .applied: "applied"
            case .conflict: "conflict"
            case .refused: "refused"
            }
        }
    }

    public var commandID: String
    public var scheduleID: String
    public var outcome: Outcome
    /// When the scheduler decided, by its clock.
    public var at: Timestamp
    /// The run that an applied `trigger` made.
    public var fingerprint: Fingerprint?

    public init(
        commandID: String, scheduleID: String, outcome: Outcome, at: Timestamp, fingerprint: Fingerprint? = nil
    ) {
        self.commandID = commandID
        self.scheduleID = scheduleID
        self.outcome = outcome
        self.at = at
        self.fingerprint = fingerprint
    }
}

extension CommandResult: Codable {
    static let formatVersion = 1

    private enum CodingKeys: String, CodingKey {
        case version, command, schedule, outcome, revision, spec, reason, at, fingerprint
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let version = try container.decode(Int.self, forKey: .version)
        guard version == Self.formatVersion else {
            throw DecodingError.dataCorruptedError(
                forKey: .version, in: container,
                debugDescription: "result version \(version); version \(Self.formatVersion) is read")
        }
        commandID = try container.decode(String.self, forKey: .command)
        scheduleID = try container.decode(String.self, forKey: .schedule)
        at = try container.decode(Timestamp.self, forKey: .at)
        fingerprint = try container.decodeIfPresent(Fingerprint.self, forKey: .fingerprint)
        switch try container.decode(String.self, forKey: .outcome) {
        case "applied": outcome = .applied(revision: try container.decode(UInt64.self, forKey: .revision))
        case "conflict":
            outcome = .conflict(
                revision: try container.decode(UInt64.self, forKey: .revision),
                spec: try container.decodeIfPresent(ScheduleSpec.self, forKey: .spec))
        case "refused": outcome = .refused(reason: try container.decode(String.self, forKey: .reason))
        case let word:
            throw DecodingError.dataCorruptedError(
                forKey: .outcome, in: container,
                debugDescription: "\"\(word.prefix(40))\"; applied, conflict and refused are known")
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(Self.formatVersion, forKey: .version)
        try container.encode(commandID, forKey: .command)
        try container.encode(scheduleID, forKey: .schedule)
        try container.encode(outcome.word, forKey: .outcome)
        try container.encode(at, forKey: .at)
        try container.encodeIfPresent(fingerprint, forKey: .fingerprint)
        switch outcome {
        case .applied(let revision): try container.encode(revision, forKey: .revision)
        case .conflict(let revision, let spec):
            try container.encode(revision, forKey: .revision)
            try container.encodeIfPresent(spec, forKey: .spec)
        case .refused(let reason): try container.encode(reason, forKey: .reason)
        }
    }
}

/// A record of the `commands` topic: a request or its result, told apart by the header `tidemill_kind`.
public enum CommandsTopicRecord: Hashable, Sendable {
    case command(ScheduleCommand)
    case result(CommandResult)

    public func encoded() -> RecordBody {
        switch self {
        case .command(let command):
            Self.body(command.scheduleID, command.id, "command", ControlRecord.encode(command))
        case .result(let result):
            Self.body(result.scheduleID, result.commandID, "result", ControlRecord.encode(result))
        }
    }

    private static func body(_ schedule: String, _ command: String, _ kind: String, _ value: [UInt8]) -> RecordBody {
        RecordBody(
            key: Array(schedule.utf8), value: value,
            headers: [
                RecordHeader(ControlRecord.kind, kind), RecordHeader(ControlRecord.command, command),
                ControlRecord.contentType,
            ])
    }

    /// The command's id by its header alone, without reading the value; nil when the header is missing.
    public static func commandID(in headers: RecordHeaders) -> String? {
        ControlRecord.text(ControlRecord.command, in: headers)
    }

    /// Whether a record is a result, by its header alone.
    public static func isResult(_ headers: RecordHeaders) -> Bool {
        ControlRecord.text(ControlRecord.kind, in: headers) == "result"
    }

    public init(key: [UInt8]?, value: [UInt8]?, headers: RecordHeaders) throws(SchedulingDecodingError) {
        let scheduleID: String
        switch ControlRecord.text(ControlRecord.kind, in: headers) {
        case "command":
            let command = try ControlRecord.decode(ScheduleCommand.self, value, what: "command")
            scheduleID = command.scheduleID
            self = .command(command)
        case "result":
            let result = try ControlRecord.decode(CommandResult.self, value, what: "result")
            scheduleID = result.scheduleID
            self = .result(result)
        case let kind:
            throw SchedulingDecodingError(
                "header \(ControlRecord.kind) is \"\((kind ?? "").prefix(40))\"; command and result are known")
        }
        guard key == Array(scheduleID.utf8) else {
            throw SchedulingDecodingError("the key must be the schedule's id, \"\(scheduleID.prefix(120))\"")
        }
    }
}
