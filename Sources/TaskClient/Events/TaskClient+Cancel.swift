internal import TaskLog
public import TaskModel

/// What became of a request to cancel.
public enum CancelResult: Hashable, Sendable {
    /// It will not start any more; an attempt that runs is asked to stop. Work that completes all the same stays completed.
    case cancelled(Coordinate)
    /// There was nothing left to cancel.
    case alreadyEnded(EventStory.State)
    /// The log keeps nothing of this fingerprint.
    case unknown
}

extension TaskClient {
    /// Ends an event as cancelled: in the ledger, where its worker sees it, and in `retry`, where its waiting turns are
    /// dropped. Done again it changes nothing.
    ///
    /// `queue` and `key` are as in ``story(of:queue:key:)``. `author` and `reason` go to the ledger, the marker and the journal.
    public func cancel(
        _ fingerprint: Fingerprint, queue: String? = nil, key: String? = nil, author: String, reason: String
    ) async throws(ClientError) -> CancelResult {
        let story = try await story(of: fingerprint, queue: queue, key: key)
        guard let latest = story.latest else { return .unknown }
        if story.hasEnded { return .alreadyEnded(story.state) }
        guard let event = story.event else {
            throw ClientError(
                .refused,
                "the ledger knows event \(fingerprint), but no record of the event itself is kept: "
                    + "its queue and lane cannot be told; name them")
        }
        let recordKey = TaskEvent.recordKey(lane: event.key, fingerprint)
        let now = time.now()
        let decision = LedgerRecord(
            coordinate: latest, attempt: event.attempt,
            laneHash: event.key.map { Murmur2.hash($0) }, worker: author,
            body: .outcome(OutcomeDetail(.cancelled, endedAt: now, code: "cancelled", message: reason)))
        let ledger = try await partition(of: recordKey, in: names.ledger(event.queue))
        let retry = try await partition(of: fingerprint.bytes, in: names.retry)
        let marker = LogAppend(
            RetryKey.cancelMarker(fingerprint, replay: latest.replay, by: author, reason: reason, at: now), to: retry)
        // First the decision, then its effect: a crash between them leaves a waiting turn that its worker drops as stale.
        try await append(
            [
                LogAppend(
                    topic: ledger.topic, partition: ledger.partition, key: fingerprint.bytes,
                    value: decision.encoded())
            ], while: "cancelling \(fingerprint)")
        try await append([marker], while: "marking the cancel of \(fingerprint) in \(retry.topic)")
        try await journal([
            JournalEntry(
                subject: fingerprint.hex, kind: .cancelled, at: now, author: author, reason: reason,
                fingerprint: fingerprint)
        ])
        return .cancelled(latest)
    }
}
