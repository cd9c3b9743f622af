internal import TaskModel

/// Finds out why a schedule did or did not run, from its records and the journal. Pure.
struct ScheduleInquiry: Sendable {
    let schedule: ScheduleView
    /// Entries about the schedule, oldest first.
    let journal: [JournalEntry]
    /// Entries of schedulers: restored, held, released.
    let schedulers: [JournalEntry]
    let now: Timestamp

    /// A fire that is later than this is told as late.
    static let punctuality = Planner.punctuality

    private var spec: ScheduleSpec { schedule.spec }

    func answer(at asked: Timestamp) -> ScheduleAnswer {
        var answer = ScheduleAnswer(
            scheduleID: schedule.id, asked: asked, verdict: .notNominal,
            before: spec.lastNominal(through: asked - 1), after: spec.next(after: asked), isNominal: false)
        if let nominal = nominal(at: asked) {
            answer.isNominal = true
            explain(nominal, &answer)
        } else if let verdict = leftOut(asked) {
            answer.verdict = verdict
        } else if let before = answer.before {
            explain(before, &answer)
        }
        let near = journal.filter { $0.kind == .triggered && abs($0.at - asked) <= Self.punctuality }
        answer.evidence = (answer.evidence + near.filter { !answer.evidence.contains($0) }).sorted { $0.at < $1.at }
        return answer
    }

    /// The nominal time that begins the second asked about: of the trigger as it is, or as it was.
    private func nominal(at asked: Timestamp) -> Timestamp? {
        func isMeant(_ time: Timestamp) -> Bool { time >= asked && time - asked < 1000 }
        if let recorded = journal.lazy.compactMap(\.nominal).first(where: isMeant) { return recorded }
        return spec.next(after: asked - 1).flatMap { isMeant($0) ? $0 : nil }
    }

    /// Why a time that the bare trigger names is none of the schedule's.
    private func leftOut(_ asked: Timestamp) -> ScheduleAnswer.Verdict? {
        func names(_ trigger: Trigger) -> Bool {
            trigger.next(after: asked - 1).map { $0 - asked < 1000 } ?? false
        }
        if names(spec.trigger) {
            if let start = spec.start, asked < start { return .beforeStart(start) }
            if let end = spec.end, asked > end { return .afterEnd(end) }
        }
        guard case .except(let base, let exclusions) = spec.trigger, names(base) else { return nil }
        let number = exclusions.firstIndex { !names(.except(base, [$0])) }
        return number.map { .excluded(number: $0 + 1) }
    }

    private func explain(_ nominal: Timestamp, _ answer: inout ScheduleAnswer) {
        let due = Planner.dueTime(of: nominal, in: spec)
        answer.nominal = nominal
        answer.due = due
        answer.fingerprint = Fingerprint(.scheduled(scheduleID: schedule.id, nominalTime: nominal))
        answer.evidence = journal.filter { $0.nominal == nominal }
        if let fired = answer.evidence.first(where: { $0.kind == .fired }) {
            answer.fingerprint = fired.fingerprint ?? answer.fingerprint
            answer.verdict = .fired(at: fired.at, by: fired.author, lateness: max(0, fired.at - due))
            if fired.at - due > Self.punctuality {
                answer.schedulers = schedulers.filter { due - 1000 <= $0.at && $0.at <= fired.at }
            }
            return
        }
        if let (entry, verdict) = passedOver(nominal, exact: answer.evidence) {
            answer.verdict = verdict
            if !answer.evidence.contains(entry) { answer.evidence.append(entry) }
            return
        }
        (answer.verdict, answer.evidence) = unrecorded(nominal, due: due, answer.evidence)
        if case .undecided = answer.verdict { answer.schedulers = Array(schedulers.suffix(3)) }
    }

