internal import TaskModel

extension PublishRequest {
    /// The event of this request, or what is wrong with the request. `now` decides the bucket of a uniqueness window. Pure
    /// but for the id, which is chosen here if nobody has asked for it before.
    ///
    /// - Parameter turn: where it had better go; only for a request that ``mayGoAnywhere``.
    func event(
        defaultSource: String, now: Timestamp, turn: PartitionTurn? = nil
    ) throws(ClientError) -> TaskEvent {
        guard !task.isEmpty else { throw ClientError(.invalidRequest, "the task's name is empty") }
        if let problem = retryPolicy?.problems.first {
            throw ClientError(.invalidRequest, "retry policy: \(problem)")
        }
        if let header = headers.first(where: { Self.isReserved($0.name) }) {
            throw ClientError(
                .invalidRequest, "header \"\(header.name)\" is one of Tidemill's own; give it another name")
        }
        let source = source ?? defaultSource
        let (id, fingerprint) = try chosen(source: source, now: now, turn: turn)
        var event = TaskEvent(
            id: id, source: source, task: task, payload: payload, contentType: contentType, fingerprint: fingerprint)
        guard !event.id.isEmpty, !event.source.isEmpty else {
            throw ClientError(.invalidRequest, "source and id must not be empty")
        }
        if let key, key.isEmpty { throw ClientError(.invalidRequest, "the lane key is empty; leave it out") }
        event.publishedAt = now
        var rare = RareAttributes()
        rare.partitionKey = key
        rare.expiresAt = expiresAt
        rare.retryPolicy = retryPolicy
        rare.traceParent = traceParent
        rare.extraHeaders = headers
        event.rareAttributes = rare
        if case .at(let time) = start { event.dueAt = time }
        try checkExpiry(now: now)
        return event
    }

    /// When and how it waits in `retry`, or nil when it is due now.
    func waiting(now: Timestamp) -> WaitingEvent.Due? {
        switch start {
        case .now: nil
        case .after(let milliseconds): milliseconds <= 0 ? nil : .after(milliseconds: milliseconds)
        case .at(let time): time <= now ? nil : .at(time)
        }
    }

    /// Whether it goes, and goes now, to a partition that nothing but its id decides, and the id is not chosen yet.
    var mayGoAnywhere: Bool {
        guard case .automatic = identity, case .now = start, key == nil else { return false }
        return requestID.isOpen
    }

    private func chosen(
        source: String, now: Timestamp, turn: PartitionTurn?
    ) throws(ClientError) -> (id: String, fingerprint: Fingerprint) {
        // Where the id is chosen for a turn, its fingerprint is found on the way.
        var known: Fingerprint?
        let id = requestID.text {
            guard case .automatic = identity, let turn else { return EventID.random() }
            let chosen = EventID.random(source: source, in: turn)
            known = chosen.fingerprint
            return chosen.id
        }
        if let known { return (id, known) }
        return (id, try fingerprint(source: source, id: id, now: now))
    }

    private func fingerprint(source: String, id: String, now: Timestamp) throws(ClientError) -> Fingerprint {
        switch identity {
        case .automatic: return Fingerprint(.event(source: source, id: id))
        case .fingerprint(let fingerprint): return fingerprint
        case .idempotencyKey(let key):
            guard !key.isEmpty else { throw ClientError(.invalidRequest, "the idempotency key is empty") }
            return Fingerprint(.idempotencyKey(task: task, key: key))
        case .unique(let window):
            if let window, window <= 0 {
                throw ClientError(.invalidRequest, "the uniqueness window must be longer than nothing")
            }
            return Fingerprint(
                .unique(
                    task: task, canonicalPayload: CanonicalJSON.canonical(payload) ?? payload,
                    bucket: window.map { Fingerprint.bucket(of: now, window: $0) }))
        }
    }

    private func checkExpiry(now: Timestamp) throws(ClientError) {
        guard let expiresAt else { return }
        let dueAt =
            switch start {
            case .now: now
            case .after(let milliseconds): now + max(0, milliseconds)
            case .at(let time): max(now, time)
            }
        guard expiresAt > dueAt else {
            throw ClientError(
                .invalidRequest,
                "it would expire at \(expiresAt.rfc3339), before it is due at \(dueAt.rfc3339): it could never run")
        }
    }

    private static func isReserved(_ name: String) -> Bool {
        let name = name.lowercased()
        return name.hasPrefix("ce_") || name.hasPrefix("tidemill_") || name == "task" || name == "content-type"
    }
}
