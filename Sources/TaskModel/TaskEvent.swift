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
    /// When the first turn fell due by the broker's time: the start of its age. Set at the first retry.
    public var firstDueAt: Timestamp?
    /// It must not start at or after this instant.
    public var expiresAt: Timestamp?
    /// The lane: events with one key share a partition.
    public var partitionKey: String?
    /// W3C Trace Context.
    public var traceParent: String?
    public var scheduleID: String?
    /// The instant that the schedule's trigger named.
    public var nominalTime: Timestamp?
    /// How many nominal times this event stands for (coalesced ones included).
    public var standsFor: UInt32 = 1
    /// What happens when another event of its schedule is still open; from the schedule.
    public var overlap: OverlapRule = .allow
    /// How many events of its lane may be open at once (``OverlapRule/allow``; nil: any number) or may wait
    /// (``OverlapRule/bufferAll``; nil: ``OverlapRule/defaultBuffered``). From 1.
    public var overlapLimit: UInt32?
    /// Its schedule is paused when it dies.
    public var pausesOnFailure = false
    /// Overrides the task's policy.
    public var retryPolicy: RetryPolicy?
    public var history = FailureHistory()
    /// It lay on a wrong partition once and was moved to the right one.
    public var isForwarded = false
    /// Headers that are not ours, kept as they came.
    public var extraHeaders: [RecordHeader] = []

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
