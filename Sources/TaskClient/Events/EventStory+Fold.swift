package import TaskModel

/// A record that concerns one event, read from whichever topic.
package struct StoryRecord: Hashable, Sendable {
    package enum Body: Hashable, Sendable {
        case due(EventSummary)
        case waiting(EventSummary, WaitingEvent.Due)
        case retryTombstone(Coordinate)
        case cancelMarker(replay: UInt32)
        case ledger(LedgerRecord)
        case letter(EventSummary, DeathReason, lastFailure: AttemptFailure?)
        case mark(DeadLetterKey, DeadLetterMark)
        case journal(JournalEntry)
    }

    package var at: Timestamp
    package var place: RecordPlace
    package var body: Body

    package init(at: Timestamp, place: RecordPlace, body: Body) {
        self.at = at
        self.place = place
        self.body = body
    }
}

extension EventStory {
    /// Folds records in any order.
    package init(fingerprint: Fingerprint, records: [StoryRecord], isTruncated: Bool = false) {
        let sorted = records.sorted { left, right in
            if left.at != right.at { return left.at < right.at }
            let (leftOrder, rightOrder) = (left.order, right.order)
            if leftOrder != rightOrder { return leftOrder < rightOrder }
            return (left.place.topic, left.place.offset) < (right.place.topic, right.place.offset)
        }
        var fold = StateFold()
        for record in sorted { fold.add(record) }
        self.fingerprint = fingerprint
        self.isTruncated = isTruncated
        entries = sorted.map(Entry.init)
        event = fold.event
        state = fold.state
        latest = fold.latest.map { Coordinate(fingerprint: fingerprint, replay: $0.replay, turn: $0.turn) }
    }
}

extension EventStory.Entry {
    fileprivate init(_ record: StoryRecord) {
        let (position, fact) = Self.read(record)
        self.init(at: record.at, place: record.place, replay: position.replay, turn: position.turn, fact: fact)
    }

    private static func read(
        _ record: StoryRecord
    ) -> (position: (replay: UInt32?, turn: UInt32?), fact: EventStory.Fact) {
        switch record.body {
        case .due(let event): ((event.coordinate.replay, event.coordinate.turn), .due(event))
        case .waiting(let event, let due):
            (
                (event.coordinate.replay, event.coordinate.turn),
                .waiting(event, until: due.time(recordedAt: record.at))
            )
        case .retryTombstone(let coordinate): ((coordinate.replay, coordinate.turn), .waitEnded)
        case .cancelMarker(let replay): ((replay, nil), .cancelRequested)
        case .letter(let event, let reason, let failure):
            ((event.coordinate.replay, event.coordinate.turn), .deadLetter(reason, lastFailure: failure))
        case .mark(let key, let mark): ((key.replay, nil), .marked(mark))
        case .journal(let entry): ((nil, nil), .journal(entry))
        case .ledger(let entry): ((entry.coordinate.replay, entry.coordinate.turn), fact(of: entry))
        }
    }

    private static func fact(of entry: LedgerRecord) -> EventStory.Fact {
        switch entry.body {
        case .outcome(let detail): .outcome(detail, attempt: entry.attempt, worker: entry.worker)
        case .leased(let lease): .leased(lease)
        case .released: .released(worker: entry.worker)
        case .started: .started(worker: entry.worker)
        case .displaced(let other): .displaced(by: other, worker: entry.worker)
        }
    }
}

extension WaitingEvent.Due {
    func time(recordedAt brokerTime: Timestamp) -> Timestamp {
        switch self {
        case .after(let milliseconds): brokerTime + milliseconds
        case .at(let time): time
        }
    }
}

extension StoryRecord {
    /// Breaks ties of broker time by what causes what within one turn. Turns come first: turn 2 follows all of turn 1.
    fileprivate var order: (UInt32, UInt32, Int) {
        switch body {
        case .waiting(let event, _): (event.coordinate.replay, event.coordinate.turn, 0)
        case .due(let event): (event.coordinate.replay, event.coordinate.turn, 1)
        case .retryTombstone(let coordinate): (coordinate.replay, coordinate.turn, 2)
        case .ledger(let entry):
            if case .outcome = entry.body {
                (entry.coordinate.replay, entry.coordinate.turn, 4)
            } else {
                (entry.coordinate.replay, entry.coordinate.turn, 3)
            }
        case .letter(let event, _, _): (event.coordinate.replay, event.coordinate.turn, 5)
        case .cancelMarker(let replay): (replay, .max, 6)
        case .mark(let key, _): (key.replay, .max, 7)
        case .journal: (.max, .max, 8)
        }
    }
}

/// A position within one event's life: replay, then turn.
private struct Position: Hashable, Comparable {
    var replay: UInt32
    var turn: UInt32

    init(_ coordinate: Coordinate) {
        replay = coordinate.replay
        turn = coordinate.turn
    }

