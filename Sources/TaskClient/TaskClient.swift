package import ServiceRuntime
package import TaskLog
package import TaskModel

/// Every operation that a person or a program performs on Tidemill: publish, wait, inspect, cancel, dead letters,
/// schedules, topics, health.
///
/// A client only appends to and reads the log; it talks to no scheduler and no worker. Its calls may be made from any
/// task, and throw ``ClientError``. It does not own the log: whoever made the log closes it.
public final class TaskClient: Sendable {
    package let log: any TaskLog
    package let plan: TopicPlan
    package let time: any TimeSource
    /// The CloudEvents `source` of requests that name none.
    public let source: String
    let topology: Topology

    package init(
        log: any TaskLog, plan: TopicPlan, time: any TimeSource = SystemTimeSource(), source: String = "tidemill"
    ) {
        self.log = log
        self.plan = plan
        self.time = time
        self.source = source
        topology = Topology(log: log, plan: plan)
    }

    package var names: TopicNames { plan.names }

    /// The queues of the configuration whose topics exist.
    public func queues() async throws(ClientError) -> [String] { try await topology.existingQueues() }
}

extension TaskClient {
    /// Appends and waits for all, or throws the first error.
    @discardableResult
    func append(_ records: [LogAppend], while doing: String) async throws(ClientError) -> [AppendReceipt] {
        var receipts: [AppendReceipt] = []
        for result in await log.append(records) {
            switch result {
            case .success(let receipt): receipts.append(receipt)
            case .failure(let error): throw ClientError(error, while: doing)
            }
        }
        return receipts
    }

    /// The partition of `key` in a topic of Tidemill's own.
    func partition(of key: [UInt8], in topic: String) async throws(ClientError) -> TopicPartition {
        let count = try await topology.partitionCount(of: topic)
        return TopicPartition(topic, Murmur2.partition(of: key, count: count))
    }
}

extension LogRecord {
    var place: RecordPlace { RecordPlace(topic: topic, partition: partition, offset: offset) }
}
