internal import Dispatch
internal import KafkaClient
import Synchronization
internal import TaskLog
internal import TaskTelemetry

/// One consumer and what it has fetched ahead: the shell round ``FetchBuffer`` that members, followers and scans share.
///
/// The consumer's thread puts events in, one task takes them out with ``next(_:)``. Requests go to the consumer under the
/// lock, so that they arrive in the order in which they were decided.
final class FetchSession: Sendable {
    enum Wake: Sendable {
        case group(GroupWake)
        case records([LogRecord])
        case endReached(TopicPartition, Int64)
    }

    enum End: Sendable {
        case closed
        case failed(LogError)
    }

    struct State {
        var buffer: FetchBuffer
        var membership = Membership()
        /// At most a few: each one is a rebalance that nobody took yet.
        var wakes: [GroupWake] = []
        var waiter: CheckedContinuation<Void, Never>?
        var end: End?
        var consumer: KafkaConsumer?
        /// The consumer's thread waits here for room.
        var roomWaiter: DispatchSemaphore?
        var isConsumerGone = false
        var goneWaiters: [CheckedContinuation<Void, Never>] = []
    }

    struct Options: Sendable {
        var consumer: KafkaConsumer.Options
        var maximumBufferedBytes: Int
        /// Fail when records are expected and none come for this long; nil: wait for ever.
        var patienceMilliseconds: Int?
        var closeMilliseconds: Int
    }

    let options: Options
    let logger: Logger
    let state: Mutex<State>
    /// Asks the log for a partition's bounds, when a position turns out to be outside.
    private let bounds: @Sendable (TopicPartition) async throws -> OffsetBounds

    init(
        _ configuration: KafkaConfiguration, options: Options, logger: Logger,
        bounds: @escaping @Sendable (TopicPartition) async throws -> OffsetBounds
    ) throws {
        self.options = options
        self.logger = logger
        self.bounds = bounds
        state = Mutex(State(buffer: FetchBuffer(maximumBytes: options.maximumBufferedBytes)))
        let consumer = try KafkaConsumer(configuration, options: options.consumer, logger: logger) { [self] events in
            take(events)
        }
        state.withLock { $0.consumer = consumer }
        change { _ in }
    }

    // MARK: For one task

    /// The next thing that happened: a group's news first, then records, then ends. Nil after ``close()``.
    func next(_ maximumRecords: Int) async throws -> Wake? {
        while true {
            try Task.checkCancellation()
            if let step = try state.withLock({ try Self.step(&$0, maximumRecords) }) {
                return step.wake
            }
            await withTaskCancellationHandler {
                await withCheckedContinuation { continuation in
                    let isReady = state.withLock { state in
                        guard !Task.isCancelled, !Self.isReady(state) else { return true }
                        precondition(state.waiter == nil, "one task calls next()")
                        state.waiter = continuation
                        return false
                    }
                    if isReady { continuation.resume() }
                }
            } onCancel: {
                takeWaiter()?.resume()
            }
        }
    }

    /// Nil: nothing is there yet.
    private static func step(_ state: inout State, _ maximumRecords: Int) throws -> (wake: Wake?, Void)? {
        switch state.end {
        case .closed: return (nil, ())
        case .failed(let error): throw error
        case nil: break
        }
        if !state.wakes.isEmpty { return (.group(state.wakes.removeFirst()), ()) }
        let records = state.buffer.take(maximumRecords)
        announceRoom(&state)
        forward(&state)
        if !records.isEmpty { return (.records(records), ()) }
        if let (partition, offset) = state.buffer.takeEnd() { return (.endReached(partition, offset), ()) }
        return nil
    }

    private static func isReady(_ state: State) -> Bool {
        state.end != nil || !state.wakes.isEmpty || state.buffer.hasReady
    }

    // MARK: For any task

    /// Changes the state and tells the consumer and the waiting task what follows.
    func change<Value>(_ body: (inout State) throws -> Value) rethrows -> Value {
        let (value, waiter) = try state.withLock { state -> (Value, CheckedContinuation<Void, Never>?) in
            let value = try body(&state)
            Self.announceRoom(&state)
            Self.forward(&state)
            guard Self.isReady(state) else { return (value, nil) }
            defer { state.waiter = nil }
            return (value, state.waiter)
        }
        waiter?.resume()
        return value
    }

    func fail(_ error: LogError) {
        change { if $0.end == nil { $0.end = .failed(error) } }
    }

    /// Ends the session: `next` returns nil from now on. Returns when the consumer has left its group, or gave up on it.
    func close() async {
        change { state in
            state.end = .closed
            state.consumer?.close(within: options.closeMilliseconds)
        }
        await withCheckedContinuation { continuation in
            let isGone = state.withLock { state in
                if !state.isConsumerGone { state.goneWaiters.append(continuation) }
                return state.isConsumerGone
            }
            if isGone { continuation.resume() }
        }
    }

    private static func forward(_ state: inout State) {
        guard let consumer = state.consumer else { return }
        if let request = state.buffer.takeRequest() {
            consumer.fetch(request.kafkaPositions, serial: request.serial)
        } else if let skips = state.buffer.takeSkips() {
            consumer.skip(to: skips.kafkaPositions, serial: skips.serial)
        }
    }

    private func takeWaiter() -> CheckedContinuation<Void, Never>? {
        state.withLock { state in
            defer { state.waiter = nil }
            return state.waiter
        }
    }

    // MARK: On the consumer's thread

