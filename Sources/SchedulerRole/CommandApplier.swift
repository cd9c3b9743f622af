internal import TaskModel

/// A command as it lies in the log.
struct ReceivedCommand: Hashable, Sendable {
    var command: ScheduleCommand
    var offset: Int64
    /// The broker's time of it: everybody who applies it takes this for its time.
    var at: Timestamp
}

/// What a command comes to.
struct CommandDecision: Hashable, Sendable {
    enum Effect: Hashable, Sendable {
        /// Only the result is written.
        case none
        case write(ScheduleDefinition, ScheduleState)
        case remove(ScheduleDefinition)
        /// An event now, or at an instant.
        case run(TaskEvent, at: Timestamp?)
    }

    var effect: Effect
    var result: CommandResult
    var journal: [JournalEntry]
}

/// Applies commands to schedules: a pure function, and the same for everybody who reads the same log.
enum CommandApplier {
    static func decide(
        _ received: ReceivedCommand, definition stored: ScheduleDefinition?, state: ScheduleState?, now: Timestamp
    ) -> CommandDecision {
        let command = received.command
        let applier = Applier(received: received, now: now)
        let problems = command.problems
        guard problems.isEmpty else { return applier.refused(problems.joined(separator: "; ")) }
        // Read again after a crash between the record and its result.
        if let stored, stored.applied.id == command.id {
            return stored.isRemoved ? applier.removeAgain(stored) : applier.applied(stored.revision)
        }
        let definition = stored.flatMap { $0.isRemoved ? nil : $0 }
        let revision = definition?.revision ?? 0
        if let base = command.baseRevision, base != revision {
            return applier.answer(.conflict(revision: revision, spec: definition?.spec))
        }
        guard let definition, let state else {
            guard case .put(let spec) = command.kind else {
                return applier.refused("there is no schedule \"\(command.scheduleID)\"")
            }
            return applier.create(spec)
        }
        switch command.kind {
        case .put(let spec): return applier.replace(definition, state, by: spec)
        case .remove: return applier.remove(definition)
        case .pause(let note, _) where command.isPauseOnFailure:
            return applier.pauseOnFailure(definition, state, note: note)
        case .pause(let note, let until): return applier.pause(definition, state, note: note, until: until)
        case .resume: return applier.resume(definition, state)
        case .trigger(let time, let payload): return applier.run(definition, at: time, payload: payload)
        }
    }
}

private struct Applier {
    let received: ReceivedCommand
    let now: Timestamp

    private var command: ScheduleCommand { received.command }

    func answer(_ outcome: CommandResult.Outcome) -> CommandDecision {
        CommandDecision(
            effect: .none,
            result: CommandResult(commandID: command.id, scheduleID: command.scheduleID, outcome: outcome, at: now),
            journal: [])
    }

    func refused(_ reason: String) -> CommandDecision { answer(.refused(reason: reason)) }
    func applied(_ revision: UInt64) -> CommandDecision { answer(.applied(revision: revision)) }

    private func entry(_ kind: JournalEntry.Kind, fallback: String) -> JournalEntry {
        JournalEntry(
            subject: command.scheduleID, kind: kind, at: now, author: command.author,
            reason: command.reason.isEmpty ? fallback : command.reason)
    }

    private func written(
        _ kind: JournalEntry.Kind, _ definition: ScheduleDefinition, _ state: ScheduleState, reason: String
    ) -> CommandDecision {
        var (decision, state) = (applied(definition.revision), state)
        state.definedAt = definition.updatedAt
        decision.effect = .write(definition, state)
        decision.journal = [entry(kind, fallback: reason)]
        return decision
    }

    func create(_ spec: ScheduleSpec) -> CommandDecision {
        guard spec.trigger == .never || spec.next(after: received.at) != nil else {
            return refused("trigger: it names no time after \(received.at.rfc3339)")
        }
        let definition = ScheduleDefinition(
            spec: spec, revision: 1, createdAt: received.at, updatedAt: received.at, updatedBy: command.author,
            reason: command.reason, applied: AppliedCommand(id: command.id, offset: received.offset))
        return written(.created, definition, ScheduleState(cursor: received.at), reason: "put")
    }

    private func changed(_ definition: ScheduleDefinition) -> ScheduleDefinition {
        var next = definition
        next.revision += 1
        next.updatedAt = received.at
        next.updatedBy = command.author
        next.reason = command.reason
        next.applied = AppliedCommand(id: command.id, offset: received.offset)
        return next
    }

