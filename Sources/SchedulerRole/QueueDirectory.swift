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
        /// Asked again at this uptime if the log could not say. Until somebody needs it, no topic is no news.
        case asked(retryAt: Int64?, isNeeded: Bool)
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
        case .asked(_, isNeeded: true): return .pending
        case .asked(_, isNeeded: false):
            entries[queue] = .asked(retryAt: nil, isNeeded: true)
            return .pending
        case .absent: return .absent
        case nil:
            ask(queue, isNeeded: true)
            return .pending
        }
    }

    /// Asks for a queue that will be needed, so that nothing waits for the answer then.
    mutating func anticipate(_ queue: String) {
        if entries[queue] == nil { ask(queue, isNeeded: false) }
    }

    /// The log says that there is no such topic: whether there is one is asked anew, after a pause, for what the log
    /// says of it may differ for a while.
    mutating func doubt(_ queue: String, uptime: Int64) {
        switch entries[queue] {
        case .known, nil: entries[queue] = .asked(retryAt: uptime + Self.pauseMilliseconds, isNeeded: true)
        case .asked, .absent: break
        }
    }

    private mutating func ask(_ queue: String, isNeeded: Bool) {
        entries[queue] = .asked(retryAt: nil, isNeeded: isNeeded)
        questions.append(queue)
    }

    /// Takes an answer; nil partitions mean that there is no such topic. False when there is none and nobody needs it
    /// yet: it is forgotten, and asked for again when somebody does.
    mutating func learn(_ queue: String, partitions: Int32?, uptime: Int64) -> Bool {
        if let partitions {
            entries[queue] = .known(DueTopic(name: names.due(queue), partitions: partitions))
            return true
        }
        if case .asked(_, isNeeded: false)? = entries[queue] {
            entries[queue] = nil
            return false
        }
        entries[queue] = .absent(retryAt: uptime + Self.recheckMilliseconds)
        return true
    }

    /// The log could not say. False when nobody needs it yet.
    mutating func failed(_ queue: String, uptime: Int64) -> Bool {
        switch entries[queue] {
        case .asked(_, isNeeded: true):
            entries[queue] = .asked(retryAt: uptime + Self.pauseMilliseconds, isNeeded: true)
        case .asked(_, isNeeded: false):
            entries[queue] = nil
            return false
        default: break
        }
        return true
    }

    /// Queues to ask for now.
    mutating func takeQuestions(uptime: Int64) -> [String] {
        for (queue, entry) in entries {
            switch entry {
            case .absent(let retryAt) where retryAt <= uptime:
                entries[queue] = .absent(retryAt: uptime + Self.recheckMilliseconds)
            case .asked(let retryAt?, let isNeeded) where retryAt <= uptime:
                entries[queue] = .asked(retryAt: nil, isNeeded: isNeeded)
            case .absent, .asked, .known: continue
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
            case .asked(let retryAt, _): retryAt
            case .known: nil
            }
        }.min()
    }
}