    static func < (left: Position, right: Position) -> Bool {
        (left.replay, left.turn) < (right.replay, right.turn)
    }
}

/// Where the work is now, by the ledger's own order: replay, then class, then turn.
private struct StateFold {
    private struct Decision {
        var position: Position
        var detail: OutcomeDetail
        var at: Timestamp

        var rank: OutcomeRank { OutcomeRank(detail.outcome, replay: position.replay, turn: position.turn) }
    }

    private enum Note {
        case leased(Lease, Timestamp)
        case started(String, Timestamp)
        case released
    }

    private(set) var event: EventSummary?
    private(set) var latest: Position?
    private var decision: Decision?
    private var dueSince: [Position: Timestamp] = [:]
    private var waitingUntil: [Position: Timestamp] = [:]
    private var waitsEnded: Set<Position> = []
    private var notes: [Position: Note] = [:]
    private var cancelRequests: [UInt32: Timestamp] = [:]
    private var letters: [UInt32: (reason: DeathReason, at: Timestamp)] = [:]
    private var marks: [UInt32: DeadLetterMark] = [:]

    mutating func add(_ record: StoryRecord) {
        switch record.body {
        case .due(let summary):
            see(summary)
            dueSince[Position(summary.coordinate)] = record.at
        case .waiting(let summary, let due):
            see(summary)
            waitingUntil[Position(summary.coordinate)] = due.time(recordedAt: record.at)
        case .retryTombstone(let coordinate): waitsEnded.insert(Position(coordinate))
        case .cancelMarker(let replay): cancelRequests[replay] = record.at
        case .letter(let summary, let reason, _):
            see(summary)
            letters[summary.coordinate.replay] = (reason, record.at)
        case .mark(let key, let mark):
            marks[key.replay] = marks[key.replay].map { $0.kind > mark.kind ? $0 : mark } ?? mark
        case .ledger(let entry): add(entry, at: record.at)
        case .journal: break
        }
    }

    private mutating func add(_ entry: LedgerRecord, at time: Timestamp) {
        let position = Position(entry.coordinate)
        see(position)
        switch entry.body {
        case .leased(let lease): notes[position] = .leased(lease, time)
        case .started: notes[position] = .started(entry.worker, time)
        case .released: notes[position] = .released
        case .displaced: break
        case .outcome(let detail):
            let new = Decision(position: position, detail: detail, at: time)
            if let decision, new.rank <= decision.rank { return }
            decision = new
        }
    }

    private mutating func see(_ summary: EventSummary) {
        let position = Position(summary.coordinate)
        if event.map({ Position($0.coordinate) <= position }) ?? true { event = summary }
        see(position)
    }

    private mutating func see(_ position: Position) { latest = max(latest ?? position, position) }

    var state: EventStory.State {
        guard let latest else { return .unknown }
        if let decision, decision.position.replay == latest.replay {
            if decision.detail.outcome.outcomeClass != .again { return ended(decision) }
            if let open = openState(after: decision.position) { return open }
            if let time = cancelRequests[latest.replay] { return .cancelled(at: time) }
            return .again(delay: decision.detail.delay, since: decision.at)
        }
        if let letter = letters[latest.replay] { return .dead(letter.reason, letterState(latest.replay)) }
        return openState(after: nil) ?? .unknown
    }

    /// The newest turn that is not decided: in its queue, or waiting.
    private func openState(after decided: Position?) -> EventStory.State? {
        guard let latest else { return nil }
        func isOpen(_ position: Position) -> Bool {
            position.replay == latest.replay && decided.map { position > $0 } ?? true
        }
        if let position = dueSince.keys.filter(isOpen).max(), let since = dueSince[position] {
            switch notes[position] {
            case .leased(let lease, let time): return .running(worker: lease.holder, since: time)
            case .started(let worker, let time): return .running(worker: worker, since: time)
            case .released, nil: return .due(since: since)
            }
        }
        guard let position = waitingUntil.keys.filter({ isOpen($0) && !waitsEnded.contains($0) }).max(),
            let until = waitingUntil[position]
        else { return nil }
        return cancelRequests[latest.replay].map { .cancelled(at: $0) } ?? .waiting(until: until)
    }

    private func ended(_ decision: Decision) -> EventStory.State {
        switch decision.detail.outcome {
        case .completed: .completed(at: decision.at)
        case .cancelled: .cancelled(at: decision.at)
        case .expired: .expired(at: decision.at)
        case .skipped: .skipped(at: decision.at)
        case .dead, .retrying, .snoozed:
            .dead(
                decision.detail.deathReason ?? letters[decision.position.replay]?.reason,
                letterState(decision.position.replay))
        }
    }

    private func letterState(_ replay: UInt32) -> LetterState { marks[replay].map(LetterState.init) ?? .open }
}
