public import TaskModel
public import TaskTelemetry

/// What a handler knows of the attempt that it runs.
public struct TaskContext: Sendable {
    /// One pointer each: an event has a dozen texts and lists, and a context is handed on for every attempt.
    private enum Origin: Sendable {
        case record(TurnFacts)
        indirect case event(TaskEvent)
    }

    private let origin: Origin
    public let queue: String
    /// Grows with every assignment of the partition and with every turn: a store that remembers the highest one refuses a zombie.
    public let fencingToken: FencingToken
    /// Worker id and boot nonce.
    public let worker: String
    /// When the attempt times out, by the worker's clock.
    public let deadline: Timestamp
    private let plainLogger: Logger

    /// `logger` gets the event's fields on top of its own.
    public init(
        event: TaskEvent, queue: String, fencingToken: FencingToken, worker: String, deadline: Timestamp, logger: Logger
    ) {
        origin = .event(event)
        self.queue = queue
        self.fencingToken = fencingToken
        self.worker = worker
        self.deadline = deadline
        plainLogger = logger
    }

    init(_ start: AttemptStart, worker: String, logger: Logger) {
        origin = .record(start.facts)
        queue = start.queue
        fencingToken = start.fencingToken
        self.worker = worker
        deadline = start.deadline
        plainLogger = logger
    }

    /// The event, with its payload's bytes, headers and history. Whole, so dearer than the fields of it below.
    public var event: TaskEvent {
        switch origin {
        case .record(let facts): facts.event
        case .event(let event): event
        }
    }

    /// Carries task, fingerprint, attempt and worker.
    public var logger: Logger {
        plainLogger.with([
            "task": event.task, "fingerprint": event.fingerprint.hex, "attempt": "\(event.attempt)",
        ])
    }

    // Read where they lie: by way of `event`, each would cost the whole of it.
    public var payload: [UInt8] { if case .record(let facts) = origin { facts.event.payload } else { event.payload } }
    public var attempt: UInt32 { if case .record(let facts) = origin { facts.event.attempt } else { event.attempt } }
    /// The key under which the handler makes its own side effects idempotent: the same for every attempt and replay.
    public var idempotencyKey: String {
        if case .record(let facts) = origin { facts.event.fingerprint.hex } else { event.fingerprint.hex }
    }
}

/// Compared as (assignment epoch, turn) within a partition.
public struct FencingToken: Hashable, Sendable, Comparable, CustomStringConvertible {
    public var partition: Int32
    public var epoch: Int64
    public var turn: UInt32

    public init(partition: Int32, epoch: Int64, turn: UInt32) {
        self.partition = partition
        self.epoch = epoch
        self.turn = turn
    }

    public static func < (left: FencingToken, right: FencingToken) -> Bool {
        (left.partition, left.epoch, left.turn) < (right.partition, right.epoch, right.turn)
    }

    public var description: String { "\(partition)-\(epoch)-\(turn)" }
}

/// How a handler says what should become of its event. Any other error that it throws means ``retry``.
public enum TaskFailure: Error, Hashable, Sendable {
    /// Try again by the policy.
    case retry(code: String = "error", String)
    /// Try again after this many milliseconds; the attempt is spent.
    case retryAfter(milliseconds: Int64, code: String = "error", String)
    /// Come back after this many milliseconds; the attempt is not spent.
    case snooze(milliseconds: Int64, String)
    /// End it as cancelled.
    case cancel(String)
    /// It can never succeed: a dead letter now.
    case fail(code: String = "fatal", String)
    /// The payload cannot be read: a dead letter with the reason `undecodable`.
    case undecodable(String)
}

/// Runs one task. Called once for an attempt; cancellation of the Swift task means timeout, cancel or shutdown.
public protocol TaskHandler: Sendable {
    /// Returns when the work is done. Throws ``TaskFailure`` to say what to do, or any error to be tried again.
    func run(_ context: TaskContext) async throws
}

/// A named kind of work: its handler and its options.
public struct TaskDefinition: Sendable {
    public var name: String
    /// The queue that its events are published to unless they say otherwise.
    public var queue: String
    /// Milliseconds that one attempt may take. Default 1 h.
    public var timeout: Int64
    public var retry: RetryPolicy
    public var handler: any TaskHandler

    public init(
        _ name: String, queue: String = TopicNames.defaultQueue, timeout: Int64 = 3_600_000,
        retry: RetryPolicy = RetryPolicy(), handler: any TaskHandler
    ) {
        self.name = name
        self.queue = queue
        self.timeout = timeout
        self.retry = retry
        self.handler = handler
    }
}
