internal import TaskLog
internal import TaskModel

/// What a scan of a partition of `schedules` and of the open part of `commands` found.
struct ScheduleRestoration: Sendable {
    var definitions: [String: ScheduleDefinition] = [:]
    var states: [String: ScheduleState] = [:]
    /// Commands from the committed offset on that have their result.
    var answered: Set<String> = []
    /// Where to go on with `commands`.
    var commandsStart: Int64 = 0
    /// Where to go on with `schedules`.
    var schedulesEnd: Int64 = 0
    /// Records that could not be read, for the log.
    var unreadable: [String] = []

    mutating func apply(schedule record: LogRecord) {
        do {
            switch try SchedulesTopicRecord(key: record.key, value: record.value) {
            case .definition(let definition): definitions[definition.spec.id] = definition
            case .state(let id, let state): states[id] = state
            case .tombstone(.spec(let id)): definitions[id] = nil
            case .tombstone(.state(let id)): states[id] = nil
            }
        } catch {
            unreadable.append("\(record.place): \(error)")
        }
    }

    /// Whether the command's result is durable.
    func isAnswered(_ command: AppliedCommand) -> Bool {
        command.offset < commandsStart || answered.contains(command.id)
    }

    /// Records that a crash left behind: of removed schedules, and states without a schedule.
    var leftovers: [ScheduleKey] {
        let marks = definitions.values.filter { $0.isRemoved && isAnswered($0.applied) }.map(\.spec.id)
        return marks.map { .spec($0) } + marks.filter { states[$0] != nil }.map { .state($0) }
            + states.keys.filter { definitions[$0] == nil }.map { .state($0) }
    }

    mutating func apply(command record: LogRecord) {
        guard CommandsTopicRecord.isResult(record.headers),
            let id = CommandsTopicRecord.commandID(in: record.headers)
        else { return }
        answered.insert(id)
    }
}

/// The schedules of one partition, and when each is to be planned again.
struct ScheduleTable: Sendable {
    private enum Activity: Hashable, Sendable {
        case idle
        /// Its records are on their way to the log; nothing else happens to it meanwhile.
        case busy
        /// Its queue has no topic.
        case parked(queue: String)
    }

    private struct Entry: Sendable {
        var definition: ScheduleDefinition
        var state: ScheduleState
        var activity = Activity.idle
        var wake: Timestamp?
    }

    private struct Wake: Comparable, Sendable {
        var at: Timestamp
        var id: String
        static func < (left: Wake, right: Wake) -> Bool { left.at < right.at }
        static func == (left: Wake, right: Wake) -> Bool { left.at == right.at }
    }

    private var entries: [String: Entry] = [:]
    /// Removed ones whose tombstone may be missing, so that their command is recognised.
    private var removed: [String: ScheduleDefinition] = [:]
    /// Keys that a zombie wrote while their schedule was busy.
    private var rewrites: Set<String> = []
    private var byTime = MinHeap<Wake>()
    /// Ids without a schedule that records are under way for: a creation, or tombstones.
    private var reserved: Set<String> = []
    private var parked: [String: Set<String>] = [:]

    init() {}

    /// Removals whose result is durable are left out: ``ScheduleRestoration/leftovers`` names what to delete of them.
    init(_ restoration: ScheduleRestoration) {
        for (id, definition) in restoration.definitions {
            guard !definition.isRemoved else {
                if !restoration.isAnswered(definition.applied) { removed[id] = definition }
                continue
            }
            let state = restoration.states[id] ?? ScheduleState(cursor: definition.createdAt)
            entries[id] = Entry(definition: definition, state: state)
            wake(id, at: .epoch)
        }
    }

    var count: Int { entries.count }
    var parkedCount: Int { parked.values.reduce(0) { $0 + $1.count } }

    /// The definition, also of one that was just removed.
    func definition(of id: String) -> ScheduleDefinition? { entries[id]?.definition ?? removed[id] }
    func state(of id: String) -> ScheduleState? { entries[id]?.state }

