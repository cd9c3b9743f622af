public import TaskModel

/// Why a schedule did or did not run at a time.
public struct ScheduleAnswer: Hashable, Sendable {
    /// What became of one nominal time.
    public enum Verdict: Hashable, Sendable {
        /// An event was made at `at`; `lateness` milliseconds after it fell due.
        case fired(at: Timestamp, by: String, lateness: Int64)
        /// The fire of another nominal time stands for it.
        case coalesced(into: Timestamp, count: Int)
        /// The scheduler dropped it by a rule.
        case dropped(reason: String, at: Timestamp)
        case paused(by: String, note: String, at: Timestamp, until: Timestamp?)
        /// The schedule had run as often as it should.
        case ended(runs: UInt64)
        case beforeCreation(Timestamp)
        case beforeStart(Timestamp)
        case afterEnd(Timestamp)
        /// The trigger names it, and the exclusion of this number (from 1) takes it away.
        case excluded(number: Int)
        /// The schedule was changed later, before this time was decided; what passed before a change is not made up for.
        case edited(at: Timestamp, by: String)
        /// It falls due in the future.
        case ahead(due: Timestamp)
        /// It is due, and no scheduler has decided about it.
        case undecided
        /// It was decided, and the journal does not tell any more.
        case forgotten
        /// The trigger does not name the time that was asked about, and there is no earlier one.
        case notNominal

        /// One word for programs.
        public var word: String {
            switch self {
            case .fired: "fired"
            case .coalesced: "coalesced"
            case .dropped: "dropped"
            case .paused: "paused"
            case .ended: "ended"
            case .beforeCreation: "before-creation"
            case .beforeStart: "before-start"
            case .afterEnd: "after-end"
            case .excluded: "excluded"
            case .edited: "edited"
            case .ahead: "ahead"
            case .undecided: "undecided"
            case .forgotten: "forgotten"
            case .notNominal: "not-nominal"
            }
        }
    }

    public var scheduleID: String
    public var asked: Timestamp
    /// The nominal time that the verdict is about: the one asked for, else the nearest before it.
    public var nominal: Timestamp?
    /// The nominal time with its jitter.
    public var due: Timestamp?
    public var verdict: Verdict
    /// The nearest nominal times around the one that was asked for.
    public var before: Timestamp?
    public var after: Timestamp?
    /// The time asked for is a nominal time.
    public var isNominal: Bool
    /// What the journal says of it, oldest first.
    public var evidence: [JournalEntry] = []
    /// What schedulers as such had to say meanwhile: taken over, held, released.
    public var schedulers: [JournalEntry] = []
    public var fingerprint: Fingerprint?
    /// Where its event is; nil when the log keeps none.
    public var event: EventStory.State?
}
