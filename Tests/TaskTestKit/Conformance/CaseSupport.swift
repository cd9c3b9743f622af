internal import TaskLog
internal import TaskModel

/// Throws a failure that names the place in the suite unless `condition` holds.
func check(
    _ condition: Bool, _ message: @autoclosure () -> String, file: String = #fileID, line: Int = #line
) throws {
    if !condition { throw ConformanceFailure(message(), file: file, line: line) }
}

func checkEqual<Value: Equatable>(
    _ found: Value, _ expected: Value, _ what: String, file: String = #fileID, line: Int = #line
) throws {
    guard found != expected else { return }
    throw ConformanceFailure("\(what): found \(found), expected \(expected)", file: file, line: line)
}

/// Throws a failure unless `body` throws a ``LogError`` of this code.
func checkThrows(
    _ code: LogError.Code, _ what: String, file: String = #fileID, line: Int = #line,
    _ body: () async throws -> Void
) async throws {
    do {
        try await body()
    } catch let error as LogError where error.code == code {
        return
    } catch {
        throw ConformanceFailure("\(what): expected \(code), found \(error)", file: file, line: line)
    }
    throw ConformanceFailure("\(what): expected \(code), but it succeeded", file: file, line: line)
}

extension EngineUnderTest {
    func topic(_ name: String) -> String { "\(topicPrefix).\(name)" }

    func spec(
        _ name: String, partitions: Int32 = 1, cleanup: TopicSpec.Cleanup = .never, maximumRecordBytes: Int = 1_048_576
    ) -> TopicSpec {
        TopicSpec(
            name: topic(name), partitions: partitions, replication: 1, minInSyncReplicas: 1, cleanup: cleanup,
            maximumRecordBytes: maximumRecordBytes)
    }

    func options(
        _ group: String, topics: [String], clientID: String, maximumBatchRecords: Int = 1000,
        maximumBufferedBytes: Int = 16 << 20
    ) -> GroupOptions {
        GroupOptions(
            group: topic(group), topics: topics, clientID: clientID,
            sessionTimeoutMilliseconds: sessionTimeoutMilliseconds,
            revokeTimeoutMilliseconds: revokeTimeoutMilliseconds, maximumBatchRecords: maximumBatchRecords,
            maximumBufferedBytes: maximumBufferedBytes)
    }

    /// Makes the topics, opens a handle, and closes it after `body`, whatever that came to.
    func withLog(
        _ topics: [TopicSpec], _ body: @Sendable (any TaskLog) async throws -> Void
    ) async throws {
        try await withLogs(1, topics) { try await body($0[0]) }
    }

    /// As `withLog`, with several handles onto the same store.
    func withLogs(
        _ count: Int, _ topics: [TopicSpec], _ body: @Sendable ([any TaskLog]) async throws -> Void
    ) async throws {
        var logs: [any TaskLog] = []
        for _ in 0..<count { logs.append(try await makeLog()) }
        let failure: (any Error)?
        do {
            if let createTopics {
                try await createTopics(topics)
            } else if !topics.isEmpty {
                _ = try await logs[0].ensure(topics: topics)
            }
            try await body(logs)
            failure = nil
        } catch {
            failure = error
        }
        for log in logs { await log.close() }
        if let failure { throw failure }
    }
}

extension TaskLog {
    /// Appends and throws the first failure.
    @discardableResult
    func appendAll(_ records: [LogAppend]) async throws -> [AppendReceipt] {
        try await append(records).map { try $0.get() }
    }

    /// All records that the partition holds now.
    func contents(of partition: TopicPartition) async throws -> [LogRecord] {
        let found = Observed<[LogRecord]>([])
        try await scanAll(partition) { batch in
            found.update { $0 += batch }
            return true
        }
        return found.value
    }

    func bounds(of partition: TopicPartition) async throws -> OffsetBounds {
        guard let bounds = try await bounds(of: [partition])[partition] else {
            throw ConformanceFailure("bounds of \(partition) are missing in the answer")
        }
        return bounds
    }
}

extension LogAppend {
    /// A record with a text value, and a text key if one is given.
    static func text(_ partition: TopicPartition, _ value: String, key: String? = nil) -> LogAppend {
        LogAppend(
            topic: partition.topic, partition: partition.partition, key: key.map { Array($0.utf8) },
            value: Array(value.utf8))
    }

    /// Records whose values are the numbers of `range`.
    static func numbers(_ partition: TopicPartition, _ range: Range<Int>) -> [LogAppend] {
        range.map { .text(partition, String($0), key: "key") }
    }
}

extension LogRecord {
    var text: String? { value.flatMap { String(validating: $0, as: UTF8.self) } }
}
