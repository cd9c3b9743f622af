/// The attributes of one record, by name, as the bytes that lie in it: texts are made of what an event keeps as text, and
/// of nothing else.
struct EventAttributes {
    /// The attributes that have a meaning here.
    enum Name: Int, CaseIterable {
        case fingerprint, specVersion, id, source, type, subject, time, contentType, replay, turn, attempt, dueAt
        case firstDueAt, expiresAt, partitionKey, traceParent, scheduleID, nominalTime, standsFor, overlap, retryPolicy
        case history, forwarded, task, overlapLimit, pausesOnFailure

        var header: String {
            switch self {
            case .fingerprint: CloudEventHeader.fingerprint
            case .specVersion: CloudEventHeader.specVersion
            case .id: CloudEventHeader.id
            case .source: CloudEventHeader.source
            case .type: CloudEventHeader.type
            case .subject: CloudEventHeader.subject
            case .time: CloudEventHeader.time
            case .contentType: CloudEventHeader.contentType
            case .replay: CloudEventHeader.replay
            case .turn: CloudEventHeader.turn
            case .attempt: CloudEventHeader.attempt
            case .dueAt: CloudEventHeader.dueAt
            case .firstDueAt: CloudEventHeader.firstDueAt
            case .expiresAt: CloudEventHeader.expiresAt
            case .partitionKey: CloudEventHeader.partitionKey
            case .traceParent: CloudEventHeader.traceParent
            case .scheduleID: CloudEventHeader.scheduleID
            case .nominalTime: CloudEventHeader.nominalTime
            case .standsFor: CloudEventHeader.standsFor
            case .overlap: CloudEventHeader.overlap
            case .overlapLimit: CloudEventHeader.overlapLimit
            case .pausesOnFailure: CloudEventHeader.pausesOnFailure
            case .retryPolicy: CloudEventHeader.retryPolicy
            case .history: CloudEventHeader.history
            case .forwarded: CloudEventHeader.forwarded
            case .task: CloudEventHeader.task
            }
        }
    }

    /// Where an attribute is kept.
    enum Place {
        case known(Name)
        /// An attribute of somebody else's.
        case other
    }

    private struct Values {
        private var values = [[UInt8]?](repeating: nil, count: Name.allCases.count)

        subscript(name: Name) -> [UInt8]? {
            get { values[name.rawValue] }
            set { values[name.rawValue] = newValue }
        }
    }

    /// The names by their length: few share one, so a look-up compares and never hashes.
    private static let names: [[(header: String, name: Name)]] = {
        let longest = Name.allCases.map(\.header.utf8.count).max() ?? 0
        var names = [[(header: String, name: Name)]](repeating: [], count: longest + 1)
        for name in Name.allCases { names[name.header.utf8.count].append((name.header, name)) }
        return names
    }()

    private var values = Values()
    private var others: [RecordHeader] = []

    /// Nil for a header that is no attribute of an event.
    static func place(of header: String) -> Place? {
        let length = header.utf8.count
        if length < names.count {
            for candidate in names[length] where candidate.header == header { return .known(candidate.name) }
        }
        if header.hasPrefix(CloudEventHeader.prefix) { return .other }
        return header.lowercased() == CloudEventHeader.contentType ? .known(.contentType) : nil
    }

    /// The last one of a name counts.
    mutating func set(_ place: Place, _ header: String, _ value: [UInt8]) {
        switch place {
        case .known(let name): values[name] = value
        case .other:
            others.removeAll { $0.name == header }
            others.append(RecordHeader(header, value))
        }
    }

    /// An attribute as a structured event names it.
    mutating func set(extension name: String, _ text: String) {
        let header = CloudEventHeader.prefix + name
        if let place = Self.place(of: header) { set(place, header, Array(text.utf8)) }
    }

    private static let json = Array("application/json".utf8)

    var contentType: String? {
        guard let value = values[.contentType] else { return nil }
        // Almost all say this, and a literal costs nothing.
        return value == Self.json ? "application/json" : String(decoding: value, as: UTF8.self)
    }

