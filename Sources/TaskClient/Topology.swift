import Synchronization
internal import TaskLog
internal import TaskModel

/// What the log's topics are, asked once and kept: partition counts of `due` and `ledger` never change in place.
///
/// Only answers are kept. A topic that is missing is asked for again, so that a client outlives `topics create`.
final class Topology: Sendable {
    private let log: any TaskLog
    private let plan: TopicPlan
    private let known = Mutex<[String: TopicDescription]>([:])
    /// By queue, for those who ask once per event.
    private let dueTopics = Mutex<[String: DueTopic]>([:])

    init(log: any TaskLog, plan: TopicPlan) {
        self.log = log
        self.plan = plan
    }

    /// A topic of Tidemill's own.
    func description(of topic: String) async throws(ClientError) -> TopicDescription {
        if let found = try await lookUp(topic) { return found }
        throw ClientError(.missingTopic, "topic \(topic) does not exist; create it with `tidemill topics create`")
    }

    func partitionCount(of topic: String) async throws(ClientError) -> Int32 {
        try await description(of: topic).partitions
    }

    func partitions(of topic: String) async throws(ClientError) -> [TopicPartition] {
        (0..<(try await partitionCount(of: topic))).map { TopicPartition(topic, $0) }
    }

    /// The due topic of a queue, or an error that lists the queues that there are.
    func due(_ queue: String) async throws(ClientError) -> DueTopic {
        if let cached = dueTopics.withLock({ $0[queue] }) { return cached }
        let topic = DueTopic(try await lookUp(queue: queue))
        return dueTopics.withLock { topics in
            // Another call may have asked meanwhile, and have begun to count.
            if let known = topics[queue] { return known }
            topics[queue] = topic
            return topic
        }
    }

    private func lookUp(queue: String) async throws(ClientError) -> TopicDescription {
        guard TopicNames.isValidQueueName(queue) else {
            throw ClientError(
                .invalidRequest,
                "\"\(queue)\" is no queue name: letters, digits, `.`, `_` and `-`, at most 100 characters")
        }
        if let found = try await lookUp(plan.names.due(queue)) { return found }
        let existing = try await existingQueues()
        let list = existing.isEmpty ? "there is no queue yet" : "known queues: \(existing.joined(separator: ", "))"
        throw ClientError(.unknownQueue, "queue \"\(queue)\" does not exist (topic \(plan.names.due(queue))); \(list)")
    }

    /// Queues of the plan whose due topic exists, in the order of the plan.
    func existingQueues() async throws(ClientError) -> [String] {
        let names = plan.queues.map(\.name)
        let found = try await describe(names.map(plan.names.due)).map(\.name)
        return names.filter { found.contains(plan.names.due($0)) }
    }

    private func lookUp(_ topic: String) async throws(ClientError) -> TopicDescription? {
        if let cached = known.withLock({ $0[topic] }) { return cached }
        let found = try await describe([topic]).first
        if let found { known.withLock { $0[topic] = found } }
        return found
    }

    private func describe(_ topics: [String]) async throws(ClientError) -> [TopicDescription] {
        do {
            return try await log.describe(topics: topics)
        } catch {
            throw ClientError(wrapping: error, while: "asking the log for \(topics.joined(separator: ", "))")
        }
    }
}

/// What a publisher has to know of a due topic, and its calls that are under way.
final class DueTopic: Sendable {
    let name: String
    let partitions: Int32
    /// The largest record that it takes; nil when the log does not say.
    let maximumRecordBytes: Int?
    let singleCalls: Mutex<SingleCalls>

    init(_ topic: TopicDescription) {
        name = topic.name
        partitions = topic.partitions
        maximumRecordBytes = topic.settings["max.message.bytes"].flatMap { Int($0) }
        singleCalls = Mutex(SingleCalls(partitions: topic.partitions, phase: .random(in: 0..<1000)))
    }
}

extension ClientError {
    /// Any error of a call to the log. Cancellation becomes `unavailable`, for the caller is leaving anyway.
    init(wrapping error: any Error, while doing: String) {
        switch error {
        case let error as ClientError: self = error
        case let error as LogError: self.init(error, while: doing)
        case is CancellationError: self.init(.unavailable, "\(doing): cancelled", isRetriable: true)
        default: self.init(.log, "\(doing): \(error)")
        }
    }
}
