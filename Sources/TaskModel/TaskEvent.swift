/// One request to run a task once: a CloudEvents 1.0 event with a payload, and what Tidemill needs to know beside it.
public struct TaskEvent: Hashable, Sendable {
    public static let type = "tidemill.task.due"

    /// CloudEvents `id`, unique within `source`.
    public var id: String
    /// CloudEvents `source`: who published it.
    public var source: String
    /// CloudEvents `subject`: the task's name.
    public var task: String
    /// The payload, never touched.
    public var payload: [UInt8]
    /// Media type of the payload (`datacontenttype`).
    public var contentType: String?
    /// The identity of the work.
    public var fingerprint: Fingerprint
    public var replay: UInt32 = 0
    public var turn: UInt32 = 1
    /// The count of tries, from 1, that policies and people see. A snooze does not spend one.
    public var attempt: UInt32 = 1
    /// When it was published, by the publisher's clock.
    public var publishedAt: Timestamp?
    /// When it falls (or fell) due.
    public var dueAt: Timestamp?
    /// What most events leave as it is.
    var rare = RareAttributes.Box.plain

    public init(
        id: String, source: String, task: String, payload: [UInt8], contentType: String? = nil, fingerprint: Fingerprint
    ) {
        self.id = id
        self.source = source
        self.task = task
        self.payload = payload
        self.contentType = contentType
        self.fingerprint = fingerprint
    }

    public var coordinate: Coordinate { Coordinate(fingerprint: fingerprint, replay: replay, turn: turn) }

    /// The record key in `due.<queue>`, which decides the partition: the lane, else the fingerprint.
    public var recordKey: [UInt8] { Self.recordKey(lane: partitionKey, fingerprint) }

    /// ``recordKey`` of an event of which no more is known.
    public static func recordKey(lane: String?, _ fingerprint: Fingerprint) -> [UInt8] {
        lane.map { Array($0.utf8) } ?? fingerprint.bytes
    }

    /// The hash of ``recordKey``.
    public var recordKeyHash: UInt32 { laneHash ?? Murmur2.hash(fingerprint) }

    /// 32 bits of the lane key, as the ledger keeps them; nil without a lane.
    public var laneHash: UInt32? { partitionKey.map { Murmur2.hash($0) } }
}