    func event(
        payload: [UInt8], place: RecordPlace, mayLackTask: Bool = false
    ) throws(EventDecodingError) -> TaskEvent {
        guard let task = text(.subject) ?? text(.task), mayLackTask || !task.isEmpty else {
            throw EventDecodingError("no header ce_subject: it names the task to run")
        }
        if let version = text(.specVersion), version != "1.0" {
            throw EventDecodingError("header ce_specversion is \"\(version)\"; 1.0 is read")
        }
        let id = text(.id)
        let source = text(.source)
        let fingerprint: Fingerprint
        if let bytes = values[.fingerprint] {
            guard let value = Fingerprint(hex: bytes) else { throw Self.problem(.fingerprint, bytes, "32 hex digits") }
            fingerprint = value
        } else if let id, let source {
            fingerprint = Fingerprint(.event(source: source, id: id))
        } else {
            fingerprint = Fingerprint(.place(topic: place.topic, partition: place.partition, offset: place.offset))
        }
        var event = TaskEvent(
            id: id ?? place.description, source: source ?? "kafka", task: task, payload: payload,
            fingerprint: fingerprint)
        event.replay = try number(.replay) ?? 0
        event.turn = try number(.turn) ?? 1
        event.attempt = try number(.attempt) ?? 1
        event.standsFor = try number(.standsFor) ?? 1
        event.publishedAt = try time(.time)
        event.dueAt = try time(.dueAt)
        event.firstDueAt = try time(.firstDueAt)
        event.expiresAt = try time(.expiresAt)
        event.nominalTime = try time(.nominalTime)
        event.partitionKey = text(.partitionKey)
        event.traceParent = text(.traceParent)
        event.scheduleID = text(.scheduleID)
        event.isForwarded = flag(.forwarded)
        event.pausesOnFailure = flag(.pausesOnFailure)
        event.retryPolicy = try json(.retryPolicy)
        event.history = try json(.history) ?? FailureHistory()
        if let text = text(.overlap) {
            guard let rule = OverlapRule(rawValue: text) else {
                let known = OverlapRule.allCases.map(\.rawValue).joined(separator: ", ")
                throw EventDecodingError("header ce_overlap is \"\(text)\"; known are \(known)")
            }
            event.overlap = rule
        }
        event.overlapLimit = try number(.overlapLimit)
        guard event.turn > 0, event.attempt > 0, event.standsFor > 0, event.overlapLimit != 0 else {
            throw EventDecodingError("headers ce_turn, ce_attempt, ce_standsfor and ce_overlaplimit count from 1")
        }
        if let policy = event.retryPolicy, let problem = policy.problems.first {
            throw EventDecodingError("header ce_retrypolicy: \(problem)")
        }
        event.extraHeaders = others.sorted { $0.name < $1.name }
        return event
    }

    private func flag(_ name: Name) -> Bool { text(name).map { $0 == "1" || $0 == "true" } ?? false }

    private func text(_ name: Name) -> String? { values[name].map { String(decoding: $0, as: UTF8.self) } }

    private static func problem(_ name: Name, _ value: [UInt8], _ rule: String) -> EventDecodingError {
        let text = String(decoding: value, as: UTF8.self)
        return EventDecodingError("header \(name.header) is \"\(text.prefix(64))\"; it must be \(rule)")
    }

    private func number(_ name: Name) throws(EventDecodingError) -> UInt32? {
        guard let bytes = values[name] else { return nil }
        // CloudEvents' integers end at 2³¹ - 1. So a next turn always exists, whatever a record claims.
        guard let value = UInt32(String(decoding: bytes, as: UTF8.self)), value <= Int32.max else {
            throw Self.problem(name, bytes, "a whole number up to \(Int32.max)")
        }
        return value
    }

    private func time(_ name: Name) throws(EventDecodingError) -> Timestamp? {
        guard let bytes = values[name] else { return nil }
        guard let value = Timestamp(rfc3339: bytes) else { throw Self.problem(name, bytes, "an RFC 3339 date-time") }
        return value
    }

    private func json<Value: Decodable>(_ name: Name) throws(EventDecodingError) -> Value? {
        guard let bytes = values[name] else { return nil }
        guard let value = try? CanonicalJSON.decode(Value.self, from: bytes) else {
            throw EventDecodingError("header \(name.header) is not the JSON that it must hold")
        }
        return value
    }
}

extension [UInt8] {
    /// Whether they are UTF-8. ASCII, which almost all of it is, is seen without making a text.
    var isText: Bool {
        let isASCII = withUnsafeBytes { bytes in
            var all: UInt64 = 0
            var index = 0
            while index + 8 <= bytes.count {
                all |= bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
                index += 8
            }
            while index < bytes.count {
                all |= UInt64(bytes[index])
                index += 1
            }
            return all & 0x8080_8080_8080_8080 == 0
        }
        return isASCII || String(validating: self, as: UTF8.self) != nil
    }
}