    /// The entry that dropped this nominal time, or let another one stand for it; `exact` are those that name it.
    private func passedOver(
        _ nominal: Timestamp, exact: [JournalEntry]
    ) -> (JournalEntry, ScheduleAnswer.Verdict)? {
        // An edit may have taken the cursor back: then the later decision holds.
        for entry in exact + journal.reversed() {
            guard let recorded = entry.nominal else { continue }
            switch entry.kind {
            case .misfired, .skipped, .discarded:
                guard entry.fingerprint == nil, speaks(entry, of: nominal) else { continue }
                return (entry, .dropped(reason: entry.reason, at: entry.at))
            case .coalesced:
                guard speaks(entry, of: nominal) else { continue }
                return (entry, .coalesced(into: recorded, count: entry.count ?? 1))
            default: continue
            }
        }
        return nil
    }

    /// Whether `nominal` is the entry's own time, or one of the several that it has decided.
    private func speaks(_ entry: JournalEntry, of nominal: Timestamp) -> Bool {
        guard let recorded = entry.nominal, recorded != nominal, let count = entry.count, count > 1 else {
            return entry.nominal == nominal
        }
        guard let span = entry.span else {
            return isWithin(nominal, recorded, count)
                || entry.kind == .coalesced && spec.catchUp == .earliest && isWithin(recorded, nominal, count)
        }
        guard span.after < nominal, nominal <= span.through else { return false }
        // Once the schedule was edited it may name times there that it did not name then.
        guard journal.contains(where: { $0.kind == .updated && $0.at >= entry.at }) else { return true }
        let named = spec.trigger.occurrences(after: span.after, through: span.through, limit: count + 1)
        return named.map { $0.count <= count } ?? false
    }

    /// Whether `nominal` is one of the `count` nominal times that end with `last`, by the present trigger.
    private func isWithin(_ nominal: Timestamp, _ last: Timestamp, _ count: Int) -> Bool {
        guard nominal <= last else { return false }
        return (spec.trigger.occurrences(after: nominal, through: last, limit: count)?.count ?? 0) < count
    }

    /// No decision is in the journal.
    private func unrecorded(
        _ nominal: Timestamp, due: Timestamp, _ evidence: [JournalEntry]
    ) -> (ScheduleAnswer.Verdict, [JournalEntry]) {
        let definition = schedule.definition
        if nominal <= definition.createdAt { return (.beforeCreation(definition.createdAt), evidence) }
        if let pause = pause(at: nominal) {
            return (pause.verdict, evidence + [pause.entry].compactMap { $0 })
        }
        if let state = schedule.state, spec.hasEnded(state), nominal > (state.lastFired ?? .epoch) {
            return (.ended(runs: state.fires), evidence)
        }
        if due > now { return (.ahead(due: due), evidence) }
        // The first change after it: the cursor went over what had passed.
        let edit = journal.first { $0.kind == .updated && $0.at >= nominal }
        guard nominal <= schedule.state?.cursor ?? definition.createdAt else { return (.undecided, evidence) }
        guard let edit else { return (.forgotten, evidence) }
        return (.edited(at: edit.at, by: edit.author), evidence + [edit])
    }

    /// The pause that held at `time`, by the schedule itself or else by the journal.
    private func pause(at time: Timestamp) -> (verdict: ScheduleAnswer.Verdict, entry: JournalEntry?)? {
        var entry: JournalEntry?
        for change in journal where change.at <= time {
            if change.kind == .paused { entry = change }
            if change.kind == .resumed || change.kind == .created { entry = nil }
        }
        if let pause = spec.pause, pause.at <= time {
            guard spec.isPaused(at: time) else { return nil }
            return (.paused(by: pause.by, note: pause.note, at: pause.at, until: pause.until), entry)
        }
        guard let entry, entry.span.map({ time <= $0.through }) ?? true else { return nil }
        return (
            .paused(by: entry.author, note: entry.reason, at: entry.at, until: entry.span.map { $0.through + 1 }), entry
        )
    }
}
