/// The last command that changed a record, so that reading it again after a crash changes nothing.
public struct AppliedCommand: Hashable, Sendable, Codable {
    public var id: String
    /// Where it lies in its partition of `commands`.
    public var offset: Int64

    public init(id: String, offset: Int64) {
        self.id = id
        self.offset = offset
    }
}

/// A schedule as the `schedules` topic keeps it under `<id>/spec`: the spec, its revision, and who changed it last.
public struct ScheduleDefinition: Hashable, Sendable, Codable {
    public var version = 1
    public var spec: ScheduleSpec
    /// Counts changes, from 1.
    public var revision: UInt64
    public var createdAt: Timestamp
    public var updatedAt: Timestamp
    public var updatedBy: String
    public var reason: String
    public var applied: AppliedCommand
    /// The last commands of `pause_on_failure` that were obeyed: written again, they do not undo a resume.
    public var failurePauses: [String]?
    /// Removed: kept until the command's result is durable, then replaced by a tombstone.
    public var isRemoved: Bool

    public init(
        spec: ScheduleSpec, revision: UInt64, createdAt: Timestamp, updatedAt: Timestamp, updatedBy: String,
        reason: String, applied: AppliedCommand, failurePauses: [String]? = nil, isRemoved: Bool = false
    ) {
        self.spec = spec
        self.revision = revision
        self.createdAt = createdAt
        self.updatedAt = updatedAt
        self.updatedBy = updatedBy
        self.reason = reason
        self.applied = applied
        self.failurePauses = failurePauses
        self.isRemoved = isRemoved
    }

    enum CodingKeys: String, CodingKey {
        case version, spec, revision, reason, applied
        case createdAt = "created_at"
        case updatedAt = "updated_at"
        case updatedBy = "updated_by"
        case failurePauses = "failure_pauses"
        case isRemoved = "removed"
    }
}

/// A catch-up that is spread over time by its rate.
public struct CatchUpProgress: Hashable, Sendable, Codable {
    /// When it began; ages count from here.
    public var since: Timestamp
    /// When its last fire was made.
    public var last: Timestamp

    public init(since: Timestamp, last: Timestamp) {
        self.since = since
        self.last = last
    }
}

/// How far a schedule has come: the record `<id>/state`.
public struct ScheduleState: Hashable, Sendable, Codable {
    public var version = 1
    /// The last nominal time that was decided (fired or dropped), or the start. It goes back to an edit of the trigger
    /// alone.
    public var cursor: Timestamp
    /// The nominal time of the last fire.
    public var lastFired: Timestamp?
    public var fires: UInt64
    /// Nominal times that were dropped for good: too old, skipped, or beyond the catch-up's count.
    public var misfires: UInt64
    /// Nil when no catch-up is under way.
    public var catchUp: CatchUpProgress?
    /// When the definition that this was decided by had last changed: its ``ScheduleDefinition/updatedAt``. Nil in records
    /// of schedulers that did not say.
    public var definedAt: Timestamp?

    public init(
        cursor: Timestamp, lastFired: Timestamp? = nil, fires: UInt64 = 0, misfires: UInt64 = 0,
        catchUp: CatchUpProgress? = nil, definedAt: Timestamp? = nil
    ) {
        self.cursor = cursor
        self.lastFired = lastFired
        self.fires = fires
        self.misfires = misfires
        self.catchUp = catchUp
        self.definedAt = definedAt
    }

    enum CodingKeys: String, CodingKey {
        case version, cursor, fires, misfires
        case lastFired = "last_fired"
        case catchUp = "catch_up"
        case definedAt = "defined_at"
    }
}

/// Which scheduler wrote a record, under which assignment: a zombie's records have a lower epoch.
public struct ScheduleWriter: Hashable, Sendable, CustomStringConvertible {
    public var epoch: Int64
    /// The scheduler's id and boot nonce.
    public var name: String

