internal import TaskLog
internal import TaskModel

/// The topic of a queue.
struct DueTopic: Hashable, Sendable {
    var name: String
    var partitions: Int32
}

/// The due topics and how many partitions they have. A queue is asked for when it is first heard of or needed; its count
/// never changes.
struct QueueDirectory: Sendable {
    enum Answer: Hashable, Sendable {
        case topic(DueTopic)
        /// Asked for; the answer will come.
        case pending
        /// There is no such topic.
        case absent
    }

    private enum Entry {
        /// Asked for before anybody needs it: that there is no topic is no news yet.
        case anticipated
        /// Asked again at this uptime if the log could not say.
        case asked(retryAt: Int64?)
        case known(DueTopic)
        /// Asked again at this uptime.
        case absent(retryAt: Int64)
    }

    /// How long an absent topic is believed absent.
    static let recheckMilliseconds: Int64 = 30_000

    /// Between two questions whose answers did not help.
    static let pauseMilliseconds: Int64 = 1000

    private let names: TopicNames
    private var entries: [String: Entry] = [:]
    private var questions: [String] = []

    init(names: TopicNames) { self.names = names }

    mutating func look(up queue: String) -> Answer {
        switch entries[queue] {
        case .known(let topic): return .topic(topic)
        case .asked: return .pending
        case .anticipated:
            entries[queue] = .asked(retryAt: nil)
            return .pending
        case .absent: return .absent
        case nil:
            ask(queue, .asked(retryAt: nil))
            return .pending
        }
    }

    /// Asks for a queue that will be needed, so that nothing waits for the answer then.
    mutating func anticipate(_ queue: String) {
        if entries[queue] == nil { ask(queue, .anticipated) }
    }

    /// The log says that there is no such topic: whether there is one is asked anew, after a pause, for what the log
    /// says of it may differ for a while.
    mutating func doubt(_ queue: String, uptime: Int64) {
        switch entries[queue] {
        case .known, nil: entries[queue] = .asked(retryAt: uptime + Self.pauseMilliseconds)
        case .anticipated, .asked, .absent: break
        }
    }

    private mutating func ask(_ queue: String, _ entry: Entry) {
        entries[queue] = entry
        questions.append(queue)
    }

    /// Takes an answer; nil partitions mean that there is no such topic. False when there is none and nobody needs it
    /// yet: it is forgotten, and asked for again when somebody does.
    mutating func learn(_ queue: String, partitions: Int32?, uptime: Int64) -> Bool {
        if let partitions {
            entries[queue] = .known(DueTopic(name: names.due(queue), partitions: partitions))
            return true
        }
        if forgetAnticipated(queue) { return false }
        entries[queue] = .absent(retryAt: uptime + Self.recheckMilliseconds)
        return true
    }

    /// The log could not say. False when nobody needs it yet.
    mutating func failed(_ queue: String, uptime: Int64) -> Bool {
        if forgetAnticipated(queue) { return false }
        if case .asked? = entries[queue] { entries[queue] = .asked(retryAt: uptime + Self.pauseMilliseconds) }
        return true
    }

    private mutating func forgetAnticipated(_ queue: String) -> Bool {
        guard case .anticipated? = entries[queue] else { return false }
        entries[queue] = nil
        return true
    }

    /// Queues to ask for now.
    mutating func takeQuestions(uptime: Int64) -> [String] {
        for (queue, entry) in entries {
            switch entry {
            case .absent(let retryAt) where retryAt <= uptime:
                entries[queue] = .absent(retryAt: uptime + Self.recheckMilliseconds)
            case .asked(let retryAt?) where retryAt <= uptime: entries[queue] = .asked(retryAt: nil)
            case .absent, .anticipated, .asked, .known: continue
            }
            questions.append(queue)
        }
        defer { questions = [] }
        return questions
    }

    /// The uptime at which an absent queue is asked for again.
    var nextQuestion: Int64? {
        entries.values.compactMap { entry in
            switch entry {
            case .absent(let retryAt): retryAt
            case .asked(let retryAt): retryAt
            case .anticipated, .known: nil
            }
        }.min()
    }
}

extension LogError {
    /// There is no such topic, or it has not so many partitions.
    var isMissingTopic: Bool { code == .unknownTopic || code == .unknownPartition }
}
