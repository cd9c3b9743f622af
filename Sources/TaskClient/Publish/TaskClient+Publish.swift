internal import TaskLog
internal import TaskModel

extension TaskClient {
    /// Publishes one event and returns when it is durable.
    ///
    /// Throws `unknownQueue`, `invalidRequest` and `tooLarge` before anything is sent. After any other error the event may
    /// or may not be in the log: publish the same value again, it is recognised.
    public func publish(_ request: PublishRequest) async throws(ClientError) -> PublishReceipt {
        let due = try await topology.due(request.queue)
        guard log.favoursFewPartitions, request.mayGoAnywhere else {
            return try await append(prepare(request, to: due))
        }
        let turn = due.singleCalls.withLock { $0.begin(now: time.now()) }
        defer { due.singleCalls.withLock { $0.end() } }
        return try await append(prepare(request, to: due, turn: turn))
    }

    /// Publishes many, each with its own result, in the order of `requests`.
    ///
    /// They are sent in chunks of at most ``chunkRecords`` records and ``chunkBytes`` bytes; a request that is refused
    /// does not hold up the others. Events of one lane, and requests that are the same work, lie in the log in the
    /// order of `requests`; between others no order is kept.
    public func publish(_ requests: [PublishRequest]) async -> [Result<PublishReceipt, ClientError>] {
        await withTaskGroup(of: (number: Int, results: PublishFlight.Results).self) { group in
            var flight = PublishFlight()
            var chunk = PublishChunk()
            for (index, request) in requests.enumerated() {
                chunk.add(await prepared(request))
                guard chunk.isFull || index + 1 == requests.count else { continue }
                let bonds = chunk.bonds
                while !flight.admits(bonds), let sent = await group.next() { flight.land(sent.number, sent.results) }
                let number = flight.begin(bonds)
                let items = chunk.take()
                group.addTask { (number, await self.send(items)) }
            }
            for await sent in group { flight.land(sent.number, sent.results) }
            return flight.results
        }
    }

    /// Publishes a stream in chunks and reports each result as soon as its chunk is durable, in order, with its index.
    ///
    /// Memory is bounded by one chunk. Rethrows the stream's own error, after what was read before it has been sent.
    public func publish<Requests: AsyncSequence>(
        stream requests: Requests,
        report: (Int, Result<PublishReceipt, ClientError>) async throws -> Void
    ) async throws where Requests.Element == PublishRequest {
        var chunk = PublishChunk()
        var reported = 0
        func flush() async throws {
            for result in await send(chunk.take()) {
                try await report(reported, result)
                reported += 1
            }
        }
        var iterator = requests.makeAsyncIterator()
        while true {
            let next: PublishRequest?
            do {
                next = try await iterator.next()
            } catch {
                try await flush()
                throw error
            }
            guard let next else { break }
            chunk.add(await prepared(next))
            if chunk.isFull { try await flush() }
        }
        try await flush()
    }

    /// Most records sent with one append.
    public static let chunkRecords = 1000
    /// Most bytes sent with one append, unless a single record has more.
    public static let chunkBytes = 4 << 20

    func prepared(_ request: PublishRequest) async -> Result<PreparedPublish, ClientError> {
        do throws(ClientError) {
            return .success(try await prepare(request, to: topology.due(request.queue)))
        } catch {
            return .failure(error)
        }
    }

    func prepare(
        _ request: PublishRequest, to due: DueTopic, turn: PartitionTurn? = nil
    ) async throws(ClientError) -> PreparedPublish {
        let now = time.now()
        let event = try request.event(defaultSource: source, now: now, turn: turn)
        let dueRecord = LogAppend(
            event.encoded(),
            to: TopicPartition(due.name, Murmur2.partition(ofHash: event.recordKeyHash, count: due.partitions)))
        try checkSize(dueRecord, of: event, in: due)
        guard let wait = request.waiting(now: now) else {
            return PreparedPublish(event, queue: request.queue, wait: nil, record: dueRecord)
        }
        let waiting = WaitingEvent(event: event, queue: request.queue, due: wait)
        let place = try await partition(of: event.fingerprint.bytes, in: names.retry)
        return PreparedPublish(event, queue: request.queue, wait: wait, record: LogAppend(waiting.encoded(), to: place))
    }

    func append(_ prepared: PreparedPublish) async throws(ClientError) -> PublishReceipt {
        do {
            return prepared.receipt(try await log.append(prepared.record))
        } catch {
            throw prepared.refusal(error)
        }
    }

    /// A waiting event is checked against the due topic as well: that is where it goes in the end.
    private func checkSize(
        _ record: LogAppend, of event: TaskEvent, in topic: DueTopic
    ) throws(ClientError) {
        let allowed = min(topic.maximumRecordBytes ?? .max, plan.maximumEventBytes)
        guard record.footprint > allowed, record.byteCount > allowed else { return }
        throw ClientError(
            .tooLarge,
            "the event has \(record.byteCount) bytes with key and headers (payload \(event.payload.count)), "
                + "\(topic.name) takes \(allowed): put the data where the worker can fetch it and publish its address, "
                + "or raise the limit")
    }

    private func send(
        _ items: [Result<PreparedPublish, ClientError>]
    ) async -> [Result<PublishReceipt, ClientError>] {
        var records: [LogAppend] = []
        records.reserveCapacity(items.count)
        for case .success(let prepared) in items { records.append(prepared.record) }
        var receipts = (records.isEmpty ? [] : await log.append(records)).makeIterator()
        return items.map { item in
            item.flatMap { prepared in
                guard let result = receipts.next() else { preconditionFailure("the log answers for every record") }
                return result.map { prepared.receipt($0) }.mapError { prepared.refusal($0) }
            }
        }
    }
}

/// A request that passed all checks, ready to be appended, and what its receipt will say.
struct PreparedPublish: Sendable {
    var coordinate: Coordinate
    var key: String?
    var source: String
    var id: String
    var queue: String
    /// Nil when it is due now.
    var wait: WaitingEvent.Due?
    var record: LogAppend

    init(_ event: TaskEvent, queue: String, wait: WaitingEvent.Due?, record: LogAppend) {
        coordinate = event.coordinate
        key = event.partitionKey
        source = event.source
        id = event.id
        self.queue = queue
        self.wait = wait
        self.record = record
    }

    var recordKey: [UInt8] { TaskEvent.recordKey(lane: key, coordinate.fingerprint) }

    /// What the log's error means for the publisher.
    func refusal(_ error: LogError) -> ClientError { ClientError(error, while: "publishing to \(record.topic)") }

    /// What the log's answer means for the publisher.
    func receipt(_ receipt: AppendReceipt) -> PublishReceipt {
        let destination: PublishReceipt.Destination =
            switch wait {
            case nil: .due
            case .after(let milliseconds): .waiting(until: receipt.timestamp + milliseconds)
            case .at(let time): .waiting(until: time)
            }
        return PublishReceipt(
            coordinate: coordinate, queue: queue, key: key, source: source, id: id,
            place: RecordPlace(topic: record.topic, partition: record.partition, offset: receipt.offset),
            brokerTime: receipt.timestamp, destination: destination)
    }
}
