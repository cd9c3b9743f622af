internal import CRdKafka
internal import Dispatch
import Synchronization
package import TaskTelemetry

/// A consumer that one dedicated thread owns: it polls, takes rebalances and results of commits, and hands over arrays.
///
/// It polls for as long as it lives, whether or not anybody wants records, so a slow reader is never taken for dead; what
/// must not be fetched is taken out of the assignment by ``fetch(_:serial:)``. It keeps no records and knows no policy.
package final class KafkaConsumer: Sendable {
    package struct Options: Sendable {
        /// Nil: partitions are only those that `fetch` names.
        package var group: String?
        package var topics: [String]
        /// Most records handed over at once.
        package var maximumBatchRecords: Int
        /// How long `revoking` waits for ``KafkaConsumer/letGo()``; then the partitions are `lost`.
        package var revokeTimeoutMilliseconds: Int
        /// Whether the end of a partition is told.
        package var tellsEnds: Bool

        package init(
            group: String? = nil, topics: [String] = [], maximumBatchRecords: Int = 1000,
            revokeTimeoutMilliseconds: Int = 2000, tellsEnds: Bool = false
        ) {
            self.group = group
            self.topics = topics
            self.maximumBatchRecords = maximumBatchRecords
            self.revokeTimeoutMilliseconds = revokeTimeoutMilliseconds
            self.tellsEnds = tellsEnds
        }
    }

    enum Command: Sendable {
        case fetch([KafkaPartition: Int64], serial: UInt64)
        case skip([KafkaPartition: Int64], serial: UInt64)
        case letGo
        case close(milliseconds: Int)

        var isOvertakenByFetch: Bool {
            switch self {
            case .fetch, .skip: true
            case .letGo, .close: false
            }
        }
    }

    typealias CommitWaiter = CheckedContinuation<[KafkaPartition: KafkaError], Never>

    struct State {
        var commands: [Command] = []
        var commits: [Int: CommitWaiter] = [:]
        var nextCommit = 1
        var isEnded = false
    }

    let options: Options
    let logger: Logger
    let handle: KafkaHandle
    let state = Mutex(State())
    let handler: @Sendable ([ConsumerEvent]) -> Void

    /// Starts the thread and, with a group, joins it.
    ///
    /// - Parameter handler: called on the consumer's thread; it must return soon and never wait.
    package init(
        _ configuration: KafkaConfiguration, options: Options, logger: Logger,
        handler: @escaping @Sendable ([ConsumerEvent]) -> Void
    ) throws {
        self.options = options
        self.logger = logger
        self.handler = handler
        handle = try KafkaHandle(
            .consumer, Self.complete(configuration, options),
            events: RD_KAFKA_EVENT_REBALANCE | RD_KAFKA_EVENT_OFFSET_COMMIT | RD_KAFKA_EVENT_ERROR
                | RD_KAFKA_EVENT_FETCH,
            logger: logger)
        if options.group != nil {
            let topics = PartitionList(options.topics.map { KafkaPartition($0, -1) })
            try KafkaError.check(rd_kafka_subscribe(handle.client, topics.pointer), "subscribe to \(options.topics)")
        }
        KafkaThread.start("kafka-consumer") { [self] in
            var loop = ConsumerLoop(self)
            loop.run()
        }
    }

    private static func complete(_ configuration: KafkaConfiguration, _ options: Options) -> KafkaConfiguration {
        // A partition whose queue is full is looked at again after a whole second, unless this says otherwise.
        let canBeShort = rd_kafka_version() >= 0x0202_0000
        return configuration.withDefaults(canBeShort ? ["fetch.queue.backoff.ms": "5"] : [:]).withDefaults([
            "fetch.wait.max.ms": "20",
            "queued.min.messages": "100000",
            "queued.max.messages.kbytes": "8192",
            "fetch.message.max.bytes": "1048576",
            "fetch.error.backoff.ms": "50",
            "reconnect.backoff.ms": "50",
            "reconnect.backoff.max.ms": "2000",
            "retry.backoff.ms": "50",
            "socket.nagle.disable": "true",
            "socket.timeout.ms": "10000",
        ]).requiring([
            // A reader without a group never joins this one: its partitions and offsets are explicit.
            "group.id": options.group ?? "tidemill-reader",
            "partition.assignment.strategy": "range",
            "enable.auto.commit": "false",
            "enable.auto.offset.store": "false",
            "auto.offset.reset": "error",
            "allow.auto.create.topics": "false",
            "enable.partition.eof": options.tellsEnds ? "true" : "false",
        ])
    }

    /// Fetches exactly these partitions, from these offsets on, and no others.
    ///
    /// Records and ends carry the serial of the call that they come from; one that was overtaken may still bring some.
    package func fetch(_ positions: [KafkaPartition: Int64], serial: UInt64) {
        command(.fetch(positions, serial: serial))
    }

    /// Goes on at these offsets with what the call of this serial fetches, if it still counts. What lies before them, and
    /// is under way or cannot be skipped, comes all the same.
    package func skip(to positions: [KafkaPartition: Int64], serial: UInt64) {
        command(.skip(positions, serial: serial))
    }

    /// Answers `revoking`: the group may give the partitions to another member.
    package func letGo() { command(.letGo) }

    /// Leaves the group and ends; `closed` is the last event. Bounded by `milliseconds`. Idempotent.
    package func close(within milliseconds: Int) { command(.close(milliseconds: milliseconds)) }

    /// Commits and returns the errors by partition; empty when all went well. Bounded by the session timeout.
    package func commit(_ commits: [KafkaPartition: KafkaCommit]) async -> [KafkaPartition: KafkaError] {
        await withCheckedContinuation { continuation in
            let number = state.withLock { state -> Int? in
                guard !state.isEnded else { return nil }
                defer { state.nextCommit += 1 }
                state.commits[state.nextCommit] = continuation
                return state.nextCommit
            }
            guard let number else {
                let error = KafkaError(.closed, "the consumer is closed")
                return continuation.resume(returning: commits.mapValues { _ in error })
            }
            let list = PartitionList(commits: commits)
            // The result comes as an event of the consumer's queue, so the thread that polls need not wait for it.
            let code = rd_kafka_commit_queue(
                handle.client, list.pointer, handle.queue, nil, UnsafeMutableRawPointer(bitPattern: number))
            guard code != RD_KAFKA_RESP_ERR_NO_ERROR else { return }
            finishCommit(number, commits.mapValues { _ in KafkaError(code) })
        }
    }

    func finishCommit(_ number: Int, _ errors: [KafkaPartition: KafkaError]) {
        state.withLock { $0.commits.removeValue(forKey: number) }?.resume(returning: errors)
    }

    private func command(_ command: Command) {
        let isQueued = state.withLock { state in
            guard !state.isEnded else { return false }
            // Only the last assignment counts, and it begins where a skip before it led.
            if case .fetch = command {
                while let last = state.commands.last, last.isOvertakenByFetch { state.commands.removeLast() }
            }
            state.commands.append(command)
            return true
        }
        if isQueued { handle.wake() }
    }
}
