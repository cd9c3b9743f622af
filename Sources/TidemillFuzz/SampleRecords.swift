import Foundation
import TaskModel

/// The golden records of `schemas/samples`, in both shapes in which that folder has them.
enum SampleRecords {
    private static let folder = "schemas/samples"

    /// Those of files whose names begin with `prefix`.
    static func named(_ prefix: String) throws -> [RecordBody] {
        try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasPrefix(prefix) }.sorted().map {
            try record(try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\($0)")))
        }
    }

    private static func record(_ file: Data) throws -> RecordBody {
        let sample = try JSONSerialization.jsonObject(with: file) as? [String: Any] ?? [:]
        let headers = (sample["headers"] as? [Any] ?? []).compactMap { header -> RecordHeader? in
            if let pair = header as? [String], pair.count == 2 { return RecordHeader(pair[0], pair[1]) }
            guard let member = header as? [String: String], let name = member["name"] else { return nil }
            return RecordHeader(name, member["value"].map { Array($0.utf8) })
        }
        return RecordBody(key: bytes(sample["key"]), value: bytes(sample["value"]), headers: .init(headers))
    }

    /// Text, `{"text":…}`, `{"base64":…}`, or the JSON itself.
    private static func bytes(_ member: Any?) -> [UInt8]? {
        if let text = member as? String { return Array(text.utf8) }
        guard let object = member as? [String: Any] else { return nil }
        if let text = object["text"] as? String { return Array(text.utf8) }
        if let text = object["base64"] as? String { return Data(base64Encoded: text).map { [UInt8]($0) } }
        return (try? JSONSerialization.data(withJSONObject: object)).map { [UInt8]($0) }
    }
}