    /// No record of it is on its way.
    func isIdle(_ id: String) -> Bool { !reserved.contains(id) && entries[id]?.activity != .busy }

    // MARK: time

    private mutating func wake(_ id: String, at time: Timestamp?) {
        entries[id]?.wake = time
        if let time { byTime.insert(Wake(at: time, id: id)) }
    }

    mutating func nextWake() -> Timestamp? {
        let entries = self.entries
        return byTime.firstFresh { Self.isStale($0, entries[$0.id]) }?.at
    }

    private static func isStale(_ wake: Wake, _ entry: Entry?) -> Bool {
        guard let entry else { return true }
        return entry.wake != wake.at || entry.activity != .idle
    }

    /// An idle schedule whose time has come; it must be begun, parked or put to sleep.
    mutating func takeDue(now: Timestamp) -> (spec: ScheduleSpec, state: ScheduleState)? {
        while let first = byTime.first, first.at <= now {
            byTime.popFirst()
            guard let place = entries.index(forKey: first.id) else { continue }
            let entry = entries.values[place]
            if !Self.isStale(first, entry) { return (entry.definition.spec, entry.state) }
        }
        return nil
    }

    /// Nothing to decide before `time`.
    mutating func sleep(_ id: String, until time: Timestamp?) { wake(id, at: time) }

    mutating func park(_ id: String, queue: String) {
        entries[id]?.activity = .parked(queue: queue)
        parked[queue, default: []].insert(id)
    }

    mutating func unpark(queue: String) {
        for id in parked.removeValue(forKey: queue) ?? [] {
            entries[id]?.activity = .idle
            wake(id, at: .epoch)
        }
    }

    // MARK: changes on their way

    /// Records of it are sent now.
    mutating func begin(_ id: String) {
        guard let entry = entries[id] else {
            reserved.insert(id)
            return
        }
        if case .parked(let queue) = entry.activity { parked[queue]?.remove(id) }
        entries[id]?.activity = .busy
    }

    /// Its records are durable: this is what it is from now on. Planned again at once.
    mutating func complete(_ id: String, definition: ScheduleDefinition, state: ScheduleState) {
        reserved.remove(id)
        removed[id] = nil
        entries[id] = Entry(definition: definition, state: state)
        wake(id, at: .epoch)
    }

    /// Its state is durable; its definition is what it was. False when there is no such schedule.
    mutating func complete(_ id: String, state: ScheduleState, nextWake: Timestamp?) -> Bool {
        guard let place = entries.index(forKey: id) else { return false }
        reserved.remove(id)
        removed[id] = nil
        entries.values[place].state = state
        entries.values[place].activity = .idle
        wake(id, at: nextWake)
        return true
    }

    /// As before: nothing of it changed.
    mutating func release(_ id: String) {
        reserved.remove(id)
        guard entries[id]?.activity == .busy else { return }
        entries[id]?.activity = .idle
        wake(id, at: .epoch)
    }

    /// Its removal is durable, its tombstones too.
    mutating func remove(_ id: String) {
        reserved.remove(id)
        entries[id] = nil
        removed[id] = nil
    }

    // MARK: zombies

    /// What the records of `id` must be, to be written over a zombie's; nil while others of it are on their way (then
    /// ``takeRewrite(_:)`` asks again).
    mutating func rewrite(_ id: String) -> [SchedulesTopicRecord]? {
        guard isIdle(id) else {
            rewrites.insert(id)
            return nil
        }
        guard let entry = entries[id] else { return [.tombstone(.spec(id)), .tombstone(.state(id))] }
        return [.definition(entry.definition), .state(id, entry.state)]
    }

    /// Whether a zombie wrote it while it was busy.
    mutating func takeRewrite(_ id: String) -> Bool { rewrites.remove(id) != nil }
}
