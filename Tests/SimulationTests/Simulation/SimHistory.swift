import TaskLog
import TaskModel

/// What the log says, record by record: the truth that the checks compare with.
struct SimHistory {
    /// Coordinates that have an outcome.
    private(set) var decided: Set<Coordinate> = []
    private(set) var fold = LedgerFold()
    /// Workers that noted a start as the only suspect.
    private(set) var aloneStarts: [Coordinate: Set<String>] = [:]
    /// The highest coordinate of each work that `due` or `retry` knows.
    private(set) var latest: [Fingerprint: Coordinate] = [:]
    private(set) var accepted: Set<Fingerprint> = []
    /// Keys of `retry` without their tombstone.
    private(set) var waiting: Set<Coordinate> = []
    private(set) var letters: [DeadLetterKey: DeadLetter] = [:]
    private(set) var marks: [DeadLetterKey: DeadLetterMark.Kind] = [:]
    private(set) var schedules = SimScheduleHistory()
    private var earliest: [Coordinate: Timestamp] = [:]
    private var decidedAgain: Set<Coordinate> = []

    var openLetters: [DeadLetter] {
        let open: [DeadLetterKey] = letters.keys.filter { marks[$0] == nil }
        return open.sorted { $0.description < $1.description }.compactMap { letters[$0] }
    }

    func hasEnded(_ coordinate: Coordinate) -> Bool {
        guard let known = fold.outcome(of: coordinate.fingerprint), known.replay >= coordinate.replay else {
            return false
        }
        return known.outcome.outcomeClass != .again
    }

    mutating func add(_ record: LogRecord) -> SimViolation? {
        let names = SimWorld.names
        let place = RecordPlace(topic: record.topic, partition: record.partition, offset: record.offset)
        switch record.topic {
        case names.due("default"): return addDue(record, place)
        case names.ledger("default"):
            guard let entry = SimWorld.ledgerRecord(record) else {
                return SimViolation(rule: "every record can be read", detail: "\(place)")
            }
            _ = fold.apply(entry, time: record.timestamp)
            switch entry.body {
            case .outcome(let detail):
                decided.insert(entry.coordinate)
                if detail.outcome.outcomeClass == .again { decidedAgain.insert(entry.coordinate) }
            case .started(let alone): if alone { aloneStarts[entry.coordinate, default: []].insert(entry.worker) }
            case .leased, .released, .displaced: break
            }
        case names.retry: return addRetry(record, place)
        case names.dead:
            switch try? DeadTopicRecord(
                key: record.key, value: record.value, headers: record.headers, place: place)
            {
            case .letter(let letter):
                letters[DeadLetterKey(fingerprint: letter.event.fingerprint, replay: letter.event.replay)] = letter
            case .mark(let key, let mark): marks[key] = max(marks[key] ?? mark.kind, mark.kind)
            case nil: return SimViolation(rule: "every record can be read", detail: "\(place)")
            }
        case names.commands:
            guard
                let entry = try? CommandsTopicRecord(key: record.key, value: record.value, headers: record.headers)
            else { return SimViolation(rule: "every record can be read", detail: "\(place)") }
            schedules.add(command: entry, at: record.timestamp)
        case names.schedules:
            guard let entry = try? SchedulesTopicRecord(key: record.key, value: record.value) else {
                return SimViolation(rule: "every record can be read", detail: "\(place)")
            }
            schedules.add(entry, by: SchedulesTopicRecord.writer(in: record.headers), at: record.timestamp)
        case names.journal:
            guard let entry = try? JournalEntry(key: record.key, value: record.value) else {
                return SimViolation(rule: "every record can be read", detail: "\(place)")
            }
            schedules.add(entry)
        default: break
        }
        return nil
    }

    private mutating func addDue(_ record: LogRecord, _ place: RecordPlace) -> SimViolation? {
        guard
            let event = try? TaskEvent(
                key: record.key, value: record.value, headers: record.headers, place: place)
        else { return SimViolation(rule: "every record can be read", detail: "\(place)") }
        accept(event)
        schedules.add(due: event, at: record.timestamp)
        if let time = earliest[event.coordinate], record.timestamp < time {
            return SimViolation(
                rule: "no retry is emitted before its time",
                detail: "\(event.coordinate) \(time - record.timestamp) ms early")
        }
        if event.turn > 1, earliest[event.coordinate] == nil {
            return SimViolation(rule: "a later turn comes from retry", detail: "\(event.coordinate)")
        }
        return nil
    }

    private mutating func addRetry(_ record: LogRecord, _ place: RecordPlace) -> SimViolation? {
        guard case .emission(let coordinate)? = RetryKey(record.key) else { return nil }
        guard record.value != nil else {
            waiting.remove(coordinate)
            return nil
        }
        guard
            let event = try? WaitingEvent(
                key: record.key, value: record.value, headers: record.headers, place: place)
        else { return SimViolation(rule: "every record can be read", detail: "\(place)") }
        waiting.insert(coordinate)
        accept(event.event)
        let due = event.dueTime(recordedAt: record.timestamp)
        earliest[coordinate] = min(earliest[coordinate] ?? due, due)
        guard coordinate.turn > 1 else { return nil }
        var previous = coordinate
        previous.turn -= 1
        guard decidedAgain.contains(previous) else {
            return SimViolation(rule: "decide comes before do", detail: "\(coordinate) waits without a decision")
        }
        return nil
    }

    private mutating func accept(_ event: TaskEvent) {
        accepted.insert(event.fingerprint)
        latest[event.fingerprint] = max(latest[event.fingerprint] ?? event.coordinate, event.coordinate)
    }
}
