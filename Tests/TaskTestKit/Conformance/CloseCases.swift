internal import TaskLog

extension LogConformance {
    static let closeCases: [ConformanceCase] = [
        ConformanceCase("close wakes a waiting member and follower, and may be called again") { engine in
            let spec = engine.spec("close")
            try await engine.withLog([spec]) { log in
                let partition = TopicPartition(spec.name, 0)
                let member = try await log.join(engine.options("group", topics: [spec.name], clientID: "only"))
                try await startAll(member, [partition])
                let follower = try await log.follow([partition: 0])
                async let memberEnd: Void = checkEnded("member") { try await member.next() == nil }
                async let followerEnd: Void = checkEnded("follower") { try await follower.next() == nil }
                await log.close()
                try await memberEnd
                try await followerEnd
                try await checkEnded("member, again") { try await member.next() == nil }
                try await checkEnded("follower, again") { try await follower.next() == nil }
                await log.close()
            }
        },
        ConformanceCase("a closed handle answers closed, others go on") { engine in
            let spec = engine.spec("closed")
            try await engine.withLogs(2, [spec]) { logs in
                let partition = TopicPartition(spec.name, 0)
                try await logs[0].appendAll([.text(partition, "before")])
                await logs[0].close()
                try await checkThrows(.closed, "append") { _ = try await logs[0].append(.text(partition, "x")) }
                try await checkThrows(.closed, "bounds") { _ = try await logs[0].bounds(of: [partition]) }
                try await checkThrows(.closed, "follow") { _ = try await logs[0].follow([partition: 0]) }
                try await checkThrows(.closed, "join") {
                    _ = try await logs[0].join(engine.options("group", topics: [spec.name], clientID: "late"))
                }
                try await logs[1].appendAll([.text(partition, "after")])
                let texts = try await logs[1].contents(of: partition).map { $0.text ?? "nil" }
                try checkEqual(texts, ["before", "after"], "records")
            }
        },
    ]

    /// Either end is right: nil, or `closed`.
    private static func checkEnded(_ what: String, _ isNil: @Sendable () async throws -> Bool) async throws {
        do {
            try check(try await isNil(), "\(what): next gave something after close")
        } catch let error as LogError where error.code == .closed {}
    }
}
