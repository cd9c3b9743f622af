internal import CRdKafka
internal import Dispatch
import Synchronization
internal import TaskTelemetry

/// One idempotent producer of librdkafka, with the thread that takes its delivery reports.
///
/// librdkafka kills an idempotent producer whose record may or may not have been written (before 2.3.0 at a plain
/// timeout). That ends the generation and not the service: ``LastingProducer`` makes the next one.
final class ProducerGeneration: Sendable {
    private enum Phase {
        case open
        /// No more records; ends when those in flight are done, or at the deadline (uptime in nanoseconds).
        case ending(deadline: UInt64, KafkaError)
        case ended
    }

    private struct State {
        var slab = DeliverySlab()
        var phase = Phase.open
        /// Grows with each event of deliveries: whoever found the queue full waits for a change.
        var deliveryRounds: UInt64 = 0
        var roomWaiters: [CheckedContinuation<Void, Never>] = []
        var endWaiters: [CheckedContinuation<Void, Never>] = []
    }

    private let handle: KafkaHandle
    private let logger: Logger
    private let state = Mutex(State())

    init(_ configuration: KafkaConfiguration, logger: Logger) throws {
        let events = RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR
        handle = try KafkaHandle(.producer, configuration, events: events, logger: logger)
        self.logger = logger
        KafkaThread.start("kafka-deliveries") { [self] in serve() }
    }

    /// Whether this generation takes no more records.
    var isDead: Bool {
        let isOpen = state.withLock { if case .open = $0.phase { true } else { false } }
        return !isOpen || handle.fatalError != nil
    }

    /// Records whose fate is open.
    var openRecords: Int { state.withLock { $0.slab.count } }

    /// Sends the records in order, and returns when the fate of each is known. A full queue makes it wait: that is how a
    /// fast caller is slowed down.
    func send(_ records: [KafkaOutgoing]) async -> [Fate] {
        let batch = ProduceBatch(count: records.count)
        let place = state.withLock { state -> Int? in
            guard case .open = state.phase else { return nil }
            return state.slab.insert(batch)
        }
        guard let place else { return Array(repeating: .failure(Self.replaced), count: records.count) }
        for run in TopicRun.split(records) { await enqueue(run, of: records, place) }
        await withCheckedContinuation { continuation in
            let waits = state.withLock { _ in batch.attach(continuation) }
            if !waits { continuation.resume() }
        }
        return state.withLock { _ in batch.results.map { $0 ?? .failure(KafkaError(.purgedInFlight)) } }
    }

    /// Sends one record, without what many need.
    func send(_ record: KafkaOutgoing) async -> Fate {
        guard let topic = await reference(to: record.partition.topic) else {
            return .failure(Self.unknown(record.partition.topic))
        }
        while true {
            var rounds: UInt64 = 0
            let fate = await withCheckedContinuation { continuation in
                let place = state.withLock { state -> Int? in
                    guard case .open = state.phase else { return nil }
                    rounds = state.deliveryRounds
                    return state.slab.insert(continuation)
                }
                guard let place else { return continuation.resume(returning: .failure(Self.replaced)) }
                let opaque = RecordOpaque(place: place, index: 0)
                if let error = handle.produce(record, to: topic, opaque: opaque) { refuse([(0, error)], place) }
            }
            guard case .failure(let error) = fate, error.code == .queueFull else { return fate }
            await waitForRoom(since: rounds)
        }
    }

    /// Takes no more records and ends: when all in flight are done, or `milliseconds` from now with `error` for the rest.
    func end(within milliseconds: Int, _ error: KafkaError) async {
        beginEnding(within: milliseconds, error)
        await withCheckedContinuation { continuation in
            let waits = state.withLock { state in
                if case .ended = state.phase { return false }
                state.endWaiters.append(continuation)
                return true
            }
            if !waits { continuation.resume() }
        }
    }

    /// Drops what is in flight, its outcome unknown, and ends soon. Does not wait.
    func retire(_ error: KafkaError) {
        let begins = beginEnding(within: 5000, KafkaError(.purgedInFlight, "outcome unknown: \(error.message)"))
        if begins { rd_kafka_purge(handle.client, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT) }
    }

    @discardableResult
    private func beginEnding(within milliseconds: Int, _ error: KafkaError) -> Bool {
        let deadline = DispatchTime.now().uptimeNanoseconds + UInt64(milliseconds) * 1_000_000
        let (begins, waiters) = state.withLock { state -> (Bool, [CheckedContinuation<Void, Never>]) in
            guard case .open = state.phase else { return (false, []) }
            state.phase = .ending(deadline: deadline, error)
            defer { state.roomWaiters = [] }
            return (true, state.roomWaiters)
        }
        for waiter in waiters { waiter.resume() }
        handle.wake()
        return begins
    }

    // MARK: Into librdkafka

    /// librdkafka's object for a topic, which it is asked about when it is met first.
    private func reference(to topic: String) async -> OpaquePointer? {
        if let known = handle.reference(to: topic) { return known }
        await withCheckedContinuation { continuation in
            KafkaThread.start("kafka-topics") { [handle] in
                handle.introduce(topic)
                continuation.resume()
            }
        }
        return handle.reference(to: topic)
    }

    private static func unknown(_ topic: String) -> KafkaError { KafkaError(.unknownTopic, "no topic \(topic)") }

    private static let replaced = KafkaError(.purgedInQueue, "the producer was replaced before the record was sent")

    /// Records that are handed over between two looks at whether this generation still lives.
    private static let partRecords = 1000

