internal import TaskLog
public import TaskModel

/// What became of a request to run a past event again.
public enum EventReplayResult: Hashable, Sendable {
    case replayed(Coordinate, RecordPlace)
    /// It has not ended: there is nothing to repeat yet.
    case notEnded(EventStory.State)
    /// The log keeps nothing of this fingerprint.
    case unknown
}

extension TaskClient {
    /// Sends an event that has ended back to its queue, whatever its end: same fingerprint, the next replay number.
    ///
    /// The number is counted from what the log knows, so two people who replay at once make one run; an open dead letter
    /// of the event is marked as replayed. For many letters there is ``replay(_:order:progress:)``.
    /// Throws `refused` when no record with the payload is kept any more. `queue` and `key` are as in
    /// ``story(of:queue:key:)``.
    public func replay(
        event fingerprint: Fingerprint, queue: String? = nil, key: String? = nil, author: String, reason: String
    ) async throws(ClientError) -> EventReplayResult {
        let story = try await story(of: fingerprint, queue: queue, key: key)
        guard let latest = story.latest else { return .unknown }
        guard story.hasEnded else { return .notEnded(story.state) }
        let now = time.now()
        guard let carrier = story.entries.last(where: \.fact.isCopy), case .due(let summary) = carrier.fact,
            let event = try await event(at: carrier.place, fingerprint)
        else {
            throw ClientError(
                .refused, "no record with the payload of event \(fingerprint) is kept any more: publish it anew")
        }
        let replayed = try event.replayed(as: latest.replay + 1, now: now)
        let place = try await partition(of: replayed.recordKey, in: names.due(summary.queue))
        let receipt = try await append(
            [LogAppend(replayed.encoded(), to: place)], while: "replaying event \(fingerprint)")[0]
        if case .dead(_, .open) = story.state { try await markReplayed(fingerprint, latest.replay, author, reason) }
        try await journal([
            JournalEntry(
                subject: fingerprint.hex, kind: .replayed, at: now, author: author, reason: reason,
                fingerprint: fingerprint)
        ])
        return .replayed(
            replayed.coordinate,
            RecordPlace(topic: place.topic, partition: place.partition, offset: receipt.offset))
    }

    private func event(at place: RecordPlace, _ fingerprint: Fingerprint) async throws(ClientError) -> TaskEvent? {
        let partition = TopicPartition(place.topic, place.partition)
        let found = try await collect(
            partition, from: place.offset, to: place.offset + 1, while: "reading event \(fingerprint)"
        ) { $0.offset == place.offset ? StoryRecord.event($0, fingerprint: fingerprint) : nil }
        return found.first
    }

    /// As for a replayed letter: the event is in its queue, then the letter is marked.
    private func markReplayed(
        _ fingerprint: Fingerprint, _ replay: UInt32, _ author: String, _ reason: String
    ) async throws(ClientError) {
        let mark = DeadTopicRecord.mark(
            DeadLetterKey(fingerprint: fingerprint, replay: replay),
            DeadLetterMark(kind: .replayed, by: author, reason: reason, at: time.now()))
        let place = try await partition(of: fingerprint.bytes, in: names.dead)
        try await append([LogAppend(mark.encoded(), to: place)], while: "marking the dead letter of \(fingerprint)")
    }
}

extension EventStory.Fact {
    /// A record of a queue: it carries the event with its payload.
    fileprivate var isCopy: Bool { if case .due = self { true } else { false } }
}
