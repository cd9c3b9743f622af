internal import CRdKafka
internal import Dispatch
internal import TaskTelemetry

/// What a consumer's thread does: commands, one poll that waits, then polls that do not, then one hand-over.
///
/// Every change of what is fetched is a new assignment with explicit offsets. librdkafka's pause and seek lose offsets
/// before 2.1.0 when records are being taken, and its own start at a committed offset can go wrong; an assignment cannot.
/// A skip is a seek where that works, and nothing where it does not: it only saves work.
struct ConsumerLoop {
    private enum Phase: Equatable {
        case open
        case closing(deadline: UInt64)
    }

    private let consumer: KafkaConsumer
    private var phase = Phase.open
    private var topics = TopicNames()
    private var serial: UInt64 = 0
    private var isFetching = false
    /// While the group waits for an answer, only `letGo` and the deadline change the assignment.
    private var revocation: (partitions: [KafkaPartition], deadline: UInt64)?
    private var events: [ConsumerEvent] = []
    private var records: [KafkaRecord] = []
    private var lastActivity = DispatchTime.now().uptimeNanoseconds

    private static let idleMilliseconds: Int32 = 1000
    private static let maximumBatchBytes = 4 << 20
    private static let canSeek = rd_kafka_version() >= 0x0201_0000

    init(_ consumer: KafkaConsumer) {
        self.consumer = consumer
    }

    private var client: OpaquePointer { consumer.handle.client }

    mutating func run() {
        while phase == .open {
            let commands = takeCommands()
            for (index, command) in commands.enumerated() {
                // Each replaces the one before it.
                if case .fetch = command, index + 1 < commands.count, case .fetch = commands[index + 1] { continue }
                perform(command)
            }
            guard phase == .open else { break }
            pollOnce()
            endRevocationIfDue()
            handOver()
        }
        leave()
        let waiters = consumer.state.withLock { state in
            state.isEnded = true
            defer { state.commits = [:] }
            return state.commits.values.map { $0 }
        }
        // Nobody waits for ever for a commit whose answer nobody reads any more.
        for waiter in waiters { waiter.resume(returning: [KafkaPartition("", 0): KafkaError(.closed)]) }
        consumer.handler([.closed])
    }

    // MARK: Commands

    private func takeCommands() -> [KafkaConsumer.Command] {
        consumer.state.withLock { state in
            defer { state.commands = [] }
            return state.commands
        }
    }

    private mutating func perform(_ command: KafkaConsumer.Command) {
        switch command {
        case .fetch(let positions, let serial):
            guard revocation == nil else { return }
            self.serial = serial
            lastActivity = DispatchTime.now().uptimeNanoseconds
            if positions.isEmpty && !isFetching { return }
            isFetching = !positions.isEmpty
            let list = PartitionList(offsets: positions)
            let code = assign(list.pointer)
            guard code != RD_KAFKA_RESP_ERR_NO_ERROR else { return }
            events.append(.failed(KafkaError(code)))
            handOver()
        case .skip(let positions, let serial):
            guard Self.canSeek, revocation == nil, isFetching, serial == self.serial else { return }
            let list = PartitionList(offsets: positions)
            // With no time to wait it cannot fail as a whole. A partition that does not move is read from where it was.
            if let error = rd_kafka_seek_partitions(client, list.pointer, 0) { rd_kafka_error_destroy(error) }
        case .letGo:
            guard revocation != nil else { return }
            revocation = nil
            unassign()
        case .close(let milliseconds):
            phase = .closing(deadline: DispatchTime.now().uptimeNanoseconds + UInt64(milliseconds) * 1_000_000)
        }
    }

    // MARK: Events

    private mutating func pollOnce() {
        guard let first = rd_kafka_queue_poll(consumer.handle.queue, pollMilliseconds) else { return noteIdle() }
        lastActivity = DispatchTime.now().uptimeNanoseconds
        var bytes = handle(first)
        var count = 1
        while count < consumer.options.maximumBatchRecords, bytes < Self.maximumBatchBytes,
            let event = rd_kafka_queue_poll(consumer.handle.queue, 0)
        {
            bytes += handle(event)
            count += 1
        }
    }

    private mutating func noteIdle() {
        let idle = (DispatchTime.now().uptimeNanoseconds - lastActivity) / 1_000_000
        if idle >= UInt64(Self.idleMilliseconds) { events.append(.idle(milliseconds: Int(idle), serial: serial)) }
    }

    private mutating func flushRecords() {
        guard !records.isEmpty else { return }
        events.append(.records(records, serial: serial))
        records = []
    }

    private mutating func handOver() {
        flushRecords()
        guard !events.isEmpty else { return }
        consumer.handler(events)
        events = []
    }

    /// Takes one event and frees it; returns the bytes of its record.
    private mutating func handle(_ event: OpaquePointer) -> Int {
        defer { rd_kafka_event_destroy(event) }
        switch rd_kafka_event_type(event) {
        case RD_KAFKA_EVENT_FETCH:
            return takeRecords(of: event)
        case RD_KAFKA_EVENT_REBALANCE:
            flushRecords()
            rebalance(event)
        case RD_KAFKA_EVENT_OFFSET_COMMIT:
            finishCommit(event)
        case RD_KAFKA_EVENT_ERROR:
            flushRecords()
            takeError(of: event)
        default:
            break
        }
        return 0
    }

    private mutating func takeRecords(of event: OpaquePointer) -> Int {
        var bytes = 0
        while let message = rd_kafka_event_message_next(event) {
            guard message.pointee.err == RD_KAFKA_RESP_ERR_NO_ERROR else { continue }
            let record = message.record(topic: topics.name(of: message.pointee.rkt))
            bytes += record.byteCount
            if let last = records.last?.partition,
                last.number != record.partition.number
                    || last.topic != record.partition.topic
            {
                flushRecords()
            }
            records.append(record)
        }
        return bytes
    }

