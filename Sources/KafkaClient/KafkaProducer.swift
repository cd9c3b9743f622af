package import TaskTelemetry

/// Appends records with `acks=all` and idempotence, thousands in flight.
///
/// A record whose fate is unknown because its producer died is appended again by the next one: it may then be in the log
/// twice. A record that times out is not: the call returns and the caller decides.
package final class KafkaProducer: Sendable {
    /// For all that was not refused yet.
    private let gathering: LastingProducer
    /// A broker refuses a whole batch of librdkafka's when it is larger than the topic takes, the small records in it
    /// too, whoever sent them. Those go again by this one, which puts a record into a request of its own. It connects when
    /// that first happens.
    private let alone: LastingProducer

    /// - Parameter messageTimeoutMilliseconds: how long a record may take until ``send(_:)`` gives up on it.
    package init(_ configuration: KafkaConfiguration, messageTimeoutMilliseconds: Int, logger: Logger) {
        let configuration = configuration.withDefaults([
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
        gathering = LastingProducer(configuration, logger: logger)
        alone = LastingProducer(
            configuration.requiring(["batch.num.messages": "1", "linger.ms": "0"]), logger: logger)
    }

    /// Sends records, in order per partition, and returns their fates in the order given.
    package func send(_ records: [KafkaOutgoing]) async -> [Result<KafkaDelivery, KafkaError>] {
        guard !records.isEmpty else { return [] }
        var fates = await gathering.send(records)
        let refused = fates.indices.filter { fates[$0].isTooLarge }
        guard !refused.isEmpty else { return fates }
        for (index, fate) in zip(refused, await alone.send(refused.map { records[$0] })) { fates[index] = fate }
        return fates
    }

    /// Sends one record, for less than a call of many costs.
    package func send(_ record: KafkaOutgoing) async -> Result<KafkaDelivery, KafkaError> {
        let fate = await gathering.send(record)
        return fate.isTooLarge ? await alone.send(record) : fate
    }

    /// Records whose fate is open.
    var openRecords: Int { gathering.openRecords + alone.openRecords }

    /// Waits for what is in flight, at most `milliseconds`. Idempotent.
    package func close(within milliseconds: Int) async {
        async let others: Void = alone.close(within: milliseconds)
        await gathering.close(within: milliseconds)
        await others
    }
}

extension Fate {
    fileprivate var isTooLarge: Bool {
        guard case .failure(let error) = self else { return false }
        return error.code == .messageTooLarge || error.code == .recordListTooLarge
    }
}