    /// A put never resumes: a spec that says nothing of a pause keeps the one there is.
    func replace(_ definition: ScheduleDefinition, _ state: ScheduleState, by spec: ScheduleSpec) -> CommandDecision {
        let old = definition.spec
        var spec = spec
        spec.pause = spec.pause ?? old.pause
        guard spec.queue == old.queue, spec.key == old.key else {
            let name = spec.queue == old.queue ? "key" : "queue"
            return refused(
                "\(name): it is fixed for a schedule's id; remove \"\(spec.id)\" first, or take another id")
        }
        guard spec != old else { return applied(definition.revision) }
        var state = state
        if spec.namesOtherTimes(than: old) {
            guard spec.trigger == .never || spec.next(after: received.at) != nil else {
                return refused("trigger: it names no time after \(received.at.rfc3339)")
            }
            state.cursor = cursor(of: spec, state, replacing: old)
            state.catchUp = nil
        }
        var next = changed(definition)
        next.spec = spec
        return written(.updated, next, state, reason: "put")
    }

    /// Times of the new trigger that lie before the edit were never promised; those after it are, even where a scheduler
    /// that did not know of the edit went on with the old one. What both name it has decided already.
    private func cursor(of spec: ScheduleSpec, _ state: ScheduleState, replacing old: ScheduleSpec) -> Timestamp {
        var position = received.at
        for _ in 0..<1000 {
            guard let next = spec.next(after: position), next <= state.cursor else {
                return max(position, state.cursor)
            }
            guard old.next(after: next - 1) == next else { break }
            position = next
        }
        return position
    }

    func remove(_ definition: ScheduleDefinition) -> CommandDecision {
        var next = changed(definition)
        next.isRemoved = true
        var decision = applied(next.revision)
        decision.effect = .remove(next)
        decision.journal = [entry(.removed, fallback: "remove")]
        return decision
    }

    /// The mark is there; result and tombstones may be missing.
    func removeAgain(_ mark: ScheduleDefinition) -> CommandDecision {
        var decision = applied(mark.revision)
        decision.effect = .remove(mark)
        return decision
    }

    func pause(
        _ definition: ScheduleDefinition, _ state: ScheduleState, note: String, until: Timestamp?
    ) -> CommandDecision {
        if let pause = definition.spec.pause, pause.note == note, pause.until == until {
            return applied(definition.revision)
        }
        var next = changed(definition)
        next.spec.pause = SchedulePause(note: note, by: command.author, at: received.at, until: until)
        var decision = written(.paused, next, state, reason: note)
        decision.journal[0].span = until.map { JournalEntry.Span(after: received.at - 1, through: $0 - 1) }
        return decision
    }

    /// How many of them a schedule remembers. One is written again only within a takeover.
    private static let rememberedFailures = 16

    /// A worker writes it again after a crash, maybe past a resume: each counts once. What is paused for good stays so.
    func pauseOnFailure(_ definition: ScheduleDefinition, _ state: ScheduleState, note: String) -> CommandDecision {
        let known = definition.failurePauses ?? []
        guard definition.spec.pausesOnFailure, !known.contains(command.id) else { return applied(definition.revision) }
        let isPaused = definition.spec.pause.map { $0.until == nil } ?? false
        var next = isPaused ? definition : changed(definition)
        next.failurePauses = Array((known + [command.id]).suffix(Self.rememberedFailures))
        guard !isPaused else {
            var decision = applied(next.revision)
            decision.effect = .write(next, state)
            return decision
        }
        next.spec.pause = SchedulePause(note: note, by: command.author, at: received.at)
        return written(.paused, next, state, reason: note)
    }

    func resume(_ definition: ScheduleDefinition, _ state: ScheduleState) -> CommandDecision {
        guard let pause = definition.spec.pause else { return applied(definition.revision) }
        var next = changed(definition)
        next.spec.pause = nil
        var state = state
        // What a pause that is over by now did not hold is still to be decided.
        state.cursor = max(state.cursor, pause.until.map { min($0 - 1, received.at) } ?? received.at)
        return written(.resumed, next, state, reason: "times while paused are not caught up")
    }

    func run(_ definition: ScheduleDefinition, at time: Timestamp?, payload: [UInt8]?) -> CommandDecision {
        let event = FireMaker.event(
            of: definition.spec, command: command, payload: payload, due: time ?? received.at, now: now)
        var decision = applied(definition.revision)
        decision.result.fingerprint = event.fingerprint
        decision.effect = .run(event, at: time)
        var entry = entry(.triggered, fallback: "trigger")
        entry.fingerprint = event.fingerprint
        decision.journal = [entry]
        return decision
    }
}
