internal import TaskLog

extension LogConformance {
    static let membershipCases: [ConformanceCase] = [
        ConformanceCase("a group of one owns everything") { engine in
            let specs = [engine.spec("left", partitions: 4), engine.spec("right", partitions: 2)]
            try await engine.withLog(specs) { log in
                try await withOnlyMember(engine, log, specs) { _ in }
            }
        },
        ConformanceCase("two and three members: each partition has one owner, epochs grow", requires: [.rebalancing]) {
            engine in
            let specs = [engine.spec("left", partitions: 6), engine.spec("right", partitions: 6)]
            try await engine.withLogs(3, specs) { logs in
                let all = allPartitions(specs)
                try await GroupProbe.run { probe in
                    var epoch: Int64 = -1
                    for (index, name) in ["a", "b", "c"].enumerated() {
                        let options = engine.options("group", topics: specs.map(\.name), clientID: name)
                        try await probe.join(name, logs[index], options)
                        let names = Array(["a", "b", "c"].prefix(index + 1))
                        let seen = try await probe.wait { $0.isShared(all, by: names) }
                        let epochs = names.compactMap { seen.members[$0]?.epochs.last }
                        try check(epochs.allSatisfy { $0 > epoch }, "epochs \(epochs) after \(epoch)")
                        epoch = epochs.max() ?? epoch
                        try checkCoPartitioned(seen, names, specs)
                    }
                }
            }
        },
        ConformanceCase("after a rebalance every record reaches one member", requires: [.rebalancing]) { engine in
            let spec = engine.spec("share", partitions: 4)
            try await engine.withLogs(2, [spec]) { logs in
                let all = allPartitions([spec])
                try await GroupProbe.run { probe in
                    for (index, name) in ["a", "b"].enumerated() {
                        let options = engine.options("group", topics: [spec.name], clientID: name)
                        try await probe.join(name, logs[index], options)
                    }
                    try await probe.wait { $0.isShared(all, by: ["a", "b"]) }
                    for partition in all.sorted() {
                        try await logs[0].appendAll(LogAppend.numbers(partition, 0..<10))
                    }
                    let expected = (0..<10).map(String.init)
                    let seen = try await probe.wait { seen in
                        ["a", "b"].reduce(0) { $0 + (seen.members[$1]?.records.count ?? 0) } >= 40
                    }
                    for name in ["a", "b"] {
                        for partition in seen.members[name]?.owned ?? [] {
                            try checkEqual(seen.texts(of: name, in: partition), expected, "\(name) on \(partition)")
                        }
                    }
                }
            }
        },
        ConformanceCase("when a member leaves, the others take over at once", requires: [.rebalancing]) { engine in
            let spec = engine.spec("leave", partitions: 4)
            try await engine.withLogs(2, [spec]) { logs in
                let all = allPartitions([spec])
                try await GroupProbe.run { probe in
                    for (index, name) in ["a", "b"].enumerated() {
                        let options = engine.options("group", topics: [spec.name], clientID: name)
                        try await probe.join(name, logs[index], options)
                    }
                    try await probe.wait { $0.isShared(all, by: ["a", "b"]) }
                    await probe.leave("a")
                    try await probe.wait { $0.isShared(all, by: ["b"]) && $0.members["a"]?.hasEnded == true }
                }
            }
        },
        ConformanceCase("when a handle is closed, the others take over at once", requires: [.rebalancing]) { engine in
            let spec = engine.spec("closing", partitions: 4)
            try await engine.withLogs(2, [spec]) { logs in
                let all = allPartitions([spec])
                try await GroupProbe.run { probe in
                    for (index, name) in ["a", "b"].enumerated() {
                        let options = engine.options("group", topics: [spec.name], clientID: name)
                        try await probe.join(name, logs[index], options)
                    }
                    try await probe.wait { $0.isShared(all, by: ["a", "b"]) }
                    probe.expectZombie("a")
                    await logs[0].close()
                    try await probe.wait { $0.isShared(all, by: ["b"]) && $0.members["a"]?.hasEnded == true }
                }
            }
        },
        ConformanceCase(
            "when a member vanishes, the others take over after the session", requires: [.rebalancing, .memberVanish]
        ) {
            engine in
            let spec = engine.spec("vanish", partitions: 4)
            try await withZombie(engine, spec) { probe, _, _ in
                let seen = try await probe.wait { !($0.members["a"]?.lost.isEmpty ?? true) }
                try check(seen.members["a"]!.owned.isEmpty, "the zombie heard of its loss")
            }
        },
        ConformanceCase("a zombie's commit is fenced, its append is not", requires: [.rebalancing, .memberVanish]) {
            engine in
            let spec = engine.spec("zombie", partitions: 4)
            try await withZombie(engine, spec) { _, zombie, logs in
                let partition = TopicPartition(spec.name, 0)
                try await checkThrows(.fenced, "the zombie's commit") {
                    try await zombie.commit([partition: CommittedOffset(offset: 1, metadata: "zombie")])
                }
                let found = try await logs[1].committed(group: engine.topic("group"), partitions: [partition])
                try checkEqual(found, [:], "committed")
                let receipt = try await logs[0].append(.text(partition, "late"))
                try checkEqual(try await logs[1].bounds(of: partition).end, receipt.offset + 1, "end")
            }
        },
        ConformanceCase("a commit after the release is fenced", requires: [.rebalancing]) { engine in
            let spec = engine.spec("released", partitions: 2)
            try await engine.withLogs(2, [spec]) { logs in
                let all = allPartitions([spec])
                try await GroupProbe.run { probe in
                    let options = engine.options("group", topics: [spec.name], clientID: "a")
                    let first = try await probe.join("a", logs[0], options)
                    try await probe.wait { $0.isShared(all, by: ["a"]) }
                    try await first.commit([TopicPartition(spec.name, 1): CommittedOffset(offset: 1)])
                    try await probe.join(
                        "b", logs[1], engine.options("group", topics: [spec.name], clientID: "b"))
                    let seen = try await probe.wait { $0.isShared(all, by: ["a", "b"]) }
                    let gone = seen.members["b"]!.owned.sorted()[0]
                    try await checkThrows(.fenced, "commit of \(gone)") {
                        try await first.commit([gone: CommittedOffset(offset: 2)])
                    }
                    let kept = seen.members["a"]!.owned.sorted()[0]
                    try await first.commit([kept: CommittedOffset(offset: 2)])
                }
            }
        },
        ConformanceCase(
            "between revoking and release a commit counts, and the next owner reads it", requires: [.rebalancing]
        ) {
            engine in
            let spec = engine.spec("handover", partitions: 2)
            try await engine.withLogs(2, [spec]) { logs in
                let all = allPartitions([spec])
                try await GroupProbe.run { probe in
                    let options = engine.options("group", topics: [spec.name], clientID: "a")
                    let first = try await probe.join("a", logs[0], options, habits: .init(releases: false))
                    try await probe.wait { $0.isShared(all, by: ["a"]) }
                    try await probe.join(
                        "b", logs[1], engine.options("group", topics: [spec.name], clientID: "b"))
                    // An engine may announce all partitions or only those that move.
                    let seen = try await probe.wait { !($0.members["a"]?.revoked.isEmpty ?? true) }
                    let moving = seen.members["a"]!.revoked
                    let handedOver = moving.reduce(into: [:]) { $0[$1] = CommittedOffset(offset: 7, metadata: "clean") }
                    try await first.commit(handedOver)
                    await probe.release("a", moving)
                    try await probe.wait { $0.isShared(all, by: ["a", "b"]) }
                    let found = try await logs[1].committed(group: engine.topic("group"), partitions: Array(all))
                    try checkEqual(found, handedOver, "committed")
                }
            }
        },
        ConformanceCase("a member too many waits, and takes over when another leaves", requires: [.rebalancing]) {
            engine in
            let spec = engine.spec("spare", partitions: 1)
            try await engine.withLogs(2, [spec]) { logs in
                let all = allPartitions([spec])
                try await GroupProbe.run { probe in
                    for (index, name) in ["a", "b"].enumerated() {
                        let options = engine.options("group", topics: [spec.name], clientID: name)
                        try await probe.join(name, logs[index], options)
                        try await probe.wait { $0.isShared(all, by: ["a"]) || $0.isShared(all, by: ["b"]) }
                    }
                    await probe.leave("a")
                    try await probe.wait { $0.isShared(all, by: ["b"]) }
                }
            }
        },
        ConformanceCase("what the group does not ask back is not given away") { engine in
            let spec = engine.spec("kept", partitions: 1)
            try await engine.withLog([spec]) { log in
                let partition = TopicPartition(spec.name, 0)
                let member = try await log.join(engine.options("group", topics: [spec.name], clientID: "kept"))
                try await startAll(member, allPartitions([spec]))
                // The hand-off of an assignment that was lost, and came back before the log had answered.
                await member.release([partition])
                try await log.appendAll([.text(partition, "mine")])
                guard case .records(let records) = try await member.next() else {
                    throw ConformanceFailure("expected records")
                }
                try checkEqual(records.map(\.text), ["mine"], "records")
                try await member.commit([partition: CommittedOffset(offset: 1)])
                await member.leave()
            }
        },
        ConformanceCase("a member that nobody asks for its records is slow, not dead") { engine in
            let spec = engine.spec("slow", partitions: 2)
            try await engine.withLog([spec]) { log in
                let partition = TopicPartition(spec.name, 0)
                let member = try await log.join(engine.options("group", topics: [spec.name], clientID: "slow"))
                try await startAll(member, allPartitions([spec]))
                try await log.appendAll(LogAppend.numbers(partition, 0..<3))
                for _ in 0..<3 { try await engine.elapse(Int64(engine.sessionTimeoutMilliseconds)) }
                try await member.commit([partition: CommittedOffset(offset: 1)])
                guard case .records(let records) = try await member.next() else {
                    throw ConformanceFailure("expected records")
                }
                try checkEqual(records.first?.text, "0", "first record")
                await member.leave()
            }
        },
        ConformanceCase(
            "a member that never releases loses its partitions, the others go on",
            requires: [.rebalancing, .revokeDeadline]
        ) { engine in
            let spec = engine.spec("deadline", partitions: 4)
            try await engine.withLogs(2, [spec]) { logs in
                let all = allPartitions([spec])
                try await GroupProbe.run { probe in
                    let options = engine.options("group", topics: [spec.name], clientID: "a")
                    try await probe.join("a", logs[0], options, habits: .init(releases: false))
                    try await probe.wait { $0.isShared(all, by: ["a"]) }
                    try await probe.join(
                        "b", logs[1], engine.options("group", topics: [spec.name], clientID: "b"))
                    let revoked = try await probe.wait { !($0.members["a"]?.revoked.isEmpty ?? true) }
                        .members["a"]!.revoked
                    try await engine.elapse(Int64(engine.revokeTimeoutMilliseconds) + 1)
                    let seen = try await probe.wait { seen in
                        !(seen.members["b"]?.owned.isEmpty ?? true)
                            && seen.members["a"]?.lost.isSuperset(of: revoked) == true
                    }
                    let other = seen.members["b"]!.owned.sorted()[0]
                    try await logs[0].appendAll(LogAppend.numbers(other, 0..<3))
                    try await probe.expect("b", other, ["0", "1", "2"])
                }
            }
        },
    ]

