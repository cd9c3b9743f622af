internal import TaskLog
internal import TaskTelemetry

/// Retention and compaction, in the background and on demand. One process does the background rounds of a file.
extension SQLiteTaskLog {
    /// One background round; does nothing where another process has the duty. Failures are logged: the next round tries
    /// again.
    func keepUp(interval: Int64) async {
        do {
            let holder = upkeepName
            let isMine = try await writer.transact { try Self.claim("upkeep", holder: holder, for: 2 * interval, $0) }
            guard isMine else { return }
            for topic in try await allTopics() {
                switch topic.cleanup {
                case .never: break
                case .delete(let retention): try await retain(topic, milliseconds: retention)
                case .compact: try await compact(topic, onlyWhenWorthIt: true)
                }
                for id in topic.partitionIDs { try await deleteTrimmed(id) }
            }
        } catch let error as LogError where error.code == .closed {
        } catch {
            logger.warning("a round of retention and compaction failed", ["error": "\(error)"])
        }
    }

    /// Deletes now what the retention of a topic no longer keeps.
    package func applyRetention(topic name: String) async throws {
        let topic = try await topic(name)
        guard case .delete(let retention) = topic.cleanup else { return }
        try await retain(topic, milliseconds: retention)
    }

    /// Compacts a topic now. A topic that is not compacted is left as it is.
    package func compact(topic name: String) async throws {
        let topic = try await topic(name)
        if topic.cleanup == .compact { try await compact(topic, onlyWhenWorthIt: false) }
    }

    private func topic(_ name: String) async throws -> TopicInfo {
        try checkOpen()
        let catalog = catalog
        let found = try await readers.read { try catalog.find(name, in: $0) }
        guard let found else { throw TopicInfo.unknownTopic(name) }
        return found
    }

    private func allTopics() async throws -> [TopicInfo] {
        let catalog = catalog
        return try await readers.read { try catalog.all(in: $0) }
    }

    /// Takes a duty, or keeps it, for so many milliseconds of uptime; false while somebody else has it.
    private static func claim(
        _ duty: String, holder: String, for milliseconds: Int64, _ transaction: WriteTransaction
    ) throws(SQLiteFailure) -> Bool {
        let connection = transaction.connection
        let find = try connection.statement("SELECT holder, boot, until FROM duty WHERE name = ?")
        find.bind(1, text: duty)
        defer { find.reset() }
        if try find.step(), find.text(0) != holder, find.text(1) == transaction.bootID,
            find.integer(2) > transaction.uptime
        {
            return false
        }
        find.reset()
        let take = try connection.statement("INSERT OR REPLACE INTO duty VALUES (?, ?, ?, ?)")
        take.bind(1, text: duty)
        take.bind(2, text: holder)
        take.bind(3, text: transaction.bootID)
        take.bind(4, transaction.uptime + milliseconds)
        try take.run()
        return true
    }
}
