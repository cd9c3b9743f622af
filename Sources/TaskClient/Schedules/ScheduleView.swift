public import TaskModel

/// A schedule as the log has it.
public struct ScheduleView: Hashable, Sendable {
    public var definition: ScheduleDefinition
    /// How far it has come; nil before its scheduler has looked at it.
    public var state: ScheduleState?

    public init(definition: ScheduleDefinition, state: ScheduleState?) {
        self.definition = definition
        self.state = state
    }

    public var spec: ScheduleSpec { definition.spec }
    public var id: String { definition.spec.id }

    /// The next nominal time after `now` that fires: the first one after a pause with an end. Nil when it is paused for
    /// good, or over.
    public func next(after now: Timestamp) -> Timestamp? { spec.nextFire(after: now, state) }
}

/// The `schedules` topic, folded: the last record of a key holds. (After a zombie's record the owner writes its own again.)
struct ScheduleFold: Sendable {
    private var definitions: [String: ScheduleDefinition] = [:]
    private var states: [String: ScheduleState] = [:]

    mutating func add(_ record: SchedulesTopicRecord) {
        switch record {
        case .definition(let definition):
            definitions[definition.spec.id] = definition.isRemoved ? nil : definition
        case .state(let id, let state): states[id] = state
        case .tombstone(.spec(let id)): definitions[id] = nil
        case .tombstone(.state(let id)): states[id] = nil
        }
    }

    /// Sorted by id.
    var schedules: [ScheduleView] {
        definitions.values.map { ScheduleView(definition: $0, state: states[$0.spec.id]) }.sorted { $0.id < $1.id }
    }
}
