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

    /// A client that asked the old coordinator for good would keep its partitions closed for as long.
    @Test("what a group has committed is asked of the new coordinator when the old one is away")
    func committed() throws {
        let cluster = try KafkaMockCluster(brokers: 3)
        try cluster.createTopic("moved", partitions: 1, replication: 3)
        let admin = try KafkaAdmin(
            KafkaConfiguration(["bootstrap.servers": cluster.bootstrap]), timeoutMilliseconds: 3000, logger: Logger())
        for coordinator in [1, 2, 1] {
            for broker in 1...3 { try cluster.setBroker(broker, isUp: broker == coordinator) }
            try cluster.setCoordinator(of: "group", broker: coordinator)
            var answer: [KafkaPartition: Result<KafkaCommit, KafkaError>]?
            for _ in 0..<10 {
                answer = try? admin.committed(group: "group", partitions: [KafkaPartition("moved", 0)])
                if answer != nil { break }
            }
            #expect(answer?.isEmpty == true, "coordinator \(coordinator)")
        }
    }
}