    private mutating func rebalance(_ event: OpaquePointer) {
        let partitions = rd_kafka_event_topic_partition_list(event)?.entries.map(\.partition).sorted() ?? []
        switch rd_kafka_event_error(event) {
        case RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS:
            // The assignment is taken, and nothing of it is fetched: committed offsets have to be read first.
            let nothing = PartitionList(capacity: 0)
            _ = assign(nothing.pointer)
            isFetching = false
            revocation = nil
            events.append(.assigned(partitions, generation: GroupGeneration.read(client)))
        case RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS:
            if partitions.isEmpty || rd_kafka_assignment_lost(client) != 0 {
                unassign()
                events.append(.lost(partitions))
            } else {
                let patience = UInt64(consumer.options.revokeTimeoutMilliseconds) * 1_000_000
                revocation = (partitions, DispatchTime.now().uptimeNanoseconds + patience)
                events.append(.revoking(partitions))
            }
        default:
            unassign()
            events.append(.lost(partitions))
        }
    }

    /// Lets go of partitions whose owner did not answer in time: one slow member must not hold up its group.
    private mutating func endRevocationIfDue() {
        guard let due = revocation, due.deadline <= DispatchTime.now().uptimeNanoseconds else { return }
        revocation = nil
        unassign()
        events.append(.lost(due.partitions))
    }

    private mutating func unassign() {
        _ = assign(nil)
        isFetching = false
    }

    /// Replaces the assignment, and returns when what it ended has stopped, and what it began is to start.
    ///
    /// librdkafka (seen in 2.8.0, and in its newest source) counts a partition that is taken away twice before its first
    /// stop is through as stopped twice, and aborts the process. And a seek that meets a start on its way may make it drop
    /// all that the partition brings. Stops, their answers, which give rise to the starts, and requests such as the one
    /// for the assignment are worked off in order: the first answer comes behind the stops, the second behind the starts.
    private func assign(_ partitions: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>?) -> rd_kafka_resp_err_t {
        let code = rd_kafka_assign(client, partitions)
        for _ in 0..<2 {
            var current: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>?
            if rd_kafka_assignment(client, &current) == RD_KAFKA_RESP_ERR_NO_ERROR, let current {
                rd_kafka_topic_partition_list_destroy(current)
            }
        }
        return code
    }

    /// How long a poll may wait: at most until the next thing that happens by itself.
    private var pollMilliseconds: Int32 {
        guard let deadline = revocation?.deadline else { return Self.idleMilliseconds }
        let now = DispatchTime.now().uptimeNanoseconds
        return deadline <= now ? 0 : min(Self.idleMilliseconds, Int32((deadline - now) / 1_000_000 + 1))
    }

    private func finishCommit(_ event: OpaquePointer) {
        let number = Int(bitPattern: rd_kafka_event_opaque(event))
        let entries = rd_kafka_event_topic_partition_list(event)?.entries ?? []
        let whole = rd_kafka_event_error(event)
        var errors: [KafkaPartition: KafkaError] = [:]
        for entry in entries { errors[entry.partition] = entry.error }
        if errors.isEmpty && whole != RD_KAFKA_RESP_ERR_NO_ERROR {
            for entry in entries { errors[entry.partition] = KafkaError(whole) }
        }
        consumer.finishCommit(number, errors)
    }

    private mutating func takeError(of event: OpaquePointer) {
        let code = rd_kafka_event_error(event)
        let error = KafkaError(code, rd_kafka_event_error_string(event).map { String(cString: $0) })
        let place = rd_kafka_event_topic_partition(event)
        defer { if let place { rd_kafka_topic_partition_destroy(place) } }
        if let place {
            let partition = KafkaPartition(String(cString: place.pointee.topic), place.pointee.partition)
            if code == RD_KAFKA_RESP_ERR__PARTITION_EOF {
                events.append(.endReached(partition, offset: place.pointee.offset, serial: serial))
            } else if partition.number >= 0 {
                events.append(.partitionFailed(partition, error, serial: serial))
            } else {
                events.append(.trouble(error))
            }
        } else if let fatal = consumer.handle.fatalError {
            events.append(.failed(fatal))
        } else {
            events.append(.trouble(error))
        }
    }

    // MARK: The end

    /// Leaves the group, so that others need not wait for the session to end; gives up at the deadline.
    private func leave() {
        guard case .closing(let deadline) = phase, let queue = rd_kafka_queue_new(client) else { return }
        defer { rd_kafka_queue_destroy(queue) }
        // librdkafka has asked once and would wait for the answer.
        if revocation != nil { rd_kafka_assign(client, nil) }
        if let error = rd_kafka_consumer_close_queue(client, queue) {
            return consumer.logger.debug("kafka consumer: close: \(KafkaError(consuming: error))")
        }
        while rd_kafka_consumer_closed(client) == 0 {
            let now = DispatchTime.now().uptimeNanoseconds
            guard now < deadline else {
                return consumer.logger.warning("kafka consumer: left its group without an answer from the broker")
            }
            guard let event = rd_kafka_queue_poll(queue, Int32(min(100, (deadline - now) / 1_000_000 + 1))) else {
                continue
            }
            switch rd_kafka_event_type(event) {
            case RD_KAFKA_EVENT_REBALANCE: rd_kafka_assign(client, nil)
            case RD_KAFKA_EVENT_OFFSET_COMMIT: finishCommit(event)
            default: break
            }
            rd_kafka_event_destroy(event)
        }
    }
}
