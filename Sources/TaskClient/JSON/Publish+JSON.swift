internal import TaskModel

extension PublishReceipt: Encodable {
    public func encode(to encoder: any Encoder) throws {
        var fields = JSONFields(encoder)
        try fields.put("fingerprint", fingerprint)
        try fields.put("replay", coordinate.replay)
        try fields.put("turn", coordinate.turn)
        try fields.put("queue", queue)
        try fields.put("key", key)
        try fields.put("source", source)
        try fields.put("id", id)
        try fields.put(place)
        try fields.put("accepted_at", brokerTime)
        switch destination {
        case .due: try fields.put("state", "due")
        case .waiting(let until):
            try fields.put("state", "waiting")
            try fields.put("due_at", until)
        }
    }
}

extension EventEnd: Encodable {
    public func encode(to encoder: any Encoder) throws {
        var fields = JSONFields(encoder)
        try fields.put("fingerprint", coordinate.fingerprint)
        try fields.put("replay", coordinate.replay)
        try fields.put("turn", coordinate.turn)
        try fields.put("attempt", attempt)
        try fields.put("outcome", outcome.word)
        try fields.put("worker", worker)
        try fields.put("reason", detail.deathReason?.rawValue)
        try fields.put("error_code", detail.code)
        try fields.put("error", detail.message)
        try fields.put("started_at", detail.startedAt)
        try fields.put("ended_at", detail.endedAt)
        try fields.put("decided_at", decidedAt)
        try fields.put("decided_before", wasDecidedBefore)
    }
}

extension ClientError: Encodable {
    public func encode(to encoder: any Encoder) throws {
        var fields = JSONFields(encoder)
        try fields.put("code", code.rawValue)
        try fields.put("message", message)
        try fields.put("retriable", isRetriable)
    }
}
