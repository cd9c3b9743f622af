internal import TaskModel

extension EventStory: Encodable {
    public func encode(to encoder: any Encoder) throws {
        var fields = JSONFields(encoder)
        try fields.put("fingerprint", fingerprint)
        try fields.put("state", state)
        try fields.put("event", event)
        try fields.put("entries", entries)
        try fields.put("truncated", isTruncated)
    }
}

extension EventStory.State: Encodable {
    /// One word for programs.
    public var word: String {
        switch self {
        case .unknown: "unknown"
        case .due: "due"
        case .running: "running"
        case .waiting: "waiting"
        case .again: "again"
        case .completed: "completed"
        case .dead: "dead"
        case .cancelled: "cancelled"
        case .expired: "expired"
        case .skipped: "skipped"
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var fields = JSONFields(encoder)
        try fields.put("is", word)
        switch self {
        case .unknown: break
        case .due(let since): try fields.put("since", since)
        case .running(let worker, let since):
            try fields.put("worker", worker)
            try fields.put("since", since)
        case .waiting(let until): try fields.put("until", until)
        case .again(let delay, let since):
            try fields.put("delay_ms", delay)
            try fields.put("since", since)
        case .completed(let time), .cancelled(let time), .expired(let time), .skipped(let time):
            try fields.put("at", time)
        case .dead(let reason, let letter):
            try fields.put("reason", reason?.rawValue)
            try fields.put("letter", letter)
        }
    }
}

extension EventSummary: Encodable {
    public func encode(to encoder: any Encoder) throws {
        var fields = JSONFields(encoder)
        try fields.put("task", task)
        try fields.put("queue", queue)
        try fields.put("key", key)
        try fields.put("source", source)
        try fields.put("id", id)
        try fields.put("replay", coordinate.replay)
        try fields.put("turn", coordinate.turn)
        try fields.put("attempt", attempt)
        try fields.put("payload_bytes", payloadBytes)
        try fields.put("content_type", contentType)
        try fields.put("published_at", publishedAt)
        try fields.put("expires_at", expiresAt)
        try fields.put("schedule", scheduleID)
        try fields.put("nominal_time", nominalTime)
    }
}

extension EventStory.Fact {
    /// One word for programs.
    public var word: String {
        switch self {
        case .due(let event): event.coordinate.turn > 1 ? "emitted" : event.coordinate.replay > 0 ? "replay" : "due"
        case .waiting: "waiting"
        case .waitEnded: "wait-ended"
        case .cancelRequested: "cancel-requested"
        case .outcome(let detail, _, _): detail.outcome.word
        case .leased: "leased"
        case .released: "released"
        case .started: "started"
        case .displaced: "displaced"
        case .deadLetter: "dead-letter"
        case .marked(let mark): "letter-\(mark.kind.rawValue)"
        case .journal: "journal"
        }
    }
}

extension EventStory.Entry: Encodable {
    public func encode(to encoder: any Encoder) throws {
        var fields = JSONFields(encoder)
        try fields.put("at", at)
        try fields.put("what", fact.word)
        try fields.put("replay", replay)
        try fields.put("turn", turn)
        try fields.put(place)
        switch fact {
        case .due(let event): try fields.put("attempt", event.attempt)
        case .waiting(let event, let until):
            try fields.put("attempt", event.attempt)
            try fields.put("until", until)
        case .waitEnded, .cancelRequested: break
        case .outcome(let detail, let attempt, let worker): try fields.put(detail, attempt: attempt, worker: worker)
        case .leased(let lease):
            try fields.put("worker", lease.holder)
            try fields.put("lease_ms", lease.length)
        case .released(let worker), .started(let worker): try fields.put("worker", worker)
        case .displaced(let other, let worker):
            try fields.put("by", other.hex)
            try fields.put("worker", worker)
        case .deadLetter(let reason, let failure):
            try fields.put("reason", reason.rawValue)
            try fields.put(failure)
        case .marked(let mark):
            try fields.put("by", mark.by)
            try fields.put("why", mark.reason)
        case .journal(let entry):
            try fields.put("kind", entry.kind.rawValue)
            try fields.put("by", entry.author)
            try fields.put("why", entry.reason)
        }
    }
}

extension JSONFields {
    fileprivate mutating func put(_ detail: OutcomeDetail, attempt: UInt32, worker: String) throws {
        try put("attempt", attempt)
        try put("worker", worker)
        try put("delay_ms", detail.delay)
        try put("reason", detail.deathReason?.rawValue)
        try put("error_code", detail.code)
        try put("error", detail.message)
        try put("started_at", detail.startedAt)
        try put("ended_at", detail.endedAt)
    }
}
