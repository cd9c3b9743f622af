/// What the `schedules` topic says, read from its beginning. The last record of a key holds, but for a zombie's: a
/// scheduler that lost its partition and does not know it yet may write behind the one that has it now.
///
/// A zombie is behind in what it knows and in its epoch. Either alone says little: a broker's clock may step, an owner may
/// repeat what it knows, and epochs begin anew where the broker has forgotten the group. Commands are told apart by their
/// time first: their offsets begin anew where topics were copied to another cluster.
public struct SchedulesFold: Sendable {
    private struct Rank: Sendable {
        var updatedAt: Timestamp
        /// Of the command that it applied.
        var offset: Int64
        var epoch: Int64
    }

    /// By id. One that ``ScheduleDefinition/isRemoved`` is the mark of a removal, there until its tombstone is.
    public private(set) var definitions: [String: ScheduleDefinition] = [:]
    public private(set) var states: [String: ScheduleState] = [:]
    /// Schedules that a zombie wrote last, after their owner; nobody has written over it.
    public private(set) var overwritten: Set<String> = []
    /// Of the last definition that counts; kept when the schedule is removed.
    private var ranks: [String: Rank] = [:]
    private var stateEpochs: [String: Int64] = [:]

    public init() {}

    /// The next record of the topic. A nil writer is a foreign one, and counts as the highest epoch.
    public mutating func apply(_ record: SchedulesTopicRecord, by writer: ScheduleWriter?) {
        let epoch = writer?.epoch ?? .max
        switch record {
        case .definition(let definition): apply(definition, epoch)
        case .state(let id, let state): apply(state, of: id, epoch)
        case .tombstone(.spec(let id)):
            if let last = ranks[id], epoch < last.epoch, isThere(id) {
                overwritten.insert(id)
            } else {
                definitions[id] = nil
                overwritten.remove(id)
            }
        case .tombstone(.state(let id)):
            if let last = stateEpochs[id], epoch < last, isThere(id) {
                overwritten.insert(id)
            } else {
                states[id] = nil
            }
        }
    }

    private func isThere(_ id: String) -> Bool { definitions[id]?.isRemoved == false }

    private mutating func apply(_ definition: ScheduleDefinition, _ epoch: Int64) {
        let id = definition.spec.id
        let rank = Rank(updatedAt: definition.updatedAt, offset: definition.applied.offset, epoch: epoch)
        if let last = ranks[id], epoch < last.epoch, (rank.updatedAt, rank.offset) < (last.updatedAt, last.offset) {
            overwritten.insert(id)
            return
        }
        definitions[id] = definition
        ranks[id] = rank
        overwritten.remove(id)
    }

    private mutating func apply(_ state: ScheduleState, of id: String, _ epoch: Int64) {
        if let known = states[id], let last = stateEpochs[id], epoch < last,
            let definedAt = state.definedAt, let knownDefinedAt = known.definedAt,
            (definedAt, state.cursor) < (knownDefinedAt, known.cursor)
        {
            overwritten.insert(id)
            return
        }
        states[id] = state
        stateEpochs[id] = epoch
    }
}
