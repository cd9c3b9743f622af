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
