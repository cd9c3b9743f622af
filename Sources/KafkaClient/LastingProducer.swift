internal import CRdKafka
import Synchronization
internal import TaskTelemetry

/// A producer that outlives librdkafka's: each ``ProducerGeneration`` that dies is followed by another one, and what it
/// leaves in doubt is appended again. The first one is made at the first send.
final class LastingProducer: Sendable {
    private enum Phase {
        case open(ProducerGeneration?)
        case closed
    }

    private let configuration: KafkaConfiguration
    private let logger: Logger
    private let phase = Mutex(Phase.open(nil))
    /// How often a record is given to a new producer before its outcome is reported as unknown.
    private static let maximumRounds = 4

    init(_ configuration: KafkaConfiguration, logger: Logger) {
        self.configuration = configuration
        self.logger = logger
    }

    /// Sends records, in order per partition, and returns their fates in the order given.
    func send(_ records: [KafkaOutgoing]) async -> [Fate] {
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

    func send(_ record: KafkaOutgoing) async -> Fate {
        var fate = await sendOnce(record)
        for _ in 1..<Self.maximumRounds {
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
    func close(within milliseconds: Int) async {
        let last = phase.withLock { phase -> ProducerGeneration? in
            guard case .open(let generation) = phase else { return nil }
            phase = .closed
            return generation
        }
        await last?.end(within: milliseconds, KafkaError(.closed, "the producer was closed before an answer came"))
    }

    private func sendOnce(_ records: [KafkaOutgoing]) async -> [Fate] {
        do {
            return await (try current()).send(records)
        } catch {
            return Array(repeating: .failure(error), count: records.count)
        }
    }

    private func sendOnce(_ record: KafkaOutgoing) async -> Fate {
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

extension Fate {
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
