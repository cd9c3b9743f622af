internal import TaskModel

extension ScheduleView: Encodable {
    public func encode(to encoder: any Encoder) throws {
        var fields = JSONFields(encoder)
        try fields.put("id", id)
        try fields.put("spec", spec)
        try fields.put("revision", definition.revision)
        try fields.put("created_at", definition.createdAt)
        try fields.put("updated_at", definition.updatedAt)
        try fields.put("updated_by", definition.updatedBy)
        try fields.put("reason", definition.reason.isEmpty ? nil : definition.reason)
        try fields.put("paused", spec.isPaused)
        try fields.put("paused_until", spec.pause?.until)
        try fields.put("decided_until", state?.cursor)
        try fields.put("last_fired", state?.lastFired)
        try fields.put("fires", state?.fires)
        try fields.put("misfires", state?.misfires)
    }
}

extension CommandReply: Encodable {
    /// One word for programs.
    public var word: String {
        switch self {
        case .applied: "applied"
        case .conflict: "conflict"
        case .refused: "refused"
        case .queued: "queued"
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var fields = JSONFields(encoder)
        try fields.put("is", word)
        switch self {
        case .applied(let revision, let fingerprint):
            try fields.put("revision", revision)
            try fields.put("fingerprint", fingerprint)
        case .conflict(let revision, let spec):
            try fields.put("revision", revision)
            try fields.put("spec", spec)
        case .refused(let reason): try fields.put("reason", reason)
        case .queued(let id): try fields.put("command", id)
        }
    }
}

extension ScheduleChange: Encodable {
    public func encode(to encoder: any Encoder) throws {
        var fields = JSONFields(encoder)
        try fields.put("id", id)
        try fields.put("change", kind.word)
        switch kind {
        case .update(let changes):
            try fields.put("members", changes.map(\.name))
            try fields.put("changes", changes)
        case .refused(let reason): try fields.put("reason", reason)
        case .create, .remove, .orphaned, .unchanged: break
        }
        try fields.put("reply", reply)
        if case .conflict = reply {
            try fields.put("base_revision", baseRevision)
            try fields.put("yours", spec)
            try fields.put("stored", stored)
        }
    }
}

extension ScheduleFieldChange: Encodable {
    /// `from` and `to` are JSON in a text.
    public func encode(to encoder: any Encoder) throws {
        var fields = JSONFields(encoder)
        try fields.put("member", name)
        try fields.put("from", from)
        try fields.put("to", to)
    }
}

extension ScheduleAnswer: Encodable {
    public func encode(to encoder: any Encoder) throws {
        var fields = JSONFields(encoder)
        try fields.put("schedule", scheduleID)
        try fields.put("asked", asked)
        try fields.put("is_nominal", isNominal)
        try fields.put("nominal", nominal)
        try fields.put("due", due)
        try fields.put("before", before)
        try fields.put("after", after)
        try fields.put("is", verdict.word)
        switch verdict {
        case .fired(let at, let by, let lateness):
            try fields.put("at", at)
            try fields.put("by", by)
            try fields.put("lateness_ms", lateness)
        case .coalesced(let into, let count):
            try fields.put("into", into)
            try fields.put("count", count)
        case .dropped(let reason, let at):
            try fields.put("reason", reason)
            try fields.put("at", at)
        case .paused(let by, let note, let at, let until):
            try fields.put("by", by)
            try fields.put("note", note)
            try fields.put("at", at)
            try fields.put("until", until)
        case .ended(let runs): try fields.put("runs", runs)
        case .beforeCreation(let time), .beforeStart(let time), .afterEnd(let time): try fields.put("at", time)
        case .excluded(let number): try fields.put("exclusion", number)
        case .edited(let at, let by):
            try fields.put("at", at)
            try fields.put("by", by)
        case .ahead, .undecided, .forgotten, .notNominal: break
        }
        try fields.put("fingerprint", event == nil ? nil : fingerprint)
        try fields.put("event", event?.word)
        try fields.put("journal", (evidence + schedulers).sorted { $0.at < $1.at }.map(JournalView.init))
    }
}

extension BackfillPlan: Encodable {
    public func encode(to encoder: any Encoder) throws {
        var fields = JSONFields(encoder)
        try fields.put("schedule", spec.id)
        for action in Action.allCases { try fields.put(action.rawValue, count(action)) }
        try fields.put("fires", items)
    }
}

extension BackfillPlan.Item: Encodable {
    public func encode(to encoder: any Encoder) throws {
        var fields = JSONFields(encoder)
        try fields.put("nominal", nominal)
        try fields.put("fingerprint", fingerprint)
        try fields.put("replay", replay)
        try fields.put("action", action.rawValue)
    }
}

private struct SpanView: Encodable {
    let span: JournalEntry.Span

    init(_ span: JournalEntry.Span) { self.span = span }

    func encode(to encoder: any Encoder) throws {
        var fields = JSONFields(encoder)
        try fields.put("after", span.after)
        try fields.put("through", span.through)
    }
}

/// A journal entry with its instants as text.
private struct JournalView: Encodable {
    let entry: JournalEntry

    init(_ entry: JournalEntry) { self.entry = entry }

    func encode(to encoder: any Encoder) throws {
        var fields = JSONFields(encoder)
        try fields.put("at", entry.at)
        try fields.put("kind", entry.kind.rawValue)
        try fields.put("subject", entry.subject)
        try fields.put("author", entry.author)
        try fields.put("reason", entry.reason)
        try fields.put("nominal", entry.nominal)
        try fields.put("count", entry.count)
        try fields.put("span", entry.span.map(SpanView.init))
        try fields.put("fingerprint", entry.fingerprint)
    }
}
