internal import Dispatch
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

    /// Records that wait at once for `alone`, of one call: it sends but a few requests at a time, and each record has
    /// its time limit from when it is handed over.
    private static let aloneRecords = 200

    /// - Parameter messageTimeoutMilliseconds: how long a record may take until a producer gives up on it.
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
        ]).withRoomForAnyRecord().requiring([
            "enable.idempotence": "true",
            "acks": "all",
            "message.timeout.ms": String(messageTimeoutMilliseconds),
        ])
        gathering = LastingProducer(configuration, logger: logger)
        alone = LastingProducer(
            configuration.requiring(["batch.num.messages": "1", "linger.ms": "0"]), logger: logger)
    }

    /// Sends records, in order per partition, and returns their fates in the order given. Those that a broker refused in
    /// too large a batch come behind the others.
    package func send(_ records: [KafkaOutgoing]) async -> [Result<KafkaDelivery, KafkaError>] {
        guard !records.isEmpty else { return [] }
        var fates = await gathering.send(records)
        var refused = fates.indices.filter { fates[$0].isTooLarge }[...]
        while !refused.isEmpty {
            let part = refused.prefix(Self.aloneRecords)
            for (index, fate) in zip(part, await alone.send(part.map { records[$0] })) { fates[index] = fate }
            refused = refused.dropFirst(part.count)
        }
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
        let deadline = DispatchTime.now().uptimeNanoseconds + UInt64(milliseconds) * 1_000_000
        await gathering.close(within: milliseconds)
        // What the first one was refused at the last moment may still go by the other one.
        let now = min(deadline, DispatchTime.now().uptimeNanoseconds)
        await alone.close(within: Int((deadline - now) / 1_000_000))
    }
}

extension KafkaConfiguration {
    /// A record that is larger than librdkafka's whole queue would find no room, however long it waits: the queue has room
    /// for the largest one that is taken at all, whatever was set.
    fileprivate func withRoomForAnyRecord() -> KafkaConfiguration {
        guard let queue = properties["queue.buffering.max.kbytes"].flatMap(Int.init),
            let record = properties["message.max.bytes"].flatMap(Int.init), 0 < queue, queue <= (record - 1) / 1024
        else { return self }
        return requiring(["queue.buffering.max.kbytes": String((record - 1) / 1024 + 1)])
    }
}

extension Fate {
    fileprivate var isTooLarge: Bool {
        guard case .failure(let error) = self else { return false }
        return error.code == .messageTooLarge || error.code == .recordListTooLarge
    }
}
