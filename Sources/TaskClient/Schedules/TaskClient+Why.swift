internal import TaskLog
public import TaskModel

extension TaskClient {
    /// Entries of a schedule's journal that an answer is looked for in: the newest ones.
    static let maximumInquiryEntries = 100_000

    /// Why a schedule did or did not run at `time`; nil asks about its last nominal time.
    ///
    /// Answers from the schedule's records, the journal (kept 30 days), and the records of the event that the nominal time
    /// made. Throws `notFound`.
    public func why(schedule id: String, at time: Timestamp? = nil) async throws(ClientError) -> ScheduleAnswer {
        let view = try await schedule(id)
        let now = self.time.now()
        let inquiry = ScheduleInquiry(
            schedule: view, journal: try await journal(of: id, limit: Self.maximumInquiryEntries),
            schedulers: try await schedulerEntries(of: id, since: (time ?? now) - 86_400_000), now: now)
        var answer = inquiry.answer(at: time ?? view.spec.lastNominal(through: now) ?? now)
        guard let fingerprint = answer.fingerprint else { return answer }
        let story = try await story(of: fingerprint, queue: view.spec.queue, key: view.spec.key)
        guard !story.entries.allSatisfy({ $0.fact.isJournal }) else { return answer }
        answer.event = story.state
        if case .forgotten = answer.verdict, let first = story.entries.first {
            answer.verdict = .fired(
                at: first.at, by: "scheduler", lateness: max(0, first.at - (answer.due ?? first.at)))
        }
        return answer
    }

    /// What schedulers had to say of the schedule's partition, or of themselves.
    private func schedulerEntries(
        of id: String, since: Timestamp
    ) async throws(ClientError) -> [JournalEntry] {
        let home = try await partition(of: Array(id.utf8), in: names.commands)
        let partitions = try await topology.partitions(of: names.journal)
        let found = try await collect(
            partitions, since: since, limit: Self.maximumStoryRecords, while: "reading the journal of the schedulers"
        ) { record -> JournalEntry? in
            switch JournalEntry.kind(in: record.headers) {
            case .restored:
                guard let entry = try? JournalEntry(key: record.key, value: record.value) else { return nil }
                return entry.reason.hasPrefix("\(home) ") ? entry : nil
            case .held, .released: return try? JournalEntry(key: record.key, value: record.value)
            default: return nil
            }
        }
        return found.values.sorted { $0.at < $1.at }
    }
}

extension EventStory.Fact {
    fileprivate var isJournal: Bool { if case .journal = self { true } else { false } }
}
