internal import ServiceRuntime
internal import TaskLog
package import TaskModel

extension TaskClient {
    /// Writes who did what and why. The journal is for people: what it tells of is durable before.
    package func journal(_ entries: [JournalEntry]) async throws(ClientError) {
        guard !entries.isEmpty else { return }
        var records: [LogAppend] = []
        for entry in entries {
            let body = entry.encoded()
            let place = try await partition(of: body.key ?? [], in: names.journal)
            records.append(LogAppend(body, to: place))
        }
        try await append(records, while: "writing to the journal")
    }

    /// What the journal keeps about a subject, oldest first; at most the `limit` newest entries.
    package func journal(of subject: String, limit: Int = 1000) async throws(ClientError) -> [JournalEntry] {
        let key = Array(subject.utf8)
        let place = try await partition(of: key, in: names.journal)
        let kept = Shared<[LogRecord]>([])
        try await scan([place], while: "reading the journal of \(subject)") { records in
            kept.change { kept in
                kept += records.filter { $0.key == key }
                if kept.count > 2 * limit { kept.removeFirst(kept.count - limit) }
            }
            return true
        }
        return kept.value.suffix(limit).compactMap { try? JournalEntry(key: $0.key, value: $0.value) }
    }
}
