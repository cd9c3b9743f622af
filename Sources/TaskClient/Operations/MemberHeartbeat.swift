import Foundation
internal import TaskLog
package import TaskModel

/// A sign of life of a worker or a scheduler: the newest record of its key in `workers`.
///
/// Only what the doctor and lists need is read; what else a member reports is its own and of its version.
package struct MemberHeartbeat: Hashable, Sendable {
    package enum Role: String, Hashable, Sendable, Codable, CaseIterable {
        case worker, scheduler
    }

    /// The record's key: worker id, perhaps with its boot nonce.
    package var id: String
    package var role: Role
    package var version: String?
    package var host: String?
    /// The broker's time of the record.
    package var at: Timestamp
    /// The whole value, for those who show more.
    package var value: [UInt8]

    private struct Value: Decodable {
        var role: Role?
        var version: String?
        var host: String?

        private enum CodingKeys: String, CodingKey { case role, version, host }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            role = (try? container.decodeIfPresent(String.self, forKey: .role)).flatMap { $0.flatMap(Role.init) }
            version = try? container.decodeIfPresent(String.self, forKey: .version)
            host = try? container.decodeIfPresent(String.self, forKey: .host)
        }
    }

    /// Nil for tombstones and for what is no JSON object.
    init?(_ record: LogRecord) {
        guard let key = record.key, let id = String(validating: key, as: UTF8.self), let bytes = record.value,
            let value = try? CanonicalJSON.decode(Value.self, from: bytes)
        else { return nil }
        self.id = id
        role = value.role ?? .worker
        version = value.version
        host = value.host
        at = record.timestamp
        self.value = bytes
    }
}
