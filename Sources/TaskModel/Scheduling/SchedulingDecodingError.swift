/// Why a record of `commands`, `schedules` or `journal` cannot be read.
public struct SchedulingDecodingError: Error, Hashable, Sendable, CustomStringConvertible {
    public var description: String

    public init(_ description: String) { self.description = description }

    /// Turns what `Decodable` throws into one line that names the member.
    init(_ what: String, _ error: any Error) {
        let context: DecodingError.Context? =
            switch error {
            case DecodingError.dataCorrupted(let context): context
            case DecodingError.keyNotFound(let key, let context):
                DecodingError.Context(
                    codingPath: context.codingPath + [key], debugDescription: "it is missing")
            case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context): context
            default: nil
            }
        let path = context?.codingPath.map(\.stringValue).joined(separator: ".") ?? ""
        description = "\(what): \(path.isEmpty ? "" : "\(path): ")\(context?.debugDescription ?? "\(error)")"
    }
}

/// Names of the headers that these records carry, and the reading of a value that must be JSON of one type.
enum ControlRecord {
    static let kind = "tidemill_kind"
    static let command = "tidemill_command"
    static let writer = "tidemill_writer"
    static let contentType = RecordHeader("content-type", "application/json")

    /// Never nil, whatever the caller's context asks for.
    static func encode(_ value: some Encodable) -> [UInt8] { CanonicalJSON.encode(value) }

    static func decode<Value: Decodable>(
        _ type: Value.Type, _ value: [UInt8]?, what: String
    ) throws(SchedulingDecodingError) -> Value {
        do {
            return try CanonicalJSON.decode(type, from: value ?? [])
        } catch {
            throw SchedulingDecodingError(what, error)
        }
    }

    static func text(_ name: String, in headers: RecordHeaders) -> String? {
        headers.last(named: name)?.text
    }
}
