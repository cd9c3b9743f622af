import Foundation

/// JSON with sorted keys and no insignificant space, so that equal values have equal bytes.
public enum CanonicalJSON {
    /// The canonical form of a JSON text, or nil when it is not JSON.
    public static func canonical(_ json: [UInt8]) -> [UInt8]? {
        guard let value = try? JSONSerialization.jsonObject(with: Data(json), options: [.fragmentsAllowed]) else {
            return nil
        }
        return encode(value)
    }

    /// Encodes what `JSONSerialization` reads, canonically.
    static func encode(_ value: Any) -> [UInt8]? {
        let options: JSONSerialization.WritingOptions = [.sortedKeys, .withoutEscapingSlashes, .fragmentsAllowed]
        return (try? JSONSerialization.data(withJSONObject: value, options: options)).map { [UInt8]($0) }
    }

    /// Encodes a value with sorted keys.
    public static func encode(_ value: some Encodable) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(value) else {
            preconditionFailure("our own types always encode: \(type(of: value))")
        }
        return [UInt8](data)
    }

    public static func decode<Value: Decodable>(_ type: Value.Type, from bytes: [UInt8]) throws -> Value {
        try JSONDecoder().decode(type, from: Data(bytes))
    }
}