    private func enqueue(_ run: TopicRun, of records: [KafkaOutgoing], _ place: Int) async {
        var rest = run.range
        guard let topic = await reference(to: run.topic) else {
            return refuse(rest.map { ($0, Self.unknown(run.topic)) }, place)
        }
        while !rest.isEmpty {
            let rounds = state.withLock { state in
                if case .open = state.phase { state.deliveryRounds } else { UInt64?.none }
            }
            guard let rounds else { return refuse(rest.map { ($0, Self.replaced) }, place) }
            let part = rest.prefix(Self.partRecords)
            let refused =
                run.isBare
                ? handle.produce(bare: part, of: records, to: topic, place: place)
                : produce(part, of: records, to: topic, place: place)
            // Once the queue is full nothing more is taken, so that order holds: those records are the part's end.
            let excess = refused.count { $0.error.code == .queueFull }
            refuse(refused.dropLast(excess), place)
            rest = rest.dropFirst(part.count - excess)
            if excess > 0 { await waitForRoom(since: rounds) }
        }
    }

    private func produce(
        _ part: Range<Int>, of records: [KafkaOutgoing], to topic: OpaquePointer, place: Int
    ) -> [(index: Int, error: KafkaError)] {
        var refused: [(index: Int, error: KafkaError)] = []
        for index in part {
            let opaque = RecordOpaque(place: place, index: index)
            if let last = refused.last, last.error.code == .queueFull {
                refused.append((index, last.error))
            } else if let error = handle.produce(records[index], to: topic, opaque: opaque) {
                refused.append((index, error))
            }
        }
        return refused
    }

    private func refuse(_ refused: some Collection<(index: Int, error: KafkaError)>, _ place: Int) {
        guard !refused.isEmpty else { return }
        let (waiters, isLast) = state.withLock { state in
            let waiters = refused.compactMap {
                state.slab.finish(RecordOpaque(place: place, index: $0.index), .failure($0.error))
            }
            if case .ending = state.phase { return (waiters, state.slab.count == 0) }
            return (waiters, false)
        }
        for waiter in waiters { waiter.wake() }
        // The thread waits for deliveries until the deadline, and there are none to come.
        if isLast { handle.wake() }
    }

    private func waitForRoom(since rounds: UInt64) async {
        await withCheckedContinuation { continuation in
            let waits = state.withLock { state in
                guard case .open = state.phase, state.deliveryRounds == rounds else { return false }
                state.roomWaiters.append(continuation)
                return true
            }
            if !waits { continuation.resume() }
        }
    }

    // MARK: The thread

    private func serve() {
        while true {
            if let event = rd_kafka_queue_poll(handle.queue, pollMilliseconds()) {
                handleEvent(event)
            }
            if endIfDone() { return }
        }
    }

    private func pollMilliseconds() -> Int32 {
        state.withLock { state in
            guard case .ending(let deadline, _) = state.phase else { return 60_000 }
            let now = DispatchTime.now().uptimeNanoseconds
            return deadline <= now ? 0 : Int32(min(60_000, (deadline - now) / 1_000_000 + 1))
        }
    }

    /// Takes one event and frees it.
    private func handleEvent(_ event: OpaquePointer) {
        switch rd_kafka_event_type(event) {
        case RD_KAFKA_EVENT_DR:
            settle(event)
        case RD_KAFKA_EVENT_ERROR:
            defer { rd_kafka_event_destroy(event) }
            let error = KafkaError(
                rd_kafka_event_error(event), rd_kafka_event_error_string(event).map { String(cString: $0) })
            guard let fatal = handle.fatalError else {
                return logger.debug("kafka producer: \(error)")
            }
            logger.info("kafka producer is replaced: \(fatal)")
            retire(fatal)
        default:
            rd_kafka_event_destroy(event)
        }
    }

    private func settle(_ event: OpaquePointer) {
        var deliveries: [(opaque: RecordOpaque, fate: Fate)] = []
        deliveries.reserveCapacity(rd_kafka_event_message_count(event))
        // An event is of one request's records for a partition. Where the broker did not say where they are, librdkafka
        // numbers them from -1001 on, past 0.
        var isPlaceless = false
        while let message = rd_kafka_event_message_next(event) {
            guard let opaque = RecordOpaque(message.pointee._private) else { continue }
            var fate = message.delivery
            if case .success(var delivery) = fate, isPlaceless || delivery.offset < 0 {
                isPlaceless = true
                delivery.offset = -1
                fate = .success(delivery)
            }
            deliveries.append((opaque, fate))
        }
        // Records count against the queue's limit until their event is freed: only then is there room to wake somebody for.
        rd_kafka_event_destroy(event)
        let waiters = state.withLock { state in
            state.deliveryRounds &+= 1
            var waiters = state.roomWaiters.map { DeliveryWaiter.many($0) }
            state.roomWaiters = []
            for (opaque, fate) in deliveries {
                if let waiter = state.slab.finish(opaque, fate) { waiters.append(waiter) }
            }
            return waiters
        }
        for waiter in waiters { waiter.wake() }
    }

    /// True when the thread has nothing left to do; what is then still in flight fails.
    private func endIfDone() -> Bool {
        let (isDone, waiters) = state.withLock { state -> (Bool, [DeliveryWaiter]) in
            guard case .ending(let deadline, let error) = state.phase else { return (false, []) }
            guard state.slab.count == 0 || deadline <= DispatchTime.now().uptimeNanoseconds else { return (false, []) }
            state.phase = .ended
            var waiters = state.endWaiters.map { DeliveryWaiter.many($0) }
            state.endWaiters = []
            waiters += state.slab.finishAll(.failure(error))
            return (true, waiters)
        }
        for waiter in waiters { waiter.wake() }
        return isDone
    }
}