    /// Members a (on handle 0) and b (on handle 1) share `spec`; then a falls silent, and b has taken over when `body` runs.
    private static func withZombie(
        _ engine: EngineUnderTest, _ spec: TopicSpec,
        _ body: @escaping @Sendable (GroupProbe, any GroupMember, [any TaskLog]) async throws -> Void
    ) async throws {
        try await engine.withLogs(2, [spec]) { logs in
            let all = allPartitions([spec])
            try await GroupProbe.run { probe in
                let options = engine.options("group", topics: [spec.name], clientID: "a")
                let zombie = try await probe.join("a", logs[0], options)
                try await probe.join("b", logs[1], engine.options("group", topics: [spec.name], clientID: "b"))
                try await probe.wait { $0.isShared(all, by: ["a", "b"]) }
                probe.expectZombie("a")
                try await engine.vanish(zombie)
                try await engine.elapse(Int64(engine.sessionTimeoutMilliseconds) + 1)
                try await probe.wait { $0.isShared(all, by: ["b"]) }
                try await body(probe, zombie, logs)
            }
        }
    }

    /// Topics of equal partition counts are assigned alike, so that a ledger lies with its due partition.
    private static func checkCoPartitioned(_ seen: GroupProbe.Seen, _ names: [String], _ specs: [TopicSpec]) throws {
        for name in names {
            let numbers = specs.map { spec in
                (seen.members[name]?.owned ?? []).filter { $0.topic == spec.name }.map(\.partition).sorted()
            }
            try check(numbers.allSatisfy { $0 == numbers[0] }, "\(name) owns \(numbers) of the two topics")
        }
    }
}
