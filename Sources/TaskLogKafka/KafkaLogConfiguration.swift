package import KafkaClient

/// How to reach a Kafka cluster. `properties` are librdkafka's own; what correctness rests on cannot be overridden.
package struct KafkaLogConfiguration: Sendable {
    package var properties: KafkaConfiguration
    /// After this, an append that has no answer fails with `unavailable`. Default 30 s.
    package var appendTimeoutMilliseconds = 30_000
    /// For every other question to the cluster. Default 10 s; retriable errors are retried for that long.
    package var requestTimeoutMilliseconds = 10_000
    /// A scan that hears nothing for this long fails with `unavailable`. Default 30 s.
    package var scanPatienceMilliseconds = 30_000
    /// How long leaving a group may take before it is given up. Default 5 s.
    package var leaveTimeoutMilliseconds = 5000
    /// Scans that run at once; more wait. Default 4.
    package var maximumScans = 4
    /// Brokers below refuse shorter sessions (`group.min.session.timeout.ms`). Default 6 s, Kafka's own.
    package var minimumSessionMilliseconds = 6000
    /// Set: the cluster is this mock, which knows no CreateTopics and takes any session timeout.
    package var mock: KafkaMockCluster?

    package init(properties: [String: String]) {
        self.properties = KafkaConfiguration(properties)
    }

    /// A mock cluster of this process.
    package init(mock: KafkaMockCluster) {
        self.init(properties: ["bootstrap.servers": mock.bootstrap])
        self.mock = mock
        minimumSessionMilliseconds = 0
    }
}
