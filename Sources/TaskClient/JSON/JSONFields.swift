internal import TaskModel

/// The JSON that command line and REST show: snake case, instants as RFC 3339, fields without a value left out.
///
/// It is a view for programs, written by hand beside the types, so that renaming a Swift field changes no output.
struct JSONFields {
    private var container: KeyedEncodingContainer<JSONName>

    init(_ encoder: any Encoder) { container = encoder.container(keyedBy: JSONName.self) }

    mutating func put(_ name: String, _ value: (some Encodable)?) throws {
        try container.encodeIfPresent(value, forKey: JSONName(name))
    }

    mutating func put(_ name: String, _ time: Timestamp?) throws { try put(name, time?.rfc3339) }

    mutating func put(_ name: String, _ fingerprint: Fingerprint?) throws { try put(name, fingerprint?.hex) }

    mutating func put(_ place: RecordPlace) throws {
        try put("topic", place.topic)
        try put("partition", place.partition)
        try put("offset", place.offset)
    }

    mutating func put(_ failure: AttemptFailure?) throws {
        try put("error_code", failure?.code)
        try put("error", failure?.message)
    }
}

struct JSONName: CodingKey {
    var stringValue: String
    var intValue: Int? { nil }

    init(_ name: String) { stringValue = name }
    init?(stringValue: String) { self.init(stringValue) }
    init?(intValue: Int) { nil }
}
