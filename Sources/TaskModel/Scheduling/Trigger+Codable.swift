/// JSON of version 1, one object per kind: see `schemas/schedule-trigger-v1.schema.json`. Instants are milliseconds since
/// the epoch. Members that have their default are left out; parts of a trigger carry the version too.
extension Trigger: Codable {
    static let formatVersion = 1

    private enum CodingKeys: String, CodingKey {
        case version, kind, at, anchor, dialect, expression, timezone, spread, gap, overlap
        case first, repetitions, unit, start, time, triggers, of, exclusions, every
        case everyMilliseconds = "every_ms"
        case delay = "delay_ms"
    }

    private enum Kind: String, Codable {
        case interval, at, cron, calendar, never, except
        case anyOf = "any_of"
        case allOf = "all_of"
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let version = try container.decode(Int.self, forKey: .version)
        guard version == Self.formatVersion else {
            throw DecodingError.dataCorruptedError(
                forKey: .version, in: container,
                debugDescription: "trigger version \(version); version \(Self.formatVersion) is read")
        }
        do {
            self = try Self.read(try container.decode(Kind.self, forKey: .kind), container)
            if let problem { throw problem }
        } catch let error as TriggerError {
            throw DecodingError.dataCorruptedError(
                forKey: .kind, in: container, debugDescription: error.description)
        }
    }

    private static func read(_ kind: Kind, _ container: KeyedDecodingContainer<CodingKeys>) throws -> Trigger {
        func value<Value: Decodable>(_ key: CodingKeys) throws -> Value {
            try container.decode(Value.self, forKey: key)
        }
        func optional<Value: Decodable>(_ key: CodingKeys) throws -> Value? {
            try container.decodeIfPresent(Value.self, forKey: key)
        }
        switch kind {
        case .interval:
            return .interval(
                IntervalTrigger(
                    milliseconds: try value(.everyMilliseconds), anchor: try optional(.anchor),
                    delay: try optional(.delay) ?? 0, first: try optional(.first) ?? .immediately,
                    repetitions: try optional(.repetitions)))
        case .at: return .at(try container.decode(Timestamp.self, forKey: .at))
        case .cron:
            return try .cron(
                try value(.expression), zone: try value(.timezone), dialect: try value(.dialect),
                spread: try optional(.spread),
                changes: ClockChanges(gap: try optional(.gap), overlap: try optional(.overlap)))
        case .calendar:
            return .calendar(
                try CalendarTrigger(
                    every: try value(.every), try value(.unit), from: try value(.start), at: try value(.time),
                    zone: try value(.timezone),
                    changes: ClockChanges(gap: try optional(.gap), overlap: try optional(.overlap))))
        case .anyOf: return .anyOf(try value(.triggers))
        case .allOf: return .allOf(try value(.triggers))
        case .except: return .except(try value(.of), try value(.exclusions))
        case .never: return .never
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(Self.formatVersion, forKey: .version)
        try container.encode(kind, forKey: .kind)
        switch self {
        case .interval(let interval):
            try container.encode(interval.milliseconds, forKey: .everyMilliseconds)
            try container.encodeIfPresent(interval.anchor, forKey: .anchor)
            if interval.delay != 0 { try container.encode(interval.delay, forKey: .delay) }
            if interval.first != .immediately { try container.encode(interval.first, forKey: .first) }
            try container.encodeIfPresent(interval.repetitions, forKey: .repetitions)
        case .at(let time): try container.encode(time, forKey: .at)
        case .cron(let cron):
            try container.encode(cron.dialect, forKey: .dialect)
            try container.encode(cron.expression.source, forKey: .expression)
            try container.encode(cron.zone.identifier, forKey: .timezone)
            try container.encodeIfPresent(cron.expression.spread, forKey: .spread)
            try Self.encode(cron.changes, to: &container)
        case .calendar(let calendar):
            try container.encode(calendar.every, forKey: .every)
            try container.encode(calendar.unit, forKey: .unit)
            try container.encode(calendar.start, forKey: .start)
            try container.encode(calendar.time, forKey: .time)
            try container.encode(calendar.zone.identifier, forKey: .timezone)
            try Self.encode(calendar.changes, to: &container)
        case .anyOf(let triggers), .allOf(let triggers): try container.encode(triggers, forKey: .triggers)
        case .except(let trigger, let exclusions):
            try container.encode(trigger, forKey: .of)
            try container.encode(exclusions, forKey: .exclusions)
        case .never: break
        }
    }

    private static func encode(
        _ changes: ClockChanges, to container: inout KeyedEncodingContainer<CodingKeys>
    ) throws {
        try container.encodeIfPresent(changes.gap, forKey: .gap)
        try container.encodeIfPresent(changes.overlap, forKey: .overlap)
    }

    private var kind: Kind {
        switch self {
        case .interval: .interval
        case .at: .at
        case .cron: .cron
        case .calendar: .calendar
        case .anyOf: .anyOf
        case .allOf: .allOf
        case .except: .except
        case .never: .never
        }
    }
}

/// `{"dates":["2026-12-25"],"timezone":"Europe/Berlin"}`, `{"from":…,"until":…}` or `{"trigger":{…}}`.
extension Exclusion: Codable {
    private enum CodingKeys: String, CodingKey {
        case dates, timezone, from, until, trigger
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        if let dates = try container.decodeIfPresent([LocalDate].self, forKey: .dates) {
            let name = try container.decode(String.self, forKey: .timezone)
            do {
                self = .dates(Set(dates), zone: try ZoneTable(name))
            } catch {
                throw DecodingError.dataCorruptedError(
                    forKey: .timezone, in: container, debugDescription: "\(error)")
            }
        } else if let trigger = try container.decodeIfPresent(Trigger.self, forKey: .trigger) {
            self = .trigger(trigger)
        } else {
            self = .range(
                from: try container.decode(Timestamp.self, forKey: .from),
                until: try container.decode(Timestamp.self, forKey: .until))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        switch self {
        case .dates(let dates, let zone):
            try container.encode(dates.sorted(), forKey: .dates)
            try container.encode(zone.identifier, forKey: .timezone)
        case .range(let from, let until):
            try container.encode(from, forKey: .from)
            try container.encode(until, forKey: .until)
        case .trigger(let trigger): try container.encode(trigger, forKey: .trigger)
        }
    }
}
