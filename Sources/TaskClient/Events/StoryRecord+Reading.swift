internal import TaskLog
internal import TaskModel

/// Readers of the topics that may speak of one event: nil for records of other events, and for what cannot be read.
extension StoryRecord {
    static func due(_ record: LogRecord, queue: String, fingerprint: Fingerprint) -> StoryRecord? {
        guard let event = event(record, fingerprint: fingerprint) else { return nil }
        return StoryRecord(record, .due(EventSummary(event, queue: queue)))
    }

    static func ledger(_ record: LogRecord, fingerprint: Fingerprint) -> StoryRecord? {
        guard record.key == fingerprint.bytes, let entry = LedgerRecord(key: record.key, value: record.value) else {
            return nil
        }
        return StoryRecord(record, .ledger(entry))
    }

    static func retry(_ record: LogRecord, fingerprint: Fingerprint) -> StoryRecord? {
        guard let key = RetryKey(record.key), key.fingerprint == fingerprint else { return nil }
        switch key {
        case .cancel(_, let replay):
            return record.value == nil ? nil : StoryRecord(record, .cancelMarker(replay: replay))
        case .emission(let coordinate):
            guard record.value != nil else { return StoryRecord(record, .retryTombstone(coordinate)) }
            guard
                let waiting = try? WaitingEvent(
                    key: record.key, value: record.value, headers: record.headers, place: record.place)
            else { return nil }
            return StoryRecord(record, .waiting(EventSummary(waiting.event, queue: waiting.queue), waiting.due))
        }
    }

    static func dead(_ record: LogRecord, fingerprint: Fingerprint) -> StoryRecord? {
        guard DeadLetterKey(record.key)?.fingerprint == fingerprint,
            let entry = try? DeadTopicRecord(
                key: record.key, value: record.value, headers: record.headers, place: record.place)
        else { return nil }
        switch entry {
        case .mark(let key, let mark): return StoryRecord(record, .mark(key, mark))
        case .letter(let letter):
            return StoryRecord(
                record,
                .letter(
                    EventSummary(letter.event, queue: letter.queue), letter.reason,
                    lastFailure: letter.event.history.last))
        }
    }

    /// An entry about this event: under its fingerprint, or naming it under another subject.
    static func journal(_ record: LogRecord, fingerprint: Fingerprint) -> StoryRecord? {
        guard let entry = try? JournalEntry(key: record.key, value: record.value),
            entry.subject == fingerprint.hex || entry.fingerprint == fingerprint
        else { return nil }
        return StoryRecord(record, .journal(entry))
    }

    /// The event of a due record if it is the one looked for. Most records say their fingerprint in a header, so that
    /// only those of foreign publishers are decoded to find out.
    static func event(_ record: LogRecord, fingerprint: Fingerprint) -> TaskEvent? {
        if let named = record.headers.last(named: "ce_fingerprint")?.text {
            guard named.lowercased() == fingerprint.hex else { return nil }
        }
        guard
            let event = try? TaskEvent(
                key: record.key, value: record.value, headers: record.headers, place: record.place),
            event.fingerprint == fingerprint
        else { return nil }
        return event
    }

    private init(_ record: LogRecord, _ body: Body) {
        self.init(at: record.timestamp, place: record.place, body: body)
    }
}
