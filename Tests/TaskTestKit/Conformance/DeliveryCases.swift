internal import TaskLog

extension LogConformance {
    static let deliveryCases: [ConformanceCase] = [
        ConformanceCase("nothing is fetched before start") { engine in
            let spec = engine.spec("start", partitions: 2)
            try await engine.withLog([spec]) { log in
                let started = TopicPartition(spec.name, 0)
                let waiting = TopicPartition(spec.name, 1)
                try await log.appendAll(LogAppend.numbers(started, 0..<5) + LogAppend.numbers(waiting, 0..<5))
                try await GroupProbe.run { probe in
                    let options = engine.options("group", topics: [spec.name], clientID: "only")
                    try await probe.join("only", log, options, habits: .init(startsAt: nil))
                    try await probe.wait { $0.isShared([started, waiting], by: ["only"]) }
                    try await probe.start("only", [started: 0])
                    let seen = try await probe.wait { $0.texts(of: "only", in: started).count >= 5 }
                    try checkEqual(seen.texts(of: "only", in: waiting), [], "records of the other partition")
                    try await probe.start("only", [waiting: 0])
                    try await probe.expect("only", waiting, (0..<5).map(String.init))
                }
            }
        },
        ConformanceCase("fetching starts in the middle, and a restart backwards delivers again") { engine in
            let spec = engine.spec("restart")
            try await engine.withLog([spec]) { log in
                let partition = TopicPartition(spec.name, 0)
                try await log.appendAll(LogAppend.numbers(partition, 0..<10))
                try await GroupProbe.run { probe in
                    let options = engine.options("group", topics: [spec.name], clientID: "only")
                    try await probe.join("only", log, options, habits: .init(startsAt: { _ in 6 }))
                    try await probe.expect("only", partition, ["6", "7", "8", "9"])
                    try await probe.start("only", [partition: 2])
                    let expected = ["6", "7", "8", "9"] + (2..<10).map(String.init)
                    let seen = try await probe.wait { $0.texts(of: "only", in: partition).count >= expected.count }
                    try checkEqual(seen.texts(of: "only", in: partition), expected, "records")
                    try await probe.start("only", [partition: 10])
                    try await log.appendAll(LogAppend.numbers(partition, 10..<12))
                    try await probe.expect("only", partition, expected + ["10", "11"])
                }
            }
        },
        ConformanceCase("a member waits for records that come later, from another handle") { engine in
            let spec = engine.spec("later")
            try await engine.withLogs(2, [spec]) { logs in
                let partition = TopicPartition(spec.name, 0)
                try await GroupProbe.run { probe in
                    let options = engine.options("group", topics: [spec.name], clientID: "only")
                    try await probe.join("only", logs[0], options)
                    try await probe.wait { $0.members["only"]?.started == [partition] }
                    for number in 0..<5 {
                        try await logs[1].appendAll(LogAppend.numbers(partition, number..<number + 1))
                        let expected = (0...number).map(String.init)
                        try await probe.expect("only", partition, expected)
                    }
                }
            }
        },
        ConformanceCase("pause and resume lose none and repeat none") { engine in
            let spec = engine.spec("pause", partitions: 2)
            try await engine.withLog([spec]) { log in
                let paused = TopicPartition(spec.name, 0)
                let other = TopicPartition(spec.name, 1)
                try await GroupProbe.run { probe in
                    let options = engine.options("group", topics: [spec.name], clientID: "only")
                    let member = try await probe.join("only", log, options)
                    try await log.appendAll(LogAppend.numbers(paused, 0..<10) + LogAppend.numbers(other, 0..<10))
                    for round in 1..<4 {
                        let range = round * 10..<round * 10 + 10
                        let before = (0..<range.lowerBound).map(String.init)
                        let after = (0..<range.upperBound).map(String.init)
                        try await probe.expect("only", paused, before)
                        await member.pause([paused])
                        try await log.appendAll(LogAppend.numbers(paused, range) + LogAppend.numbers(other, range))
                        let seen = try await probe.expect("only", other, after)
                        try checkEqual(seen.texts(of: "only", in: paused), before, "records of the paused partition")
                        await member.resume([paused])
                        try await probe.expect("only", paused, after)
                    }
                }
            }
        },
        ConformanceCase("a pause in the middle of a backlog loses none and repeats none") { engine in
            let spec = engine.spec("backlog", partitions: 2)
            try await engine.withLog([spec]) { log in
                let paused = TopicPartition(spec.name, 0)
                let other = TopicPartition(spec.name, 1)
                try await log.appendAll(LogAppend.numbers(paused, 0..<500))
                let member = try await log.join(
                    engine.options("group", topics: [spec.name], clientID: "only", maximumBatchRecords: 20))
                try await startAll(member, [paused, other])
                var found = try await records(of: member) { $0.count >= 20 }
                await member.pause([paused])
                _ = try await log.append(.text(other, "marker"))
                let until = try await records(of: member) { $0.contains { $0.topicPartition == other } }
                try checkEqual(until.filter { $0.topicPartition == paused }.count, 0, "records while paused")
                await member.resume([paused])
                let missing = 500 - found.count
                found += try await records(of: member) { $0.count >= missing }
                try checkEqual(found.map { $0.text ?? "nil" }, (0..<500).map(String.init), "all records")
                await member.leave()
            }
        },
        ConformanceCase("batches keep to their limit") { engine in
            let spec = engine.spec("batch")
            try await engine.withLog([spec]) { log in
                let partition = TopicPartition(spec.name, 0)
                try await log.appendAll(LogAppend.numbers(partition, 0..<100))
                let member = try await log.join(
                    engine.options("group", topics: [spec.name], clientID: "only", maximumBatchRecords: 7))
                try await startAll(member, [partition])
                var found = 0
                while found < 100 {
                    guard case .records(let batch) = try await member.next() else {
                        throw ConformanceFailure("expected records")
                    }
                    try check((1...7).contains(batch.count), "a batch of \(batch.count)")
                    found += batch.count
                }
                await member.leave()
            }
        },
        ConformanceCase("a slow reader gets 20,000 records, in order, once", requires: [.largeBacklog]) { engine in
            let spec = engine.spec("pressure")
            try await engine.withLog([spec]) { log in
                let partition = TopicPartition(spec.name, 0)
                let value = Array(repeating: UInt8(ascii: "x"), count: 100)
                for start in stride(from: 0, to: 20_000, by: 1000) {
                    try await log.appendAll(
                        (start..<start + 1000).map {
                            LogAppend(topic: spec.name, partition: 0, key: Array(String($0).utf8), value: value)
                        })
                }
                let member = try await log.join(
                    engine.options(
                        "group", topics: [spec.name], clientID: "only", maximumBatchRecords: 500,
                        maximumBufferedBytes: 64 << 10))
                try await startAll(member, [partition])
                var next = 0
                while next < 20_000 {
                    guard case .records(let batch) = try await member.next() else {
                        throw ConformanceFailure("expected records")
                    }
                    for record in batch {
                        try check(record.key == Array(String(next).utf8), "record \(next) is at \(record.offset)")
                        next += 1
                    }
                    // The reader is slow: it asks the log something between batches.
                    _ = try await log.bounds(of: partition)
                }
                _ = try await log.append(.text(partition, "last"))
                let last = try await records(of: member) { !$0.isEmpty }
                try checkEqual(last.map { $0.text ?? "nil" }, ["last"], "what comes after")
                await member.leave()
            }
        },
        ConformanceCase("after leave, next ends and nothing is delivered") { engine in
            let spec = engine.spec("left")
            try await engine.withLog([spec]) { log in
                let partition = TopicPartition(spec.name, 0)
                let member = try await log.join(engine.options("group", topics: [spec.name], clientID: "only"))
                try await startAll(member, [partition])
                await member.leave()
                _ = try await log.append(.text(partition, "x"))
                try check(try await member.next() == nil, "next after leave")
                await member.leave()
            }
        },
    ]

    /// Waits until all of `partitions` are assigned and starts them at 0.
    static func startAll(_ member: any GroupMember, _ partitions: Set<TopicPartition>) async throws {
        var owned: Set<TopicPartition> = []
        while owned != partitions {
            guard case .assigned(let more, _) = try await member.next() else {
                throw ConformanceFailure("expected an assignment first")
            }
            owned.formUnion(more)
        }
        try await member.start(partitions.reduce(into: [:]) { $0[$1] = 0 })
    }

    /// Reads records until there are enough; anything but records is a failure.
    private static func records(
        of member: any GroupMember, until isEnough: ([LogRecord]) -> Bool
    ) async throws -> [LogRecord] {
        var found: [LogRecord] = []
        while !isEnough(found) {
            guard case .records(let batch) = try await member.next() else {
                throw ConformanceFailure("expected records")
            }
            found += batch
        }
        return found
    }
}
