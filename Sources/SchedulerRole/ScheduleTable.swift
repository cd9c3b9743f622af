internal import Containers
internal import TaskLog
internal import TaskModel

/// What a scan of a partition of `schedules` and of the open part of `commands` found.
struct ScheduleRestoration: Sendable {
    var schedules = SchedulesFold()
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
            schedules.apply(
                try SchedulesTopicRecord(key: record.key, value: record.value),
                by: SchedulesTopicRecord.writer(in: record.headers))
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
        let (definitions, states) = (schedules.definitions, schedules.states)
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

    /// Shared by all who look at it: it has a score of parts, and a copy holds on to each.
    private final class Definition: Sendable {
        let value: ScheduleDefinition

        init(_ value: ScheduleDefinition) { self.value = value }
    }

    private struct Entry: Sendable {
        var definition: Definition
        var state: ScheduleState
        var activity = Activity.idle
        var wake: Timestamp?
    }

    /// When the schedule of a slot is to be planned. If the slot has another schedule by now, it means that one when it
    /// wakes at the same instant, and nothing otherwise.
    private struct Wake: Comparable, Sendable {
        var at: Timestamp
        var slot: Int
        static func < (left: Wake, right: Wake) -> Bool { left.at < right.at }
        static func == (left: Wake, right: Wake) -> Bool { left.at == right.at }
    }

    private var entries = Slots<Entry>()
    private var slots: [String: Int] = [:]
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
        for (id, definition) in restoration.schedules.definitions {
            guard !definition.isRemoved else {
                if !restoration.isAnswered(definition.applied) { removed[id] = definition }
                continue
            }
            var state = restoration.schedules.states[id] ?? ScheduleState(cursor: definition.createdAt)
            state.definedAt = state.definedAt ?? definition.updatedAt
            put(Entry(definition: Definition(definition), state: state), id)
        }
    }

    var count: Int { entries.count }
    var parkedCount: Int { parked.values.reduce(0) { $0 + $1.count } }

    private func entry(of id: String) -> Entry? { slots[id].flatMap { entries.values[$0] } }

    /// A new one, or another in place of one; planned at once.
    private mutating func put(_ entry: Entry, _ id: String) {
        let slot = slots[id] ?? entries.insert(entry)
        slots[id] = slot
        entries.values[slot] = entry
        wake(slot, at: .epoch)
    }

    /// The definition, also of one that was just removed.
    func definition(of id: String) -> ScheduleDefinition? { entry(of: id)?.definition.value ?? removed[id] }
    func state(of id: String) -> ScheduleState? { entry(of: id)?.state }

    /// No record of it is on its way.
    func isIdle(_ id: String) -> Bool { !reserved.contains(id) && entry(of: id)?.activity != .busy }

    // MARK: time

    private mutating func wake(_ slot: Int, at time: Timestamp?) {
        entries.values[slot]?.wake = time
        if let time { byTime.insert(Wake(at: time, slot: slot)) }
    }

    mutating func nextWake() -> Timestamp? {
        let entries = self.entries
        return byTime.firstFresh { Self.isStale($0, entries.values[$0.slot]) }?.at
    }

    private static func isStale(_ wake: Wake, _ entry: Entry?) -> Bool {
        guard let entry else { return true }
        return entry.wake != wake.at || entry.activity != .idle
    }

    /// An idle schedule whose time has come; it must be begun, parked or put to sleep.
    mutating func takeDue(now: Timestamp) -> (spec: ScheduleSpec, state: ScheduleState)? {
        while let first = byTime.first, first.at <= now {
            byTime.popFirst()
            if let entry = entries.values[first.slot], !Self.isStale(first, entry) {
                return (entry.definition.value.spec, entry.state)
            }
        }
        return nil
    }

    /// Nothing to decide before `time`.
    mutating func sleep(_ id: String, until time: Timestamp?) {
        if let slot = slots[id] { wake(slot, at: time) }
    }

    mutating func park(_ id: String, queue: String) {
        guard let slot = slots[id] else { return }
        entries.values[slot]?.activity = .parked(queue: queue)
        parked[queue, default: []].insert(id)
    }

    mutating func unpark(queue: String) {
        for id in parked.removeValue(forKey: queue) ?? [] {
            guard let slot = slots[id] else { continue }
            entries.values[slot]?.activity = .idle
            wake(slot, at: .epoch)
        }
    }

    // MARK: changes on their way

    /// Records of it are sent now.
    mutating func begin(_ id: String) {
        guard let slot = slots[id] else {
            reserved.insert(id)
            return
        }
        if case .parked(let queue)? = entries.values[slot]?.activity { parked[queue]?.remove(id) }
        entries.values[slot]?.activity = .busy
    }

    /// Its records are durable: this is what it is from now on. Planned again at once.
    mutating func complete(_ id: String, definition: ScheduleDefinition, state: ScheduleState) {
        reserved.remove(id)
        removed[id] = nil
        put(Entry(definition: Definition(definition), state: state), id)
    }

    /// Its state is durable; its definition is what it was. False when there is no such schedule.
    mutating func complete(_ id: String, state: ScheduleState, nextWake: Timestamp?) -> Bool {
        guard let slot = slots[id] else { return false }
        reserved.remove(id)
        removed[id] = nil
        entries.values[slot]?.state = state
        entries.values[slot]?.activity = .idle
        wake(slot, at: nextWake)
        return true
    }

    /// As before: nothing of it changed.
    mutating func release(_ id: String) {
        reserved.remove(id)
        guard let slot = slots[id], entries.values[slot]?.activity == .busy else { return }
        entries.values[slot]?.activity = .idle
        wake(slot, at: .epoch)
    }

    /// Its removal is durable, its tombstones too.
    mutating func remove(_ id: String) {
        reserved.remove(id)
        if let slot = slots.removeValue(forKey: id) { entries.remove(slot) }
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
        // The mark stays until its command is answered.
        if let mark = removed[id] { return [.definition(mark)] }
        guard let entry = entry(of: id) else { return [.tombstone(.spec(id)), .tombstone(.state(id))] }
        return [.definition(entry.definition.value), .state(id, entry.state)]
    }

    /// Whether a zombie wrote it while it was busy.
    mutating func takeRewrite(_ id: String) -> Bool { rewrites.remove(id) != nil }
}
