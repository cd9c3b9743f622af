internal import KafkaClient
import Synchronization
internal import TaskLog
internal import TaskTelemetry

/// What topics there are: partition counts and record limits, remembered so that a mistake is told at once and by name,
/// and not by a broker's silence.
///
/// Partitions are never taken away, so a remembered one needs no second look; whatever is missing is looked for again.
final class TopicCatalog: Sendable {
    private struct Entry {
        var partitions: Int32
        /// Nil: not asked yet, or the brokers would not say.
        var maximumRecordBytes: Int?
        var hasAskedLimit = false
    }

    private let entries = Mutex<[String: Entry]>([:])
    private let calls: KafkaCalls

    init(_ calls: KafkaCalls) {
        self.calls = calls
    }

    func remember(_ topics: [TopicDescription]) {
        entries.withLock { entries in
            for topic in topics {
                let limit = topic.settings["max.message.bytes"].flatMap { Int($0) }
                entries[topic.name] = Entry(
                    partitions: topic.partitions, maximumRecordBytes: limit, hasAskedLimit: !topic.settings.isEmpty)
            }
        }
    }

    /// The error of each partition that does not exist. Throws when the cluster does not answer.
    func errors(of partitions: Set<TopicPartition>) async throws -> [TopicPartition: LogError] {
        if let known = entries.withLock({ Self.errors(of: partitions, $0) }), known.isEmpty { return [:] }
        let cluster = try await calls.retrying("ask for the topics") { try $0.cluster() }
        return entries.withLock { entries in
            for (name, topic) in cluster.topics {
                entries[name, default: Entry(partitions: 0)].partitions = topic.partitions
            }
            return Self.errors(of: partitions, entries)
        } ?? [:]
    }

    /// Throws the first error of ``errors(of:)``.
    func verify(_ partitions: [TopicPartition]) async throws {
        let errors = try await errors(of: Set(partitions))
        if let first = errors.min(by: { $0.key < $1.key }) { throw first.value }
    }

    /// The largest record that a topic takes; nil when the brokers do not say. `isFresh` asks them again.
    func maximumRecordBytes(of topic: String, isFresh: Bool) async -> Int? {
        let entry = entries.withLock { $0[topic] }
        if let entry, entry.hasAskedLimit, !isFresh { return entry.maximumRecordBytes }
        let settings = try? await calls.settings(ofTopics: [topic])
        let limit = settings?[topic]?["max.message.bytes"].flatMap { Int($0) }
        entries.withLock { entries in
            entries[topic]?.maximumRecordBytes = limit
            entries[topic]?.hasAskedLimit = true
        }
        return limit
    }

    private static func errors(
        of partitions: Set<TopicPartition>, _ entries: [String: Entry]
    ) -> [TopicPartition: LogError]? {
        var errors: [TopicPartition: LogError] = [:]
        for partition in partitions {
            if let entry = entries[partition.topic] {
                guard !(0..<entry.partitions).contains(partition.partition) else { continue }
                errors[partition] = LogError(
                    .unknownPartition,
                    "topic \(partition.topic) has \(entry.partitions) partitions, there is no \(partition.partition)")
            } else {
                errors[partition] = LogError(.unknownTopic, "there is no topic \(partition.topic)")
            }
        }
        return errors
    }
}
