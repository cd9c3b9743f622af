/// JSON of version 1: `{"version":1,"kind":"interval","every_ms":…,"anchor":…}`, `{…"kind":"at","at":…}`,
/// `{…"kind":"cron","dialect":"unix","expression":"…","timezone":"…"}`. Instants are milliseconds since the epoch.
extension Trigger: Codable {
    static let formatVersion = 1

    private enum CodingKeys: String, CodingKey {
        case version, kind, at, anchor, dialect, expression, timezone
        case every = "every_ms"
    }

    private enum Kind: String, Codable {
        case interval, at, cron
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
            switch try container.decode(Kind.self, forKey: .kind) {
            case .interval:
                self = try .every(
                    milliseconds: try container.decode(Int64.self, forKey: .every),
                    anchor: try container.decodeIfPresent(Timestamp.self, forKey: .anchor))
            case .at:
                self = .at(try container.decode(Timestamp.self, forKey: .at))
            case .cron:
                self = .cron(
                    try CronTrigger(
                        try container.decode(String.self, forKey: .expression),
                        zone: try container.decode(String.self, forKey: .timezone),
                        dialect: try container.decode(CronTrigger.Dialect.self, forKey: .dialect)))
            }
        } catch let error as TriggerError {
            throw DecodingError.dataCorruptedError(
                forKey: .kind, in: container, debugDescription: error.description)
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(Self.formatVersion, forKey: .version)
        switch self {
        case .interval(let length, let anchor):
            try container.encode(Kind.interval, forKey: .kind)
            try container.encode(length, forKey: .every)
            try container.encodeIfPresent(anchor, forKey: .anchor)
        case .at(let time):
            try container.encode(Kind.at, forKey: .kind)
            try container.encode(time, forKey: .at)
        case .cron(let cron):
            try container.encode(Kind.cron, forKey: .kind)
            try container.encode(cron.dialect, forKey: .dialect)
            try container.encode(cron.expression.source, forKey: .expression)
            try container.encode(cron.zone.identifier, forKey: .timezone)
        }
    }
}
