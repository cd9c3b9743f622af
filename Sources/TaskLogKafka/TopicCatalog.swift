internal import KafkaClient
import Synchronization
internal import TaskLog

/// What topics there are: partition counts and record limits, remembered so that a mistake is told at once and by name,
/// and not by a broker's silence.
///
/// Partitions are never taken away, so a remembered one needs no second look; whatever is missing is looked for again.
/// Many callers that miss the same topic share one look.
final class TopicCatalog: Sendable {
    private struct Entry {
        var partitions: Int32
        /// Nil when the brokers would not say.
        var maximumRecordBytes: Int?

        /// Whether the record, of this topic, has a partition and fits.
        func admits(_ record: borrowing LogAppend) -> Bool {
            let maximum = maximumRecordBytes ?? .max
            return (0..<partitions).contains(record.partition)
                && (record.footprint <= maximum || record.byteCount <= maximum)
        }
    }

    private struct Look {
        var number: Int
        var topics: Set<String>
        var task: Task<Void, any Error>
    }

    private struct State {
        var entries: [String: Entry] = [:]
        var look: Look?
        var looks = 0
    }

    private let state = Mutex(State())
    private let calls: KafkaCalls

    init(_ calls: KafkaCalls) {
        self.calls = calls
    }

    func remember(_ topics: [TopicDescription]) {
        state.withLock { state in
            for topic in topics {
                state.entries[topic.name] = Entry(
                    partitions: topic.partitions, maximumRecordBytes: Self.limit(topic.settings))
            }
        }
    }

    /// Whether all of these have a partition and fit, by what is known already.
    func admits(_ records: [LogAppend]) -> Bool {
        var topic: String?
        var entry = Entry(partitions: 0)
        // Looked at where they lie: taken out, each would be copied with all that it refers to.
        for index in records.indices {
            if records[index].topic != topic {
                topic = records[index].topic
                guard let known = state.withLock({ $0.entries[records[index].topic] }) else { return false }
                entry = known
            }
            guard entry.admits(records[index]) else { return false }
        }
        return true
    }

    func admits(_ record: LogAppend) -> Bool {
        state.withLock { $0.entries[record.topic] }?.admits(record) ?? false
    }

    /// The error of each partition that does not exist. Throws when the cluster does not answer.
    func errors(of partitions: Set<TopicPartition>) async throws -> [TopicPartition: LogError] {
        if state.withLock({ Self.errors(of: partitions, $0.entries) }).isEmpty { return [:] }
        try await look(for: Set(partitions.map(\.topic)))
        return state.withLock { Self.errors(of: partitions, $0.entries) }
    }

    /// Throws the first error of ``errors(of:)``.
    func verify(_ partitions: [TopicPartition]) async throws {
        let errors = try await errors(of: Set(partitions))
        if let first = errors.min(by: { $0.key < $1.key }) { throw first.value }
    }

    /// The largest record that a known topic takes; nil when the brokers do not say.
    func maximumRecordBytes(of topic: String) -> Int? {
        state.withLock { $0.entries[topic]?.maximumRecordBytes }
    }

    /// Asks the brokers about these topics now.
    func look(for topics: Set<String>) async throws {
        let task = state.withLock { state -> Task<Void, any Error> in
            if let look = state.look, topics.isSubset(of: look.topics) { return look.task }
            state.looks += 1
            let number = state.looks
            let task = Task {
                defer { self.end(number) }
                try await self.fetch(topics)
            }
            state.look = Look(number: number, topics: topics, task: task)
            return task
        }
        try await task.value
    }

    private func end(_ number: Int) {
        state.withLock { if $0.look?.number == number { $0.look = nil } }
    }

    private func fetch(_ topics: Set<String>) async throws {
        let cluster = try await calls.retrying("ask for the topics") { try $0.cluster() }
        let present = topics.filter { cluster.topics[$0] != nil }
        // A client may append and yet have no right to see settings.
        let settings = (try? await calls.settings(ofTopics: present.sorted())) ?? [:]
        state.withLock { state in
            for name in present {
                guard let topic = cluster.topics[name] else { continue }
                state.entries[name] = Entry(
                    partitions: topic.partitions, maximumRecordBytes: settings[name].flatMap { Self.limit($0) })
            }
        }
    }

    private static func limit(_ settings: [String: String]) -> Int? {
        settings["max.message.bytes"].flatMap { Int($0) }
    }

    private static func errors(
        of partitions: Set<TopicPartition>, _ entries: [String: Entry]
    ) -> [TopicPartition: LogError] {
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
