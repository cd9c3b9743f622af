internal import TaskLog

extension LogConformance {
    static let commitCases: [ConformanceCase] = [
        ConformanceCase("commits are read back, the last one counts, others are left out") { engine in
            let spec = engine.spec("commit", partitions: 3)
            try await engine.withLogs(2, [spec]) { logs in
                let partitions = (0..<3).map { TopicPartition(spec.name, $0) }
                try await withOnlyMember(engine, logs[0], [spec]) { member in
                    let group = engine.topic("group")
                    let none = try await logs[1].committed(group: group, partitions: partitions)
                    try checkEqual(none, [:], "before any commit")
                    try await member.commit([partitions[0]: CommittedOffset(offset: 3, metadata: "a")])
                    try await member.commit([
                        partitions[0]: CommittedOffset(offset: 5, metadata: "b"),
                        partitions[2]: CommittedOffset(offset: 1),
                    ])
                    let found = try await logs[1].committed(group: group, partitions: partitions)
                    try checkEqual(
                        found,
                        [
                            partitions[0]: CommittedOffset(offset: 5, metadata: "b"),
                            partitions[2]: CommittedOffset(offset: 1),
                        ], "committed")
                    let other = try await logs[1].committed(group: engine.topic("other"), partitions: partitions)
                    try checkEqual(other, [:], "of another group")
                    let one = try await logs[1].committed(group: group, partitions: [partitions[2]])
                    try checkEqual(one, [partitions[2]: CommittedOffset(offset: 1)], "of one partition")
                }
            }
        },
        ConformanceCase("commit metadata: non-ASCII text, and 4096 bytes of it") { engine in
            let spec = engine.spec("metadata")
            try await engine.withLogs(2, [spec]) { logs in
                let partition = TopicPartition(spec.name, 0)
                try await withOnlyMember(engine, logs[0], [spec]) { member in
                    let full = String(repeating: "ü", count: 2048)
                    for metadata in ["", "Größe 潮 🌊\n\"\\", String(repeating: "x", count: 4096), full] {
                        try await member.commit([partition: CommittedOffset(offset: 1, metadata: metadata)])
                        let found = try await logs[1].committed(group: engine.topic("group"), partitions: [partition])
                        let same = found[partition]?.metadata == metadata
                        try check(same, "metadata of \(metadata.utf8.count) bytes came back different")
                    }
                }
            }
        },
        ConformanceCase("commit metadata over 4096 bytes is refused and changes nothing", requires: [.commitMetadata]) {
            engine in
            let spec = engine.spec("oversize")
            try await engine.withLog([spec]) { log in
                let partition = TopicPartition(spec.name, 0)
                try await withOnlyMember(engine, log, [spec]) { member in
                    let kept = CommittedOffset(offset: 1, metadata: "kept")
                    try await member.commit([partition: kept])
                    do {
                        let metadata = String(repeating: "ü", count: 2048) + "x"
                        try await member.commit([partition: CommittedOffset(offset: 2, metadata: metadata)])
                        throw ConformanceFailure("4097 bytes of metadata were taken")
                    } catch let error as LogError {
                        try check(!error.isRetriable, "it can never succeed: \(error)")
                    }
                    let found = try await log.committed(group: engine.topic("group"), partitions: [partition])
                    try checkEqual(found, [partition: kept], "committed")
                }
            }
        },
        ConformanceCase("a commit outlives its member, and the group's next one may go back") { engine in
            let spec = engine.spec("outlive")
            try await engine.withLogs(2, [spec]) { logs in
                let partition = TopicPartition(spec.name, 0)
                try await withOnlyMember(engine, logs[0], [spec]) { member in
                    try await member.commit([partition: CommittedOffset(offset: 9, metadata: "first")])
                }
                await logs[0].close()
                try await withOnlyMember(engine, logs[1], [spec]) { member in
                    let found = try await logs[1].committed(group: engine.topic("group"), partitions: [partition])
                    try checkEqual(found, [partition: CommittedOffset(offset: 9, metadata: "first")], "committed")
                    try await member.commit([partition: CommittedOffset(offset: 4, metadata: "second")])
                    let back = try await logs[1].committed(group: engine.topic("group"), partitions: [partition])
                    try checkEqual(
                        back, [partition: CommittedOffset(offset: 4, metadata: "second")], "after going back")
                }
            }
        },
    ]

    /// Joins `group` alone, waits until all partitions are assigned, and leaves after `body`.
    static func withOnlyMember(
        _ engine: EngineUnderTest, _ log: any TaskLog, _ topics: [TopicSpec],
        _ body: @escaping @Sendable (any GroupMember) async throws -> Void
    ) async throws {
        let partitions = allPartitions(topics)
        try await GroupProbe.run { probe in
            let options = engine.options("group", topics: topics.map(\.name), clientID: "only")
            let member = try await probe.join("only", log, options, habits: .init(startsAt: nil))
            try await probe.wait { $0.isShared(partitions, by: ["only"]) }
            try await body(member)
        }
    }

    static func allPartitions(_ topics: [TopicSpec]) -> Set<TopicPartition> {
        Set(topics.flatMap { topic in (0..<topic.partitions).map { TopicPartition(topic.name, $0) } })
    }
}
