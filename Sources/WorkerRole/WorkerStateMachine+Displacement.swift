internal import TaskLog
internal import TaskModel

/// Events that make room for another one of their lane (`cancel-other`, `terminate-other`).
///
/// What has not begun is cancelled at once. What runs here is told to end; of what another worker runs, the ledger says that
/// it should. What waits in `retry`, or is to be terminated, is cancelled in the ledger, as a person would do it. The
/// newcomer starts when nothing is left in its way, so each step may be taken again after a crash.
extension WorkerStateMachine {
    mutating func displace(
        _ other: LaneMember, for turn: Turn, _ place: TurnPlace, terminates: Bool, _ now: WorkerNow
    ) {
        let newcomer = turn.facts.coordinate.fingerprint
        switch other {
        case .away(let work):
            guard let coordinate = work.decision?.coordinate ?? work.notes?.coordinate else { return }
            if work.isLeased, !terminates, let leased = work.notes?.coordinate {
                ask(leased, attempt: work.decision?.detail.nextAttempt ?? 1, for: turn, place)
            } else {
                cancelInLedger(coordinate, attempt: work.decision?.attempt ?? 1, for: turn, place, now)
            }
        case .here(let otherPlace, let theirs):
            let event = theirs.facts.event
            switch theirs.stage {
            // To be judged, or being written: it is looked at again when that is through.
            case .waiting, .settling, .forwarding: break
            case .ready, .buffered: decide(otherPlace, theirs, displaced(by: newcomer, now))
            case .noting:
                suspects.remove(theirs.facts.coordinate)
                decide(otherPlace, theirs, displaced(by: newcomer, now))
            case .running(let id) where !terminates: displaceAttempt(id, by: newcomer)
            case .leased where !terminates: ask(event.coordinate, attempt: event.attempt, for: turn, place)
            case .running, .leased:
                // An end that comes before the cancel is on record must not say another thing of the same turn.
                if case .running(let id) = theirs.stage { attempts[id]?.displacedBy = newcomer }
                cancelInLedger(event.coordinate, attempt: event.attempt, for: turn, place, now)
            }
        }
    }

    /// The outcome of what was displaced.
    func displaced(by newcomer: Fingerprint, startedAt: Timestamp? = nil, _ now: WorkerNow) -> OutcomeDetail {
        OutcomeDetail(
            .cancelled, startedAt: startedAt, endedAt: now.wall, code: "overlap",
            message: "event \(newcomer) of its lane displaced it")
    }

    /// Its handler is cancelled; unless it completes all the same, its end is a cancel.
    private mutating func displaceAttempt(_ id: AttemptID, by newcomer: Fingerprint) {
        if attempts[id]?.displacedBy == nil { attempts[id]?.displacedBy = newcomer }
        cancel(id, .displaced)
    }

    /// The owner of the partition asks this worker to end what it still runs of it.
    mutating func obeyDisplacement(of coordinate: Coordinate, by newcomer: Fingerprint, _ slot: Int) {
        guard let id = departed[coordinate], attempts[id]?.slot == slot else { return }
        displaceAttempt(id, by: newcomer)
    }

    /// Once: the ledger remembers, for the holder and for the next owner.
    private mutating func ask(_ coordinate: Coordinate, attempt: UInt32, for turn: Turn, _ place: TurnPlace) {
        guard case .run(let notes) = ledgers[place.slot].fold.judge(coordinate), notes?.displacedBy == nil else {
            return
        }
        let note = LedgerRecord(
            coordinate: coordinate, attempt: attempt, laneHash: turn.facts.event.laneHash, worker: identity,
            body: .displaced(by: turn.facts.coordinate.fingerprint))
        _ = ledgers[place.slot].fold.apply(note, time: turn.facts.recordTime)
        appendLedger(note, to: place.slot, .note)
    }

    private mutating func cancelInLedger(
        _ coordinate: Coordinate, attempt: UInt32, for turn: Turn, _ place: TurnPlace, _ now: WorkerNow
    ) {
        guard displacing.insert(coordinate).inserted else { return }
        let record = LedgerRecord(
            coordinate: coordinate, attempt: attempt, laneHash: turn.facts.event.laneHash, worker: identity,
            body: .outcome(displaced(by: turn.facts.coordinate.fingerprint, now)))
        appendLedger(record, to: place.slot, .displacement(for: place))
    }

    /// A cancel is in the ledger. From here on it is true, whoever owns the lane.
    mutating func displacementDone(_ append: PendingAppend, for place: TurnPlace, _ time: Timestamp, _ now: WorkerNow) {
        guard let entry = LedgerRecord(key: append.record.key, value: append.record.value),
            case .outcome(let detail) = entry.body
        else { return }
        let coordinate = entry.coordinate
        displacing.remove(coordinate)
        learn(append.record, time, now)
        for attempt in attempts.all where attempt.facts.coordinate.fingerprint == coordinate.fingerprint {
            if attempt.slot == place.slot { cancel(attempt.id, .decidedElsewhere) }
        }
        count(.cancelled)
        journal(
            JournalEntry(
                subject: turn(at: place)?.facts.event.scheduleID ?? coordinate.fingerprint.hex, kind: .cancelled,
                at: now.wall, author: identity, reason: detail.message ?? "", fingerprint: coordinate.fingerprint))
        // A waiting turn would be dropped as stale when it comes; so nobody sees it waiting until then.
        self.append(
            .note,
            LogAppend(
                RetryKey.cancelMarker(
                    coordinate.fingerprint, replay: coordinate.replay, by: identity, reason: detail.message ?? "",
                    at: now.wall),
                to: TopicPartition(configuration.names.retry, controlPartition(of: coordinate.fingerprint))))
        wakeLane(entry.laneHash, of: place.slot)
    }

    /// A refused cancel goes out again while the newcomer waits for it.
    mutating func mayRepeatDisplacement(_ append: PendingAppend, for place: TurnPlace) -> Bool {
        if turn(at: place)?.stage == .buffered { return true }
        if let entry = LedgerRecord(key: append.record.key, value: append.record.value) {
            displacing.remove(entry.coordinate)
        }
        return false
    }
}
