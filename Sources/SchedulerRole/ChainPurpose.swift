internal import TaskModel

/// What a chain of records in the outbox is for. A chain ends with its tenure, except a journal entry's.
///
/// Boxed, for it is handed on at each step of its chain, and a fire has many parts.
indirect enum ChainPurpose: Sendable {
    /// Due event, then tombstone.
    case emission(Tenure, DueEmission)
    /// The tombstone of a cancelled event.
    case drop(Tenure, Coordinate)
    /// Dead letter, then tombstone.
    case burial(Tenure, Coordinate)
    /// The tombstone of a cancel marker.
    case marker(Tenure)
    /// Records of schedules as they should be: over a zombie's, or after a crash.
    case restate(Tenure, ids: [String])
    case fire(Tenure, Fire)
    case command(Tenure, CommandUnderWay)
    case journal

    var tenure: Tenure? {
        switch self {
        case .emission(let tenure, _), .drop(let tenure, _), .burial(let tenure, _), .marker(let tenure),
            .restate(let tenure, _), .fire(let tenure, _), .command(let tenure, _):
            tenure
        case .journal: nil
        }
    }
}

/// A schedule's fires on their way: events, then state and journal.
struct Fire: Sendable {
    struct Event: Sendable {
        var coordinate: Coordinate
        var due: Timestamp
    }

    var id: String
    var queue: String
    var events: [Event]
    var state: ScheduleState
    var journal: [JournalEntry]
    /// When the plan wants to be asked again.
    var nextWake: Timestamp?
}

/// A command on its way: its effect, then its result.
struct CommandUnderWay: Sendable {
    var id: String
    var scheduleID: String
    var offset: Int64
    var effect: CommandDecision.Effect
    var word: String
    /// The stage of the chain that holds the result.
    var resultStage: Int
}
