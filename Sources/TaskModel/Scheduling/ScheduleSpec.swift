/// What a schedule does about nominal times that passed without a fire (the scheduler was down, held or behind).
public enum CatchUp: String, Hashable, Sendable, Codable, CaseIterable {
    /// Nothing: only a time at most a minute old fires.
    case skip
    /// One fire, for the latest missed time, that stands for all of them.
    case latest
    /// One fire, for the earliest missed time that is not too old, that stands for all of them.
    case earliest
    /// One fire for each, at most `maxCount`, the latest ones.
    case all
}

/// Who wrote a schedule down.
public enum ScheduleOrigin: Hashable, Sendable, CustomStringConvertible {
    /// A file of schedules, by its name.
    case file(String)
    case cli
    case api

    /// `file:<name>`, `cli` or `api`.
    public var description: String {
        switch self {
        case .file(let name): "file:\(name)"
        case .cli: "cli"
        case .api: "api"
        }
    }

    public init?(_ text: String) {
        switch text {
        case "cli": self = .cli
        case "api": self = .api
        default:
            guard text.hasPrefix("file:"), text.utf8.count > 5 else { return nil }
            self = .file(String(text.dropFirst(5)))
        }
    }
}

/// A paused schedule fires nothing; times that pass meanwhile are not caught up.
public struct SchedulePause: Hashable, Sendable, Codable {
    /// Why, for people.
    public var note: String
    public var by: String
    public var at: Timestamp
    /// The first instant at which it fires again by itself; nil: when it is resumed.
    public var until: Timestamp?

    public init(note: String, by: String, at: Timestamp, until: Timestamp? = nil) {
        self.note = note
        self.by = by
        self.at = at
        self.until = until
    }
}

/// A trigger and the event that each of its nominal times makes.
public struct ScheduleSpec: Hashable, Sendable {
    /// 1 to 100 of letters, digits, `.`, `_`, `-`.
    public var id: String
    public var task: String
    /// Fixed for an id, as is `key`: fires of one schedule share a lane.
    public var queue: String
    public var trigger: Trigger
    /// The trigger as a person wrote it, for display.
    public var triggerText: String
    public var payload: [UInt8]
    public var contentType: String?
    /// The lane of its fires. Default `schedule:<id>`.
    public var key: String
    public var overlap: OverlapRule
    /// Most of its events that are open at once with `OverlapRule.allow`. Nil is any number.
    public var maxInstances: Int?
    /// Most of its events that wait with `OverlapRule.bufferAll`. Nil is `OverlapRule.defaultBuffered`.
    public var maxBuffered: Int?
    /// It is paused when one of its events dies. Default false.
    public var pausesOnFailure: Bool
    public var catchUp: CatchUp
    /// Oldest missed time in milliseconds that still fires. Default 1 h.
    public var maxAge: Int64
    /// Most fires of one catch-up with `CatchUp.all`. Default 100.
    public var maxCount: Int
    /// Least milliseconds from one fire of a catch-up to the next with `CatchUp.all`. Default 0: all at once.
    public var catchUpSpacing: Int64
    /// The schedule ends after so many fires; runs out of turn do not count. Nil is no end.
    public var maxRuns: Int?
    /// Each fire is put off by up to this many milliseconds, always less than the time to the next nominal one. Default 0.
    public var jitter: Int64
    /// No nominal time before `start` or after `end` fires.
    public var start: Timestamp?
    public var end: Timestamp?
    /// An event must start within this many milliseconds of its nominal time, or expires. Nil is no limit.
    public var expiry: Int64?
    /// Overrides the task's policy.
    public var retryPolicy: RetryPolicy?
    public var pause: SchedulePause?
    public var origin: ScheduleOrigin

    public static let maximumPayloadBytes = 256 << 10
    public static let maximumCount = 10_000

    public init(
        id: String, task: String, queue: String = TopicNames.defaultQueue, trigger: Trigger, triggerText: String = "",
        payload: [UInt8] = [], contentType: String? = nil, key: String? = nil, overlap: OverlapRule = .skip,
        maxInstances: Int? = nil, maxBuffered: Int? = nil, pausesOnFailure: Bool = false,
        catchUp: CatchUp = .latest, maxAge: Int64 = 3_600_000, maxCount: Int = 100, catchUpSpacing: Int64 = 0,
        maxRuns: Int? = nil, jitter: Int64 = 0,
        start: Timestamp? = nil, end: Timestamp? = nil, expiry: Int64? = nil, retryPolicy: RetryPolicy? = nil,
        pause: SchedulePause? = nil, origin: ScheduleOrigin = .api
    ) {
        self.id = id
        self.task = task
        self.queue = queue
        self.trigger = trigger
        self.triggerText = triggerText
        self.payload = payload
        self.contentType = contentType
        self.key = key ?? Self.defaultKey(of: id)
        self.overlap = overlap
        self.maxInstances = maxInstances
        self.maxBuffered = maxBuffered
        self.pausesOnFailure = pausesOnFailure
        self.catchUp = catchUp
        self.maxAge = maxAge
        self.maxCount = maxCount
        self.catchUpSpacing = catchUpSpacing
        self.maxRuns = maxRuns
        self.jitter = jitter
        self.start = start
        self.end = end
        self.expiry = expiry
        self.retryPolicy = retryPolicy
        self.pause = pause
        self.origin = origin
    }

