import Foundation

/// JSON of `schemas/schedule-spec-v1.schema.json`: instants and durations are milliseconds, the payload is base64.
/// Members that have their default are left out; reading fills them in.
extension ScheduleSpec: Codable {
    static let formatVersion = 1

    private enum CodingKeys: String, CodingKey {
        case version, id, task, queue, trigger, payload, key, overlap
        case jitter = "jitter_ms"
        case start, end, pause, origin
        case triggerText = "trigger_text"
        case contentType = "content_type"
        case maxInstances = "max_instances"
        case maxBuffered = "max_buffered"
        case pausesOnFailure = "pause_on_failure"
        case catchUp = "catch_up"
        case maxAge = "max_age_ms"
        case maxCount = "max_count"
        case catchUpSpacing = "catch_up_spacing_ms"
        case maxRuns = "max_runs"
        case expiry = "expiry_ms"
        case retryPolicy = "retry"
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let version = try container.decode(Int.self, forKey: .version)
        guard version == Self.formatVersion else {
            throw DecodingError.dataCorruptedError(
                forKey: .version, in: container,
                debugDescription: "schedule version \(version); version \(Self.formatVersion) is read")
        }
        let originText = try container.decode(String.self, forKey: .origin)
        guard let origin = ScheduleOrigin(originText) else {
            throw DecodingError.dataCorruptedError(
                forKey: .origin, in: container, debugDescription: "origin is file:<name>, cli or api")
        }
        let fallback = ScheduleSpec(
            id: try container.decode(String.self, forKey: .id), task: try container.decode(String.self, forKey: .task),
            trigger: try container.decode(Trigger.self, forKey: .trigger), origin: origin)
        self = fallback
        func optional<Value: Decodable>(_ key: CodingKeys) throws -> Value? {
            try container.decodeIfPresent(Value.self, forKey: key)
        }
        queue = try optional(.queue) ?? fallback.queue
        triggerText = try optional(.triggerText) ?? fallback.triggerText
        payload = (try optional(.payload) as Data?).map { [UInt8]($0) } ?? []
        contentType = try optional(.contentType)
        key = try optional(.key) ?? fallback.key
        overlap = try optional(.overlap) ?? fallback.overlap
        maxInstances = try optional(.maxInstances)
        maxBuffered = try optional(.maxBuffered)
        pausesOnFailure = try optional(.pausesOnFailure) ?? fallback.pausesOnFailure
        catchUp = try optional(.catchUp) ?? fallback.catchUp
        maxAge = try optional(.maxAge) ?? fallback.maxAge
        maxCount = try optional(.maxCount) ?? fallback.maxCount
        catchUpSpacing = try optional(.catchUpSpacing) ?? fallback.catchUpSpacing
        maxRuns = try optional(.maxRuns)
        jitter = try optional(.jitter) ?? fallback.jitter
        start = try optional(.start)
        end = try optional(.end)
        expiry = try optional(.expiry)
        retryPolicy = try optional(.retryPolicy)
        pause = try optional(.pause)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        let fallback = ScheduleSpec(id: id, task: task, trigger: trigger)
        func put<Value: Encodable & Equatable>(_ value: Value, _ key: CodingKeys, unless same: Value) throws {
            if value != same { try container.encode(value, forKey: key) }
        }
        try container.encode(Self.formatVersion, forKey: .version)
        try container.encode(id, forKey: .id)
        try container.encode(task, forKey: .task)
        try container.encode(queue, forKey: .queue)
        try container.encode(trigger, forKey: .trigger)
        try container.encode(origin.description, forKey: .origin)
        try put(triggerText, .triggerText, unless: fallback.triggerText)
        try put(Data(payload), .payload, unless: Data())
        try container.encodeIfPresent(contentType, forKey: .contentType)
        try put(key, .key, unless: fallback.key)
        try put(overlap, .overlap, unless: fallback.overlap)
        try container.encodeIfPresent(maxInstances, forKey: .maxInstances)
        try container.encodeIfPresent(maxBuffered, forKey: .maxBuffered)
        try put(pausesOnFailure, .pausesOnFailure, unless: fallback.pausesOnFailure)
        try put(catchUp, .catchUp, unless: fallback.catchUp)
        try put(maxAge, .maxAge, unless: fallback.maxAge)
        try put(maxCount, .maxCount, unless: fallback.maxCount)
        try put(catchUpSpacing, .catchUpSpacing, unless: fallback.catchUpSpacing)
        try container.encodeIfPresent(maxRuns, forKey: .maxRuns)
        try put(jitter, .jitter, unless: fallback.jitter)
        try container.encodeIfPresent(start, forKey: .start)
        try container.encodeIfPresent(end, forKey: .end)
        try container.encodeIfPresent(expiry, forKey: .expiry)
        try container.encodeIfPresent(retryPolicy, forKey: .retryPolicy)
        try container.encodeIfPresent(pause, forKey: .pause)
    }
}
