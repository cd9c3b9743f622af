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

extension SchedulesFold {
    /// What is there, by id.
    var views: [ScheduleView] {
        definitions.values.filter { !$0.isRemoved }.map { ScheduleView(definition: $0, state: states[$0.spec.id]) }
            .sorted { $0.id < $1.id }
    }
}
