internal import CRdKafka
import Synchronization
package import TaskTelemetry

/// Appends records with `acks=all` and idempotence, thousands in flight.
///
/// A record whose fate is unknown because its producer died is appended again by the next one: it may then be in the log
/// twice. A record that times out is not: the call returns and the caller decides.
package final class KafkaProducer: Sendable {
    private enum Phase {
        case open(ProducerGeneration?)
        case closed
    }

    private let configuration: KafkaConfiguration
    private let logger: Logger
    private let phase = Mutex(Phase.open(nil))
    /// How often a record is given to a new producer before its outcome is reported as unknown.
    private static let maximumRounds = 4

    /// - Parameter messageTimeoutMilliseconds: how long a record may take until ``send(_:)`` gives up on it.
    package init(_ configuration: KafkaConfiguration, messageTimeoutMilliseconds: Int, logger: Logger) {
        self.configuration = configuration.withDefaults([
            // librdkafka rounds a shorter wait up to a millisecond. Without one a record goes at once; while some are
            // under way, those behind them gather for the next request all the same.
            "linger.ms": "0",
            "message.max.bytes": "16777216",
            "topic.metadata.propagation.max.ms": "5000",
            "socket.nagle.disable": "true",
            "socket.timeout.ms": "10000",
            "retry.backoff.ms": "50",
            "reconnect.backoff.ms": "50",
            "reconnect.backoff.max.ms": "2000",
        ]).requiring([
            "enable.idempotence": "true",
            "acks": "all",
            "message.timeout.ms": String(messageTimeoutMilliseconds),
        ])
        self.logger = logger
    }

    /// Sends records, in order per partition, and returns their fates in the order given.
    package func send(_ records: [KafkaOutgoing]) async -> [Result<KafkaDelivery, KafkaError>] {
        guard !records.isEmpty else { return [] }
        var results = await sendUntilKnown(records)
        // A broker refuses a whole batch of librdkafka's when it is too large, the small records in it too.
        guard records.count > 1 else { return results }
        for index in results.indices where results[index].isTooLarge {
            results[index] = await sendUntilKnown([records[index]])[0]
        }
        return results
    }

    /// Sends one record, for less than a call of many costs.
    package func send(_ record: KafkaOutgoing) async -> Result<KafkaDelivery, KafkaError> {
        var fate = await sendOnce(record)
        for _ in 1..<Self.maximumRounds {
            // As almost always.
            guard fate.isUnknown else { return fate }
            fate = await sendOnce(record)
        }
        return fate.told
    }

    /// Records whose fate is open.
    var openRecords: Int {
        let generation = phase.withLock { phase in
            if case .open(let generation) = phase { generation } else { ProducerGeneration?.none }
        }
        return generation?.openRecords ?? 0
    }

    /// Waits for what is in flight, at most `milliseconds`. Idempotent.
    package func close(within milliseconds: Int) async {
        let last = phase.withLock { phase -> ProducerGeneration? in
            guard case .open(let generation) = phase else { return nil }
            phase = .closed
            return generation
        }
        await last?.end(within: milliseconds, KafkaError(.closed, "the producer was closed before an answer came"))
    }

    private func sendUntilKnown(_ records: [KafkaOutgoing]) async -> [Result<KafkaDelivery, KafkaError>] {
        var results = await sendOnce(records)
        for _ in 1..<Self.maximumRounds {
            // As almost always.
            guard results.contains(where: \.isUnknown) else { return results }
            let pending = results.indices.filter { results[$0].isUnknown }
            let fates = await sendOnce(pending.map { records[$0] })
            for (index, fate) in zip(pending, fates) { results[index] = fate }
        }
        return results.map(\.told)
    }

    private func sendOnce(_ records: [KafkaOutgoing]) async -> [Result<KafkaDelivery, KafkaError>] {
        do {
            return await (try current()).send(records)
        } catch {
            return Array(repeating: .failure(error), count: records.count)
        }
    }

    private func sendOnce(_ record: KafkaOutgoing) async -> Result<KafkaDelivery, KafkaError> {
        do {
            return await (try current()).send(record)
        } catch {
            return .failure(error)
        }
    }

    private func current() throws(KafkaError) -> ProducerGeneration {
        do {
            return try phase.withLock { phase in
                guard case .open(let generation) = phase else {
                    throw KafkaError(.closed, "the producer is closed")
                }
                if let generation, !generation.isDead { return generation }
                generation?.retire(KafkaError(.fatal))
                let next = try ProducerGeneration(configuration, logger: logger)
                phase = .open(next)
                return next
            }
        } catch {
            throw error as? KafkaError ?? KafkaError(.invalidArgument, "\(error)")
        }
    }
}

extension Result<KafkaDelivery, KafkaError> {
    fileprivate var isTooLarge: Bool {
        guard case .failure(let error) = self else { return false }
        return error.code == .messageTooLarge || error.code == .recordListTooLarge
    }

    /// Whether the record has to be appended again: it may or may not be in the log, or is at an unknown place.
    fileprivate var isUnknown: Bool {
        switch self {
        case .success(let delivery): delivery.offset < 0
        case .failure(let error): error.isFatal || producerDeathCodes.contains(error.code)
        }
    }

    /// What the caller is told once it is not appended again.
    fileprivate var told: Self {
        guard isUnknown else { return self }
        let reason =
            switch self {
            case .success: "the broker has the record, but does not say where"
            case .failure(let error): "it may or may not be in the log: \(error)"
            }
        return .failure(KafkaError(.purgedInFlight, "outcome unknown: \(reason)"))
    }
}

private let producerDeathCodes: Set<KafkaError.Code> = Set(
    [
        RD_KAFKA_RESP_ERR__FATAL, RD_KAFKA_RESP_ERR__PURGE_INFLIGHT, RD_KAFKA_RESP_ERR__PURGE_QUEUE,
        RD_KAFKA_RESP_ERR__FENCED, RD_KAFKA_RESP_ERR__INCONSISTENT, RD_KAFKA_RESP_ERR__STATE,
        RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, RD_KAFKA_RESP_ERR_UNKNOWN_PRODUCER_ID,
        RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH, RD_KAFKA_RESP_ERR_INVALID_PRODUCER_ID_MAPPING,
    ].map { KafkaError.Code($0) })
