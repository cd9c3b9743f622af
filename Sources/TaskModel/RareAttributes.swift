/// The attributes of an event that most events do not have, apart from the others: an event is made, moved and dropped for
/// every task, and each field of it that refers to something costs each time.
package struct RareAttributes: Hashable, Sendable {
    package var firstDueAt: Timestamp?
    package var expiresAt: Timestamp?
    package var partitionKey: String?
    package var traceParent: String?
    package var scheduleID: String?
    package var nominalTime: Timestamp?
    package var standsFor: UInt32 = 1
    package var overlap: OverlapRule = .allow
    package var overlapLimit: UInt32?
    package var pausesOnFailure = false
    package var retryPolicy: RetryPolicy?
    package var history = FailureHistory()
    package var isForwarded = false
    package var extraHeaders: [RecordHeader] = []

    package init() {}

    /// By reference where there is something to refer to.
    enum Box: Hashable, Sendable {
        case plain
        indirect case some(RareAttributes)
    }
}

extension TaskEvent {
    /// All at once: to change one of them costs the same.
    package var rareAttributes: RareAttributes {
        get { if case .some(let attributes) = rare { attributes } else { RareAttributes() } }
        set { rare = newValue == RareAttributes() ? .plain : .some(newValue) }
    }

    /// Reads one where it lies; `plain` is what it is where there are none.
    @inline(__always) private func read<Value>(_ plain: Value, _ body: (RareAttributes) -> Value) -> Value {
        if case .some(let attributes) = rare { body(attributes) } else { plain }
    }

    /// When the first turn fell due by the broker's time: the start of its age. Set at the first retry.
    public var firstDueAt: Timestamp? {
        get { read(nil) { $0.firstDueAt } }
        set { rareAttributes.firstDueAt = newValue }
    }

    /// It must not start at or after this instant.
    public var expiresAt: Timestamp? {
        get { read(nil) { $0.expiresAt } }
        set { rareAttributes.expiresAt = newValue }
    }

    /// The lane: events with one key share a partition.
    public var partitionKey: String? {
        get { read(nil) { $0.partitionKey } }
        set { rareAttributes.partitionKey = newValue }
    }

    /// W3C Trace Context.
    public var traceParent: String? {
        get { read(nil) { $0.traceParent } }
        set { rareAttributes.traceParent = newValue }
    }

    public var scheduleID: String? {
        get { read(nil) { $0.scheduleID } }
        set { rareAttributes.scheduleID = newValue }
    }

    /// The instant that the schedule's trigger named.
    public var nominalTime: Timestamp? {
        get { read(nil) { $0.nominalTime } }
        set { rareAttributes.nominalTime = newValue }
    }

    /// How many nominal times this event stands for (coalesced ones included).
    public var standsFor: UInt32 {
        get { read(1) { $0.standsFor } }
        set { rareAttributes.standsFor = newValue }
    }

    /// What happens when another event of its schedule is still open; from the schedule.
    public var overlap: OverlapRule {
        get { read(.allow) { $0.overlap } }
        set { rareAttributes.overlap = newValue }
    }

    /// How many events of its lane may be open at once (``OverlapRule/allow``; nil: any number) or may wait
    /// (``OverlapRule/bufferAll``; nil: ``OverlapRule/defaultBuffered``). From 1.
    public var overlapLimit: UInt32? {
        get { read(nil) { $0.overlapLimit } }
        set { rareAttributes.overlapLimit = newValue }
    }

    /// Its schedule is paused when it dies.
    public var pausesOnFailure: Bool {
        get { read(false) { $0.pausesOnFailure } }
        set { rareAttributes.pausesOnFailure = newValue }
    }

    /// Overrides the task's policy.
    public var retryPolicy: RetryPolicy? {
        get { read(nil) { $0.retryPolicy } }
        set { rareAttributes.retryPolicy = newValue }
    }

    public var history: FailureHistory {
        get { read(FailureHistory()) { $0.history } }
        set { rareAttributes.history = newValue }
    }

    /// It lay on a wrong partition once and was moved to the right one.
    public var isForwarded: Bool {
        get { read(false) { $0.isForwarded } }
        set { rareAttributes.isForwarded = newValue }
    }

    /// Headers that are not ours, kept as they came.
    public var extraHeaders: [RecordHeader] {
        get { read([]) { $0.extraHeaders } }
        set { rareAttributes.extraHeaders = newValue }
    }
}
