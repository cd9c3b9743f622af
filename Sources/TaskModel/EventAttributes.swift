/// The attributes of one record, by name, where they lie in its headers: texts are made of what an event keeps as text,
/// and of nothing else.
struct EventAttributes {
    /// The attributes that have a meaning here.
    enum Name: Int, CaseIterable {
        case fingerprint, specVersion, id, source, type, subject, time, contentType, replay, turn, attempt, dueAt
        // From here on what most events lack: see `isRare`.
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

        var isRare: Bool { rawValue >= Name.firstDueAt.rawValue }
    }

    /// What a header is to an event.
    private enum Kind {
        case known(Name)
        /// An attribute of somebody else's.
        case other
        /// No attribute at all.
        case extra
    }

    /// The names by their length: few share one, so a look-up compares and never hashes.
    private static let names: [[(header: [UInt8], name: Name)]] = {
        let longest = Name.allCases.map(\.header.utf8.count).max() ?? 0
        var names = [[(header: [UInt8], name: Name)]](repeating: [], count: longest + 1)
        for name in Name.allCases { names[name.header.utf8.count].append((Array(name.header.utf8), name)) }
        return names
    }()

    private let headers: RecordHeaders
    /// Where the value of each attribute lies among the headers: its place and one more than its bytes; 0 for none.
    private var places = SIMD32<UInt64>()
    private var hasRare = false
    private var others: [RecordHeader] = []
    /// Headers that are no attributes.
    private var extra: [RecordHeader] = []
    /// The first attribute that is not text.
    private(set) var unreadable: String?

    /// The last one of a name counts.
    init(_ headers: RecordHeaders) {
        self.headers = headers
        headers.forEachPart { name, value, start in
            let kind = Self.kind(of: name)
            if case .extra = kind { return extra.append(RecordHeader(name, value)) }
            guard let value, value.isText else {
                unreadable = unreadable ?? String(decoding: name, as: UTF8.self)
                return
            }
            switch kind {
            case .known(let name):
                places[name.rawValue] = UInt64(start) << 32 | UInt64(value.count + 1)
                if name.isRare { hasRare = true }
            case .other:
                let header = RecordHeader(name, value)
                others.removeAll { $0.name == header.name }
                others.append(header)
            case .extra: break
            }
        }
    }

    private static func kind(of header: UnsafeRawBufferPointer) -> Kind {
        if header.count < names.count {
            for candidate in names[header.count] where header.equals(candidate.header) {
                return .known(candidate.name)
            }
        }
        if header.starts(with: CloudEventHeader.prefix.utf8) { return .other }
        guard header.count == CloudEventHeader.contentType.utf8.count else { return .extra }
        return String(decoding: header, as: UTF8.self).lowercased() == CloudEventHeader.contentType
            ? .known(.contentType) : .extra
    }

    func has(_ name: Name) -> Bool { places[name.rawValue] != 0 }

