internal import KafkaClient
internal import TaskLog

/// Makes and describes topics.
struct TopicAdministration: Sendable {
    let calls: KafkaCalls
    let mock: KafkaMockCluster?
    /// How long a topic may take from its creation until every broker knows it.
    let patience: Duration

    func ensure(_ specs: [TopicSpec]) async throws -> [TopicDescription] {
        let cluster = try await calls.retrying("ask for the topics") { try $0.cluster() }
        let missing = specs.filter { cluster.topics[$0.name] == nil }
        if !missing.isEmpty {
            if let mock {
                try create(missing, on: mock)
            } else {
                try await create(missing, brokers: cluster.brokers.count)
            }
            try await awaitTopics(missing.map(\.name))
        }
        let found = try await describe(specs.map(\.name))
        let byName = Dictionary(found.map { ($0.name, $0) }) { first, _ in first }
        return specs.compactMap { byName[$0.name] }
    }

    func describe(_ names: [String]) async throws -> [TopicDescription] {
        let cluster = try await calls.retrying("ask for the topics") { try $0.cluster() }
        let present = names.filter { cluster.topics[$0] != nil }
        let settings = try await calls.settings(ofTopics: present)
        return present.compactMap { name in
            cluster.topics[name].map {
                TopicDescription(
                    name: name, partitions: $0.partitions, replication: $0.replication, settings: settings[name] ?? [:])
            }
        }
    }

    private func create(_ specs: [TopicSpec], on mock: KafkaMockCluster) throws {
        for spec in specs {
            do {
                try mock.createTopic(
                    spec.name, partitions: spec.partitions, replication: min(spec.replication, Int16(mock.brokerCount)),
                    settings: spec.kafkaSettings)
            } catch {
                throw LogError.wrap(error, "create topic \(spec.name)")
            }
        }
    }

    private func create(_ specs: [TopicSpec], brokers: Int) async throws {
        if let spec = specs.first(where: { $0.replication > brokers }) {
            throw LogError(
                .other,
                """
                create topic \(spec.name): it is to have \(spec.replication) replicas, the cluster has \(brokers) \
                broker(s); start more of them, or ask for less replication
                """)
        }
        let requests = specs.map {
            KafkaAdmin.NewTopic(
                name: $0.name, partitions: $0.partitions, replication: $0.replication, settings: $0.kafkaSettings)
        }
        let errors = try await calls.retrying("create topics") { admin in
            let errors = try admin.createTopics(requests)
            // One that exists was made by another process a moment ago: as good.
            if let passing = errors.values.first(where: { $0.isRetriable }) { throw passing }
            return errors
        }
        for spec in specs {
            guard let error = errors[spec.name], error.code != .topicExists else { continue }
            throw LogError(error, "create topic \(spec.name)")
        }
    }

    /// A new topic is not at once known to every broker, and has no leaders at first.
    private func awaitTopics(_ names: [String]) async throws {
        let deadline = ContinuousClock.now + patience
        while true {
            let cluster = try await calls.retrying("ask for the topics") { try $0.cluster() }
            let waiting = names.filter { cluster.topics[$0]?.isReady != true }
            if waiting.isEmpty { return await awaitBrokers(cluster.brokers, names, until: deadline) }
            guard ContinuousClock.now < deadline else {
                throw LogError(.unavailable, "topics \(waiting.sorted()) were created, but have no leaders yet")
            }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    /// Whoever uses the topics next may ask another broker, which hears of them a moment later: each is asked until it
    /// knows them. One that gives another answer, or none, is about to leave, and will know them when it is back.
    private func awaitBrokers(_ brokers: [Int32], _ names: [String], until deadline: ContinuousClock.Instant) async {
        guard mock == nil, brokers.count > 1 else { return }
        for broker in brokers {
            while ContinuousClock.now < deadline {
                do {
                    _ = try await calls.once("describe topics") { try $0.settings(ofTopics: names, askedOf: broker) }
                    break
                } catch {
                    guard (error as? LogError)?.code == .unknownTopic else { break }
                    try? await Task.sleep(for: .milliseconds(50))
                }
            }
        }
    }
}

extension TopicSpec {
    /// The spec in Kafka's words. The broker's clock stamps the records: no client's clock decides retention.
    var kafkaSettings: [String: String] {
        var settings = [
            "message.timestamp.type": "LogAppendTime",
            "min.insync.replicas": String(minInSyncReplicas),
            "max.message.bytes": String(maximumRecordBytes),
            "unclean.leader.election.enable": "false",
        ]
        switch cleanup {
        case .never:
            settings["cleanup.policy"] = "delete"
            settings["retention.ms"] = "-1"
            settings["retention.bytes"] = "-1"
        case .delete(let milliseconds):
            settings["cleanup.policy"] = "delete"
            settings["retention.ms"] = String(milliseconds)
        case .compact:
            settings["cleanup.policy"] = "compact"
        }
        return settings.merging(self.settings) { _, mine in mine }
    }
}
