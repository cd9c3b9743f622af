import TaskTelemetry
import Testing

@testable import KafkaClient

struct LeaderChangeTests {
    /// The client keeps who leads a partition; without a look at the cluster it asks the old leader again and again.
    @Test("offsets are asked of the new leader once the old one has said that it is none")
    func offsets() throws {
        let cluster = try Self.makeCluster()
        let admin = try Self.makeAdmin(of: cluster, timeoutMilliseconds: 10_000)
        for leader in [1, 2, 3, 1] {
            try cluster.setLeader(of: Self.partition.topic, Self.partition.number, broker: leader)
            let answer = Self.ask { try admin.offsets(.end, of: [Self.partition])[Self.partition]?.get() }
            #expect(answer == 0, "leader \(leader)")
        }
    }

    /// A client that asked the old coordinator for good would keep its partitions closed for as long.
    @Test("what a group has committed is asked of the new coordinator when the old one is away")
    func committed() throws {
        let cluster = try Self.makeCluster()
        let admin = try Self.makeAdmin(of: cluster, timeoutMilliseconds: 3000)
        for coordinator in [1, 2, 1] {
            for broker in 1...3 { try cluster.setBroker(broker, isUp: broker == coordinator) }
            try cluster.setCoordinator(of: "group", broker: coordinator)
            let answer = Self.ask { try admin.committed(group: "group", partitions: [Self.partition]) }
            #expect(answer?.isEmpty == true, "coordinator \(coordinator)")
        }
    }

    private static let partition = KafkaPartition("moved", 0)

    private static func makeCluster() throws -> KafkaMockCluster {
        let cluster = try KafkaMockCluster(brokers: 3)
        try cluster.createTopic(partition.topic, partitions: 1, replication: 3)
        return cluster
    }

    private static func makeAdmin(of cluster: KafkaMockCluster, timeoutMilliseconds: Int) throws -> KafkaAdmin {
        try KafkaAdmin(
            KafkaConfiguration(["bootstrap.servers": cluster.bootstrap]), timeoutMilliseconds: timeoutMilliseconds,
            logger: Logger())
    }

    /// The first answer may be the old broker's, a request under way may see the old cluster once more.
    private static func ask<Answer>(_ question: () throws -> Answer?) -> Answer? {
        for _ in 0..<10 {
            if let answer = try? question() { return answer }
        }
        return nil
    }
}