    private func value<Value>(_ name: Name, _ body: (UnsafeRawBufferPointer) -> Value) -> Value? {
        let place = places[name.rawValue]
        guard place != 0 else { return nil }
        let start = Int(place >> 32)
        let end = start + Int(place & 0xffff_ffff) - 1
        return headers.block.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[start..<end])) }
    }

    private static let json = "application/json"
    private static let jsonBytes = Array(json.utf8)

    var contentType: String? {
        // Almost all say this, and a literal costs nothing.
        value(.contentType) { $0.equals(Self.jsonBytes) ? Self.json : String(decoding: $0, as: UTF8.self) }
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
        if has(.fingerprint) {
            guard let value = value(.fingerprint, { Fingerprint(hex: $0) }) ?? nil else {
                throw problem(.fingerprint, "32 hex digits")
            }
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
        event.publishedAt = try time(.time)
        event.dueAt = try time(.dueAt)
        guard event.turn > 0, event.attempt > 0 else { throw Self.countsFromOne }
        if hasRare || !others.isEmpty || !extra.isEmpty { event.rareAttributes = try rareAttributes() }
        return event
    }

    private static let countsFromOne = EventDecodingError(
        "headers ce_turn, ce_attempt, ce_standsfor and ce_overlaplimit count from 1")

    private func rareAttributes() throws(EventDecodingError) -> RareAttributes {
        var rare = RareAttributes()
        rare.standsFor = try number(.standsFor) ?? 1
        rare.firstDueAt = try time(.firstDueAt)
        rare.expiresAt = try time(.expiresAt)
        rare.nominalTime = try time(.nominalTime)
        rare.partitionKey = text(.partitionKey)
        rare.traceParent = text(.traceParent)
        rare.scheduleID = text(.scheduleID)
        rare.isForwarded = flag(.forwarded)
        rare.pausesOnFailure = flag(.pausesOnFailure)
        rare.retryPolicy = try json(.retryPolicy)
        rare.history = try json(.history) ?? FailureHistory()
        if let text = text(.overlap) {
            guard let rule = OverlapRule(rawValue: text) else {
                let known = OverlapRule.allCases.map(\.rawValue).joined(separator: ", ")
                throw EventDecodingError("header ce_overlap is \"\(text)\"; known are \(known)")
            }
            rare.overlap = rule
        }
        rare.overlapLimit = try number(.overlapLimit)
        guard rare.standsFor > 0, rare.overlapLimit != 0 else { throw Self.countsFromOne }
        if let policy = rare.retryPolicy, let problem = policy.problems.first {
            throw EventDecodingError("header ce_retrypolicy: \(problem)")
        }
        rare.extraHeaders = others.sorted { $0.name < $1.name } + extra
        return rare
    }

    private func flag(_ name: Name) -> Bool { text(name).map { $0 == "1" || $0 == "true" } ?? false }

    private func text(_ name: Name) -> String? { value(name) { String(decoding: $0, as: UTF8.self) } }

    private func problem(_ name: Name, _ rule: String) -> EventDecodingError {
        EventDecodingError("header \(name.header) is \"\((text(name) ?? "").prefix(64))\"; it must be \(rule)")
    }

    private func number(_ name: Name) throws(EventDecodingError) -> UInt32? {
        guard let text = text(name) else { return nil }
        // CloudEvents' integers end at 2³¹ - 1. So a next turn always exists, whatever a record claims.
        guard let value = UInt32(text), value <= Int32.max else {
            throw problem(name, "a whole number up to \(Int32.max)")
        }
        return value
    }

    private func time(_ name: Name) throws(EventDecodingError) -> Timestamp? {
        guard let value = value(name, { Timestamp(rfc3339: $0) }) else { return nil }
        guard let value else { throw problem(name, "an RFC 3339 date-time") }
        return value
    }

    private func json<Value: Decodable>(_ name: Name) throws(EventDecodingError) -> Value? {
        guard let bytes = value(name, { Array($0) }) else { return nil }
        guard let value = try? CanonicalJSON.decode(Value.self, from: bytes) else {
            throw EventDecodingError("header \(name.header) is not the JSON that it must hold")
        }
        return value
    }
}

extension UnsafeRawBufferPointer {
    /// Word by word.
    fileprivate func equals(_ bytes: [UInt8]) -> Bool {
        guard count == bytes.count else { return false }
        return bytes.withUnsafeBytes { other in
            var index = 0
            while index + 8 <= count {
                guard
                    loadUnaligned(fromByteOffset: index, as: UInt64.self)
                        == other.loadUnaligned(fromByteOffset: index, as: UInt64.self)
                else { return false }
                index += 8
            }
            while index < count {
                guard self[index] == other[index] else { return false }
                index += 1
            }
            return true
        }
    }

    /// Whether they are UTF-8. ASCII, which almost all of it is, is seen without making a text.
    var isText: Bool {
        var all: UInt64 = 0
        var index = 0
        while index + 8 <= count {
            all |= loadUnaligned(fromByteOffset: index, as: UInt64.self)
            index += 8
        }
        while index < count {
            all |= UInt64(self[index])
            index += 1
        }
        return all & 0x8080_8080_8080_8080 == 0 || String(validating: self, as: UTF8.self) != nil
    }
}
