import Foundation
import Testing

@testable import TaskModel

/// The folder of formats at the root of the repository: schemas, vectors and golden samples.
enum Schemas {
    static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("schemas")

    static func data(_ name: String) throws -> Data { try Data(contentsOf: folder.appendingPathComponent(name)) }

    static func decode<Value: Decodable>(_ type: Value.Type, _ name: String) throws -> Value {
        try JSONDecoder().decode(type, from: data(name))
    }

    static func object(_ name: String) throws -> JSONValue {
        try #require(JSONValue([UInt8](data(name))), "\(name) is not JSON")
    }
}

/// A golden sample: one record as its bytes lie in a topic. Text where it is text, base64 where it is not.
struct RecordSample: Decodable {
    struct Blob: Decodable {
        var text: String?
        var base64: Data?
        var bytes: [UInt8]? { text.map { Array($0.utf8) } ?? base64.map { [UInt8]($0) } }
    }
    struct Header: Decodable {
        var name: String
        var value: String?
    }

    var title: String
    /// The schema of its headers (as one object), or of its value for `"of": "value"`.
    var schema: String?
    var key: Blob?
    var value: Blob?
    var headers: [Header]

    var recordHeaders: [RecordHeader] { headers.map { RecordHeader($0.name, $0.value.map { Array($0.utf8) }) } }
}

func hex(_ bytes: some Sequence<UInt8>) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}

func bytes(hex: String) -> [UInt8]? {
    let digits = hex.compactMap(\.hexDigitValue)
    guard digits.count == hex.count, digits.count % 2 == 0 else { return nil }
    return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
}

let somewhere = RecordPlace(topic: "tidemill.due.default", partition: 3, offset: 42)
