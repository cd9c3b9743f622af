import TaskTelemetry
import Testing

@testable import KafkaClient

struct LeaderChangeTests {
    /// The client keeps who leads a partition; without a look at the cluster it asks the old leader again and again.
    @Test("offsets are asked of the new leader once the old one has said that it is none")
    func offsets() throws {
        let cluster = try KafkaMockCluster(brokers: 3)
        try cluster.createTopic("moved", partitions: 1, replication: 3)
        let admin = try KafkaAdmin(
            KafkaConfiguration(["bootstrap.servers": cluster.bootstrap]), timeoutMilliseconds: 10_000, logger: Logger())
        let partition = KafkaPartition("moved", 0)
        for leader in [1, 2, 3, 1] {
            try cluster.setLeader(of: "moved", 0, broker: leader)
            // The first answer may be the old leader's, a request under way may see the old cluster once more.
            var answer: Result<Int64, KafkaError>?
            for _ in 0..<10 {
                answer = (try? admin.offsets(.end, of: [partition]))?[partition]
                if case .success = answer { break }
            }
            #expect(try answer?.get() == 0, "leader \(leader)")
        }
    }
}