    public init(epoch: Int64, name: String) {
        self.epoch = epoch
        self.name = name
    }

    /// `<epoch>@<name>`
    public var description: String { "\(epoch)@\(name)" }

    public init?(_ text: String) {
        let parts = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let epoch = Int64(parts[0]) else { return nil }
        self.init(epoch: epoch, name: String(parts[1]))
    }
}

/// The key of a record of the `schedules` topic. Its partition is that of the schedule's id.
public enum ScheduleKey: Hashable, Sendable {
    case spec(String)
    case state(String)

    public var id: String {
        switch self {
        case .spec(let id), .state(let id): id
        }
    }

    public var bytes: [UInt8] {
        switch self {
        case .spec(let id): Array("\(id)/spec".utf8)
        case .state(let id): Array("\(id)/state".utf8)
        }
    }

    public init?(_ key: [UInt8]?) {
        guard let key, let text = String(validating: key, as: UTF8.self) else { return nil }
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, ScheduleSpec.isValidID(String(parts[0])) else { return nil }
        switch parts[1] {
        case "spec": self = .spec(String(parts[0]))
        case "state": self = .state(String(parts[0]))
        default: return nil
        }
    }
}

/// A record of the `schedules` topic.
public enum SchedulesTopicRecord: Hashable, Sendable {
    case definition(ScheduleDefinition)
    case state(String, ScheduleState)
    /// The record under this key is gone.
    case tombstone(ScheduleKey)

    public func encoded(by writer: ScheduleWriter) -> RecordBody {
        var headers = RecordHeaders()
        headers.append(ControlRecord.writer, writer.description)
        if case .tombstone(let key) = self { return RecordBody(key: key.bytes, value: nil, headers: headers) }
        headers.append(ControlRecord.contentType)
        return switch self {
        case .definition(let definition):
            RecordBody(
                key: ScheduleKey.spec(definition.spec.id).bytes, value: ControlRecord.encode(definition),
                headers: headers)
        case .state(let id, let state):
            RecordBody(key: ScheduleKey.state(id).bytes, value: state.json, headers: headers)
        case .tombstone(let key):
            RecordBody(key: key.bytes, value: nil, headers: headers)
        }
    }

    /// Who wrote a record; nil when it does not say.
    public static func writer(in headers: RecordHeaders) -> ScheduleWriter? {
        ControlRecord.text(ControlRecord.writer, in: headers).flatMap(ScheduleWriter.init)
    }

    /// Whether `writer` wrote a record, looked at where its headers lie.
    public static func isWritten(by writer: ScheduleWriter, _ headers: RecordHeaders) -> Bool {
        var isEqual = false
        let description = writer.description.utf8
        headers.forEachPart { name, value, _ in
            guard name.count == ControlRecord.writer.utf8.count, name.elementsEqual(ControlRecord.writer.utf8)
            else { return }
            isEqual = value?.elementsEqual(description) == true
        }
        return isEqual
    }

    public init(key: [UInt8]?, value: [UInt8]?) throws(SchedulingDecodingError) {
        guard let scheduleKey = ScheduleKey(key) else {
            throw SchedulingDecodingError("the key must be <schedule id>/spec or <schedule id>/state")
        }
        guard let value else {
            self = .tombstone(scheduleKey)
            return
        }
        switch scheduleKey {
        case .spec(let id):
            let definition = try ControlRecord.decode(ScheduleDefinition.self, value, what: "schedule \(id)")
            guard definition.version == 1, definition.spec.id == id else {
                throw SchedulingDecodingError("schedule \(id): version 1 and the key's id are needed")
            }
            self = .definition(definition)
        case .state(let id):
            let state = try ControlRecord.decode(ScheduleState.self, value, what: "state of schedule \(id)")
            guard state.version == 1 else {
                throw SchedulingDecodingError("state of schedule \(id): version \(state.version); version 1 is read")
            }
            self = .state(id, state)
        }
    }
}
