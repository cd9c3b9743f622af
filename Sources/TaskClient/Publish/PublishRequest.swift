import Foundation
public import TaskModel

/// What to publish: one request to run a task once.
///
/// Each value that is made has one CloudEvents ``id``, so publishing the same value or a copy again after an error of unknown
/// outcome does not run the work twice.
public struct PublishRequest: Hashable, Sendable {
    /// When two requests are the same work. Identity holds within one queue and lane: equal requests with different
    /// lane keys, or to different queues, are different work to Tidemill, whatever their fingerprint.
    public enum Identity: Hashable, Sendable {
        /// CloudEvents `source` and `id`: only a repetition of the same request is the same work. The default.
        case automatic
        /// The same task with the same key is the same work.
        case idempotencyKey(String)
        /// The caller knows the fingerprint.
        case fingerprint(Fingerprint)
        /// The same task with an equal payload is the same work; with a window in milliseconds (> 0), only within one
        /// bucket of that length. JSON payloads are compared in canonical form, others byte by byte.
        case unique(window: Int64?)
    }

    /// When to run it.
    public enum Start: Hashable, Sendable {
        case now
        /// This many milliseconds after the log has taken it, by the broker's clock.
        case after(milliseconds: Int64)
        /// At an instant; one that has passed means now.
        case at(Timestamp)
    }

    public var task: String
    public var payload: [UInt8]
    public var contentType: String?
    public var queue: String = TopicNames.defaultQueue
    /// The lane: events with one key share a partition, so one worker.
    public var key: String?
    public var identity: Identity = .automatic
    public var start: Start = .now
    /// It must not start at or after this instant.
    public var expiresAt: Timestamp?
    /// Kept as they are and handed to the handler. Names of Tidemill's own (`ce_…`, `tidemill_…`) are refused.
    public var headers: [RecordHeader] = []
    /// Overrides the task's policy.
    public var retryPolicy: RetryPolicy?
    /// W3C Trace Context.
    public var traceParent: String?
    /// CloudEvents `source`; nil is the client's.
    public var source: String?
    /// CloudEvents `id`, unique within the source. Default: a random UUID. It is chosen when it is first needed (by reading
    /// it, comparing or hashing the value, or at the first publish), and once: copies of the value have the same one,
    /// until another is set.
    public var id: String {
        get { requestID.text }
        set { requestID = RequestID(newValue) }
    }
    private(set) var requestID = RequestID()

    public init(task: String, payload: [UInt8] = [], contentType: String? = nil) {
        self.task = task
        self.payload = payload
        self.contentType = contentType
    }

    /// A payload encoded as JSON, content type `application/json`.
    public init(task: String, json payload: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        self.init(task: task, payload: [UInt8](try encoder.encode(payload)), contentType: "application/json")
    }
}

/// Where a published event is, durably.
public struct PublishReceipt: Hashable, Sendable {
    public enum Destination: Hashable, Sendable {
        /// In the queue's due topic: a worker takes it as soon as one is free.
        case due
        /// In the retry topic: a scheduler emits it at this instant.
        case waiting(until: Timestamp)
    }

    public var coordinate: Coordinate
    public var queue: String
    public var key: String?
    public var source: String
    public var id: String
    public var place: RecordPlace
    /// The broker's time of the append.
    public var brokerTime: Timestamp
    public var destination: Destination

    public var fingerprint: Fingerprint { coordinate.fingerprint }
}