    public static func defaultKey(of id: String) -> String { "schedule:\(id)" }

    /// The bound of its overlap rule, as its events carry it.
    public var overlapLimit: UInt32? {
        switch overlap {
        case .allow: maxInstances.map { UInt32(clamping: $0) }
        case .bufferAll: maxBuffered.map { UInt32(clamping: $0) }
        case .skip, .bufferOne, .cancelOther, .terminateOther: nil
        }
    }

    /// It has a pause, be it one that has ended by itself.
    public var isPaused: Bool { pause != nil }

    /// It fires nothing at this time.
    public func isPaused(at now: Timestamp) -> Bool { pause.map { $0.until.map { now < $0 } ?? true } ?? false }

    /// It has run as often as it should.
    public func hasEnded(_ state: ScheduleState) -> Bool { maxRuns.map { state.fires >= UInt64(max(0, $0)) } ?? false }

    /// Whether its nominal times may be others than those of `old`.
    package func namesOtherTimes(than old: ScheduleSpec) -> Bool {
        trigger != old.trigger || start != old.start || end != old.end
    }

    /// The same letters as a queue's name.
    public static func isValidID(_ id: String) -> Bool { TopicNames.isValidQueueName(id) }

    /// The next nominal time after `time` within the bounds; nil when there is none.
    public func next(after time: Timestamp) -> Timestamp? {
        guard let next = trigger.next(after: undecided(after: time)) else { return nil }
        if let end, next > end { return nil }
        return next
    }

    /// What is allowed but may surprise, in the words of the configuration.
    public var warnings: [String] {
        guard trigger == .never else { return [] }
        return ["the trigger is empty: the schedule is kept, and never fires"]
    }

    /// What is wrong with it, in the words of the configuration; empty when nothing is.
    public var problems: [String] {
        var problems: [String] = []
        func check(_ isFine: Bool, _ problem: @autoclosure () -> String) {
            if !isFine { problems.append(problem()) }
        }
        check(Self.isValidID(id), "id \"\(id.prefix(120))\" must be 1 to 100 of letters, digits, '.', '_', '-'")
        check(!task.isEmpty && task.utf8.count <= 200, "task must be 1 to 200 bytes")
        check(TopicNames.isValidQueueName(queue), "queue \"\(queue.prefix(120))\" is no queue's name")
        check(!key.isEmpty && key.utf8.count <= 500, "key must be 1 to 500 bytes")
        check(payload.count <= Self.maximumPayloadBytes, "payload has \(payload.count) bytes; at most 256 KiB are kept")
        problems += overlapProblems
        check(maxAge >= 0, "max_age must not be negative")
        check((1...Self.maximumCount).contains(maxCount), "max_count must be 1 to \(Self.maximumCount)")
        check((0...3_600_000).contains(catchUpSpacing), "catch_up_spacing must be between 0 and 1 h")
        check(maxRuns.map { $0 > 0 } ?? true, "max_runs must be positive")
        check((0...86_400_000).contains(jitter), "jitter must be between 0 and 24 h")
        check(expiry.map { $0 > 0 } ?? true, "expiry must be positive")
        if let start, let end { check(start <= end, "start must not be after end") }
        if let problem = trigger.problem { problems.append("\(problem)") }
        problems += (retryPolicy?.problems ?? []).map { "retry: \($0)" }
        return problems
    }

    private var overlapProblems: [String] {
        var problems: [String] = []
        func check(_ name: String, _ value: Int?, _ rule: OverlapRule, upTo maximum: UInt32) {
            guard let value else { return }
            if !(1...Int(maximum)).contains(value) { problems.append("\(name) must be 1 to \(maximum)") }
            if overlap != rule {
                problems.append("\(name) goes with overlap \(rule.rawValue), and overlap is \(overlap.rawValue)")
            }
        }
        check("max_instances", maxInstances, .allow, upTo: OverlapRule.maximumInstances)
        check("max_buffered", maxBuffered, .bufferAll, upTo: OverlapRule.maximumBuffered)
        return problems
    }
}
