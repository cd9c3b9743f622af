internal import KafkaClient
import Synchronization
package import TaskLog
package import TaskModel
package import TaskTelemetry

/// The log as Apache Kafka keeps it.
///
/// One producer (idempotent, `acks=all`), and another one for what a broker refused in too large a batch; one client for
/// questions and one for each group, one consumer per member and follower, and a few for scans. Nothing connects before
/// it is needed.
package final class KafkaTaskLog: TaskLog {
    private struct State {
        var sessions: [FetchSession] = []
        var isClosed = false
    }

    private let configuration: KafkaLogConfiguration
    private let logger: Logger
    private let calls: KafkaCalls
    private let catalog: TopicCatalog
    private let topics: TopicAdministration
    private let producer: KafkaProducer
    private let scans: ScanPool
    private let state = Mutex(State())

    /// Fails when a property is unknown or wrong; whether a broker answers shows at the first call.
    package init(_ configuration: KafkaLogConfiguration, logger: Logger) throws {
        self.logger = logger
        var configuration = configuration
        configuration.properties = configuration.properties.withDefaults(["client.id": "tidemill"])
        self.configuration = configuration
        let properties = configuration.properties
        let patience = Duration.milliseconds(configuration.requestTimeoutMilliseconds)
        do {
            let admin = try KafkaAdmin(
                properties, timeoutMilliseconds: configuration.requestTimeoutMilliseconds, logger: logger)
            let calls = KafkaCalls(admin, mock: configuration.mock, patience: patience)
            self.calls = calls
            catalog = TopicCatalog(calls)
            topics = TopicAdministration(calls: calls, mock: configuration.mock, patience: .seconds(30))
            producer = KafkaProducer(
                properties, messageTimeoutMilliseconds: configuration.appendTimeoutMilliseconds, logger: logger)
            scans = ScanPool(maximumReaders: configuration.maximumScans) { [configuration] in
                try Self.makeSession(
                    configuration, KafkaConsumer.Options(tellsEnds: true), bufferedBytes: 8 << 20,
                    patience: configuration.scanPatienceMilliseconds, calls, logger)
            }
        } catch {
            throw LogError.wrap(error, "set up the connection to Kafka")
        }
    }

    // MARK: Topics

    package func ensure(topics specs: [TopicSpec]) async throws -> [TopicDescription] {
        try checkOpen()
        let found = try await topics.ensure(specs)
        catalog.remember(found)
        return found
    }

    package func describe(topics names: [String]) async throws -> [TopicDescription] {
        try checkOpen()
        let found = try await topics.describe(names)
        catalog.remember(found)
        return found
    }

    // MARK: Records

    /// A producer sends a request for each partition.
    package var favoursFewPartitions: Bool { true }

    package func append(_ records: [LogAppend]) async -> [Result<AppendReceipt, LogError>] {
        if records.isEmpty { return [] }
        var results = await refusals(of: records)
        let sent = records.indices.filter { results[$0] == nil }
        let fates = await producer.send(sent.map { KafkaOutgoing(records[$0]) })
        for (index, fate) in zip(sent, fates) {
            results[index] = fate.map { AppendReceipt($0) }.mapError { appendError($0, records[index]) }
        }
        return results.map { $0 ?? .failure(.closed) }
    }

    package func append(_ record: LogAppend) async throws(LogError) -> AppendReceipt {
        guard !state.withLock({ $0.isClosed }), catalog.admits(record) else {
            return try await append([record])[0].get()
        }
        switch await producer.send(KafkaOutgoing(record)) {
        case .success(let delivery): return AppendReceipt(delivery)
        case .failure(let error): throw appendError(error, record)
        }
    }

    /// What can be told without the producer: closed, no such partition, too large.
    private func refusals(of records: [LogAppend]) async -> [Result<AppendReceipt, LogError>?] {
        var results = [Result<AppendReceipt, LogError>?](repeating: nil, count: records.count)
        do {
            try checkOpen()
            if catalog.admits(records) { return results }
            let errors = try await catalog.errors(of: Set(records.map { TopicPartition($0.topic, $0.partition) }))
            for (index, record) in records.enumerated() {
                if let error = errors[TopicPartition(record.topic, record.partition)] {
                    results[index] = .failure(error)
                } else if let error = try await oversize(record) {
                    results[index] = .failure(error)
                }
            }
        } catch {
            let error = error as? LogError ?? LogError(.other, "\(error)")
            results = results.map { _ in .failure(error) }
        }
        return results
    }

    private func oversize(_ record: LogAppend) async throws -> LogError? {
        let size = record.byteCount
        guard let known = catalog.maximumRecordBytes(of: record.topic), size > known else { return nil }
        // Somebody may have raised it since.
        try await catalog.look(for: [record.topic])
        guard let limit = catalog.maximumRecordBytes(of: record.topic), size > limit else { return nil }
        return Self.tooLarge(record, limit: "\(limit)")
    }

    private func appendError(_ error: KafkaError, _ record: LogAppend) -> LogError {
        let mapped = LogError(error, "append to \(record.topic)[\(record.partition)]")
        guard mapped.code == .recordTooLarge else { return mapped }
        let limit = catalog.maximumRecordBytes(of: record.topic).map { "\($0)" } ?? "less"
        return Self.tooLarge(record, limit: "\(limit), and Kafka adds about 100 bytes of its own")
    }

    private static func tooLarge(_ record: LogAppend, limit: String) -> LogError {
        LogError(
            .recordTooLarge,
            "a record of \(record.byteCount) bytes for \(record.topic): max.message.bytes of the topic is \(limit)")
    }

    package func bounds(of partitions: [TopicPartition]) async throws -> [TopicPartition: OffsetBounds] {
        try checkOpen()
        try await catalog.verify(partitions)
        return try await Self.bounds(of: partitions, calls)
    }

    private static func bounds(
        of partitions: [TopicPartition], _ calls: KafkaCalls
    ) async throws -> [TopicPartition: OffsetBounds] {
        let asked = partitions.map(\.kafka)
        return try await calls.retrying("ask for the bounds of \(partitions)") { admin in
            // The end first: were it asked after the start, a trim in between could put it below.
            let ends = try admin.offsets(.end, of: asked)
            let starts = try admin.offsets(.start, of: asked)
            return try asked.reduce(into: [:]) { bounds, partition in
                let start = try starts[partition]?.get() ?? 0
                let end = try ends[partition]?.get() ?? 0
                bounds[TopicPartition(partition)] = OffsetBounds(start: start, end: max(start, end))
            }
        }
    }

    package func offset(for time: Timestamp, in partition: TopicPartition) async throws -> Int64 {
        try checkOpen()
        try await catalog.verify([partition])
        let asked = partition.kafka
        return try await calls.retrying("look up a time in \(partition)") { admin in
            // The end is asked first, so that a record appended in between is not jumped over.
            let end = try admin.offsets(.end, of: [asked])[asked]?.get() ?? 0
            let found = try admin.offsets(.time(milliseconds: time.milliseconds), of: [asked])[asked]?.get() ?? -1
            return found >= 0 ? found : end
        }
    }

    @discardableResult
    package func scan(
        _ partition: TopicPartition, from start: Int64, to end: Int64,
        _ body: @Sendable ([LogRecord]) async throws -> Bool
    ) async throws -> Int64 {
        try checkOpen()
        guard start < end else { return start }
        try await catalog.verify([partition])
        return try await scans.withReader { reader in
            reader.change { $0.buffer.start([partition: start]) }
            var position = start
            while let wake = try await reader.next(1000) {
                switch wake {
                case .records(let records):
                    let batch =
                        records.last.map { $0.offset < end } == true
                        ? records : records.filter { $0.offset < end }
                    if let last = batch.last {
                        position = last.offset + 1
                        guard try await body(batch) else { return position }
                    }
                    // A record at or past the end shows that all before it has been seen.
                    if batch.count < records.count || position >= end { return end }
                case .endReached(_, let offset):
                    // It may come early after a change of leader: then more is to come.
                    if offset >= end { return end }
                case .group:
                    continue
                }
            }
            throw LogError.closed
        }
    }

    package func trim(_ partition: TopicPartition, before offset: Int64) async throws {
        try checkOpen()
        guard configuration.mock == nil else {
            throw LogError(.unsupported, "a mock cluster deletes no records")
        }
        try await catalog.verify([partition])
        let asked = partition.kafka
        try await calls.retrying("trim \(partition) before \(offset)") { try $0.deleteRecords(before: [asked: offset]) }
    }

    // MARK: Groups

    package func committed(
        group: String, partitions: [TopicPartition]
    ) async throws -> [TopicPartition: CommittedOffset] {
        try checkOpen()
        let asked = partitions.map(\.kafka)
        // Until every partition answers: a missing answer must not look like a missing commit.
        return try await calls.retrying("read what group \(group) has committed") { admin in
            try admin.committed(group: group, partitions: asked).reduce(into: [:]) { answers, answer in
                let commit = try answer.value.get()
                answers[TopicPartition(answer.key)] = CommittedOffset(offset: commit.offset, metadata: commit.metadata)
            }
        }
    }

    package func join(_ options: GroupOptions) async throws -> any GroupMember {
        try checkOpen()
        // Whoever joins asks next for what the group has committed.
        try await calls.once("set up the questions about group \(options.group)") { admin in
            try admin.prepare(group: options.group)
        }
        let session = max(options.sessionTimeoutMilliseconds, configuration.minimumSessionMilliseconds)
        var own = configuration
        own.properties = configuration.properties.requiring([
            "client.id": options.clientID,
            "session.timeout.ms": String(session),
            "heartbeat.interval.ms": String(max(100, min(1000, session / 4))),
        ])
        let consumer = KafkaConsumer.Options(
            group: options.group, topics: options.topics,
            revokeTimeoutMilliseconds: options.revokeTimeoutMilliseconds)
        let fetches = try open { [own] in
            try Self.makeSession(
                own, consumer, bufferedBytes: options.maximumBufferedBytes, patience: nil, calls, logger)
        }
        return KafkaGroupMember(fetches, maximumBatchRecords: options.maximumBatchRecords) { [self] in forget($0) }
    }

    package func follow(_ positions: [TopicPartition: Int64], pace: FollowPace) async throws -> any LogFollower {
        try checkOpen()
        var own = configuration
        if pace == .gathered {
            own.properties = own.properties.withDefaults([
                // Hardly ever reached: a follower that skips is to have skipped before the answer.
                "fetch.min.bytes": "16777216", "fetch.wait.max.ms": "100",
            ])
        }
        let session = try open { [own] in
            try Self.makeSession(
                own, KafkaConsumer.Options(), bufferedBytes: 16 << 20, patience: nil, calls, logger)
        }
        let follower = KafkaFollower(session) { [catalog] in
            try await catalog.verify($0)
        } onClose: { [self] in
            forget($0)
        }
        do {
            try await follower.add(positions)
        } catch {
            await follower.close()
            throw error
        }
        return follower
    }

    package func close() async {
        let sessions = state.withLock { state in
            state.isClosed = true
            defer { state.sessions = [] }
            return state.sessions
        }
        await withDiscardingTaskGroup { group in
            for session in sessions { group.addTask { await session.close() } }
            group.addTask { [scans] in await scans.close() }
            group.addTask { [producer] in await producer.close(within: 10_000) }
        }
        calls.close()
    }

    // MARK: Inner workings

    private func checkOpen() throws {
        if state.withLock({ $0.isClosed }) { throw LogError.closed }
    }

    private func open(_ make: () throws -> FetchSession) throws -> FetchSession {
        try state.withLock { state in
            guard !state.isClosed else { throw LogError.closed }
            let session = try make()
            state.sessions.append(session)
            return session
        }
    }

    private func forget(_ session: FetchSession) {
        state.withLock { $0.sessions.removeAll { $0 === session } }
    }

    private static func makeSession(
        _ configuration: KafkaLogConfiguration, _ consumer: KafkaConsumer.Options, bufferedBytes: Int,
        patience: Int?, _ calls: KafkaCalls, _ logger: Logger
    ) throws -> FetchSession {
        let options = FetchSession.Options(
            consumer: consumer, maximumBufferedBytes: bufferedBytes, patienceMilliseconds: patience,
            closeMilliseconds: configuration.leaveTimeoutMilliseconds)
        do {
            return try FetchSession(configuration.properties, options: options, logger: logger) { partition in
                try await bounds(of: [partition], calls)[partition] ?? OffsetBounds(start: 0, end: 0)
            }
        } catch {
            throw LogError.wrap(error, "open a Kafka consumer")
        }
    }
}