    /// How long the consumer's thread waits for room: it answers to its group too, so not for long.
    private static let roomPatience = DispatchTimeInterval.milliseconds(200)

    private static func announceRoom(_ state: inout State) {
        guard let waiter = state.roomWaiter, !state.buffer.isOverfull || state.end != nil else { return }
        state.roomWaiter = nil
        waiter.signal()
    }

    /// A busy taker makes room within milliseconds. To stop fetching and to begin anew would throw away what librdkafka
    /// has fetched ahead, so a wait comes first; its own queue is bounded meanwhile.
    private func waitForRoom() {
        let waiter = state.withLock { state -> DispatchSemaphore? in
            guard state.buffer.isOverfull, state.end == nil else { return nil }
            let waiter = DispatchSemaphore(value: 0)
            state.roomWaiter = waiter
            return waiter
        }
        guard let waiter, waiter.wait(timeout: .now() + Self.roomPatience) == .timedOut else { return }
        change { state in
            state.roomWaiter = nil
            state.buffer.relieve()
        }
    }

    private func take(_ events: [ConsumerEvent]) {
        var rest = events[...]
        while let event = rest.popFirst() {
            switch event {
            case .records(let records, let serial):
                var runs = [(records.map { LogRecord($0) }, serial)]
                while case .records(let more, let serial)? = rest.first {
                    runs.append((more.map { LogRecord($0) }, serial))
                    rest.removeFirst()
                }
                change { state in
                    for (records, serial) in runs { state.buffer.accept(records, serial: serial) }
                }
                waitForRoom()
            case .endReached(let partition, let offset, let serial):
                change { $0.buffer.noteEnd(TopicPartition(partition), offset: offset, serial: serial) }
            case .assigned(let partitions, let generation):
                change { $0.assign(partitions.map { TopicPartition($0) }, generation: generation) }
            case .revoking(let partitions):
                change { $0.revoke(partitions.map { TopicPartition($0) }) }
            case .lost(let partitions):
                change { $0.lose(partitions.map { TopicPartition($0) }) }
            case .partitionFailed(let partition, let error, let serial):
                partitionFailed(TopicPartition(partition), error, serial)
            case .trouble(let error):
                trouble(error)
            case .failed(let error):
                fail(LogError(error, "the Kafka consumer cannot go on"))
            case .idle(let milliseconds, let serial):
                checkPatience(milliseconds, serial)
            case .closed:
                consumerGone()
            }
        }
    }

    private func consumerGone() {
        let waiters = change { state in
            if state.end == nil { state.end = .closed }
            state.isConsumerGone = true
            state.consumer = nil
            defer { state.goneWaiters = [] }
            return state.goneWaiters
        }
        for waiter in waiters { waiter.resume() }
    }

    private func checkPatience(_ milliseconds: Int, _ serial: UInt64) {
        guard let patience = options.patienceMilliseconds, milliseconds >= patience else { return }
        guard state.withLock({ $0.buffer.isHungry(at: serial) }) else { return }
        fail(LogError(.unavailable, "Kafka sent nothing for \(milliseconds) ms while records were expected"))
    }

    private func trouble(_ error: KafkaError) {
        if KafkaError.Code.notAuthorized.contains(error.code) || error.code == .invalidSessionTimeout {
            fail(LogError(error, "Kafka refuses this consumer"))
        } else if error.isRetriable {
            logger.debug("kafka consumer: \(error)")
        } else {
            logger.warning("kafka consumer: \(error)")
        }
    }

    private func partitionFailed(_ partition: TopicPartition, _ error: KafkaError, _ serial: UInt64) {
        switch error.code {
        case .noOffset, .offsetOutOfRange:
            guard let position = state.withLock({ $0.buffer.hold(partition, serial: serial) }) else { return }
            Task { await recover(partition, position) }
        case .unknownTopicOrPartition, .unknownTopic, .unknownPartition:
            // In a group, a topic that is gone is taken away by a rebalance.
            guard options.consumer.group == nil else { return trouble(error) }
            fail(LogError(error, "cannot read \(partition)"))
        default:
            trouble(error)
        }
    }

    /// The log holds nothing at `position`: goes on at the first kept record if that was deleted below it; a position past
    /// the end means that the log lost records, and that is for the operator.
    private func recover(_ partition: TopicPartition, _ position: Int64) async {
        while state.withLock({ $0.end == nil }) {
            do {
                return resolve(partition, position, try await self.bounds(partition))
            } catch let error as LogError where error.isRetriable {
                // Brokers that are away are waited for, as everywhere in a session; the question was retried with pauses.
                logger.debug("the bounds of a partition are not known yet", ["partition": "\(partition)"])
            } catch let error as LogError {
                return fail(error)
            } catch {
                return fail(LogError(.other, "\(error)"))
            }
        }
    }

    private func resolve(_ partition: TopicPartition, _ position: Int64, _ bounds: OffsetBounds) {
        guard position <= bounds.end else {
            return fail(
                LogError(
                    .offsetOutOfRange,
                    "\(partition) ends at \(bounds.end), before the position \(position): the log has lost records"))
        }
        if position < bounds.start {
            logger.info(
                "records below the first kept one are skipped",
                ["partition": "\(partition)", "from": "\(position)", "to": "\(bounds.start)"])
        }
        change { $0.buffer.move(partition, from: position, to: max(position, bounds.start)) }
    }
}

extension FetchBuffer.Request {
    fileprivate var kafkaPositions: [KafkaPartition: Int64] {
        positions.reduce(into: [:]) { $0[$1.key.kafka] = $1.value }
    }
}
