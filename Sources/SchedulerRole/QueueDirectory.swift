internal import TaskModel

/// How many partitions the due topics have. A queue is asked for when it is first needed; its count never changes.
struct QueueDirectory: Sendable {
    enum Answer: Hashable, Sendable {
        case partitions(Int32)
        /// Asked for; the answer will come.
        case pending
        /// There is no such topic.
        case absent
    }

    private enum Entry {
        /// Asked again at this uptime if the log could not say.
        case asked(retryAt: Int64?)
        case known(Int32)
        /// Asked again at this uptime.
        case absent(retryAt: Int64)
    }

    /// How long an absent topic is believed absent.
    static let recheckMilliseconds: Int64 = 30_000

    private var entries: [String: Entry] = [:]
    private var questions: [String] = []

    mutating func look(up queue: String) -> Answer {
        switch entries[queue] {
        case .known(let count): return .partitions(count)
        case .asked: return .pending
        case .absent: return .absent
        case nil:
            entries[queue] = .asked(retryAt: nil)
            questions.append(queue)
            return .pending
        }
    }

    /// Takes an answer; nil partitions mean that there is no such topic.
    mutating func learn(_ queue: String, partitions: Int32?, uptime: Int64) {
        entries[queue] = partitions.map { .known($0) } ?? .absent(retryAt: uptime + Self.recheckMilliseconds)
    }

    /// The log could not say.
    mutating func failed(_ queue: String, uptime: Int64) {
        guard case .asked? = entries[queue] else { return }
        entries[queue] = .asked(retryAt: uptime + 1000)
    }

    /// Queues to ask for now.
    mutating func takeQuestions(uptime: Int64) -> [String] {
        for (queue, entry) in entries {
            switch entry {
            case .absent(let retryAt) where retryAt <= uptime:
                entries[queue] = .absent(retryAt: uptime + Self.recheckMilliseconds)
            case .asked(let retryAt?) where retryAt <= uptime: entries[queue] = .asked(retryAt: nil)
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
            case .asked(let retryAt): retryAt
            case .known: nil
            }
        }.min()
    }
}
