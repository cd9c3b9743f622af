internal import TaskLog
internal import TaskModel

extension LogConformance {
    static let appendCases: [ConformanceCase] = [
        ConformanceCase("append keeps the order of a partition within a call and between calls") { engine in
            let spec = engine.spec("order", partitions: 2)
            try await engine.withLog([spec]) { log in
                let zero = TopicPartition(spec.name, 0)
                let one = TopicPartition(spec.name, 1)
                for start in stride(from: 0, to: 60, by: 20) {
                    let both = zip(
                        LogAppend.numbers(zero, start..<start + 20), LogAppend.numbers(one, start..<start + 20))
                    try await log.appendAll(both.flatMap { [$0, $1] })
                }
                let expected = (0..<60).map(String.init)
                for partition in [zero, one] {
                    try checkEqual(try await log.contents(of: partition).map { $0.text ?? "nil" }, expected, "order")
                }
            }
        },
        ConformanceCase("receipts name the offsets of the records, growing") { engine in
            let spec = engine.spec("receipts")
            try await engine.withLog([spec]) { log in
                let partition = TopicPartition(spec.name, 0)
                var receipts: [AppendReceipt] = []
                for start in [0, 10, 20] {
                    receipts += try await log.appendAll(LogAppend.numbers(partition, start..<start + 5))
                    // One at a time, for which an engine may have another way.
                    for record in LogAppend.numbers(partition, start + 5..<start + 10) {
                        receipts.append(try await log.append(record))
                    }
                }
                try check(zip(receipts, receipts.dropFirst()).allSatisfy { $0.offset < $1.offset }, "offsets grow")
                let found = try await log.contents(of: partition)
                try checkEqual(found.map(\.offset), receipts.map(\.offset), "offsets")
                try checkEqual(found.map { $0.text ?? "nil" }, (0..<30).map(String.init), "values at those offsets")
            }
        },
        ConformanceCase("broker time is sane, does not go back, and is the record's own", requires: [.brokerTime]) {
            engine in
            let spec = engine.spec("time")
            try await engine.withLog([spec]) { log in
                let partition = TopicPartition(spec.name, 0)
                var receipts: [AppendReceipt] = []
                for number in 0..<5 {
                    receipts += try await log.appendAll(LogAppend.numbers(partition, number..<number + 1))
                    try await engine.elapse(7)
                }
                let times = receipts.map(\.timestamp)
                try check(zip(times, times.dropFirst()).allSatisfy { $0 <= $1 }, "time went back: \(times)")
                let now = engine.brokerNow()
                try check(times.allSatisfy { abs($0 - now) < 3_600_000 }, "\(times) is far from \(now)")
                try checkEqual(try await log.contents(of: partition).map(\.timestamp), times, "times of the records")
            }
        },
        ConformanceCase("what is acked is there for another handle") { engine in
            let spec = engine.spec("durable")
            try await engine.withLogs(2, [spec]) { logs in
                let partition = TopicPartition(spec.name, 0)
                let receipts = try await logs[0].appendAll(LogAppend.numbers(partition, 0..<10))
                try checkEqual(try await logs[1].bounds(of: partition).end, receipts[9].offset + 1, "end")
                await logs[0].close()
                let found = try await logs[1].contents(of: partition)
                try checkEqual(found.map { $0.text ?? "nil" }, (0..<10).map(String.init), "values")
            }
        },
        ConformanceCase(
            "an oversize record is refused with both sizes, its neighbours succeed",
            requires: [.recordSizeLimit]
        ) { engine in
            let spec = engine.spec("limit", maximumRecordBytes: 10_000)
            try await engine.withLog([spec]) { log in
                let partition = TopicPartition(spec.name, 0)
                let big = LogAppend(
                    topic: spec.name, partition: 0, key: Array("key".utf8), value: Array(repeating: 7, count: 20_000))
                let results = await log.append([.text(partition, "before"), big, .text(partition, "after")])
                try checkEqual(results.count, 3, "results")
                guard case .failure(let error) = results[1] else {
                    throw ConformanceFailure("a record of 20003 bytes was taken by a topic of 10000")
                }
                try checkEqual(error.code, .recordTooLarge, "code of \(error)")
                try check(!error.isRetriable, "recordTooLarge is never retriable")
                for size in ["20003", "10000"] {
                    try check(error.message.contains(size), "\(size) is missing in: \(error.message)")
                }
                _ = try results[0].get()
                _ = try results[2].get()
                try await checkThrows(.recordTooLarge, "append of it alone") { _ = try await log.append(big) }
                let found = try await log.contents(of: partition).map { $0.text ?? "nil" }
                try checkEqual(found, ["before", "after"], "what was kept")
            }
        },
        ConformanceCase("an unknown topic is told by name", requires: [.unknownTopicErrors]) { engine in
            try await engine.withLog([]) { log in
                let nowhere = TopicPartition(engine.topic("nowhere"), 0)
                try await checkThrows(.unknownTopic, "append") { _ = try await log.append(.text(nowhere, "x")) }
                try await checkThrows(.unknownTopic, "bounds") { _ = try await log.bounds(of: [nowhere]) }
                try checkEqual(try await log.describe(topics: [nowhere.topic]).count, 0, "descriptions")
            }
        },
        ConformanceCase("an unknown partition is an error, its neighbours succeed", requires: [.unknownPartitionErrors])
        {
            engine in
            let spec = engine.spec("two", partitions: 2)
            try await engine.withLog([spec]) { log in
                let known = TopicPartition(spec.name, 1)
                let unknown = TopicPartition(spec.name, 2)
                let results = await log.append([.text(known, "a"), .text(unknown, "b"), .text(known, "c")])
                guard case .failure(let error) = results[1] else {
                    throw ConformanceFailure("partition 2 of 2 took a record")
                }
                try checkEqual(error.code, .unknownPartition, "code of \(error)")
                _ = try (results[0].get(), results[2].get())
                try await checkThrows(.unknownPartition, "append") { _ = try await log.append(.text(unknown, "b")) }
                try await checkThrows(.unknownPartition, "bounds") { _ = try await log.bounds(of: [unknown]) }
            }
        },
        ConformanceCase("fifty appenders to one partition: offsets are unique, each one's order is kept") { engine in
            let spec = engine.spec("crowd")
            try await engine.withLog([spec]) { log in
                let partition = TopicPartition(spec.name, 0)
                let offsets = try await withThrowingTaskGroup(of: [Int64].self) { group in
                    for appender in 0..<50 {
                        group.addTask {
                            var offsets: [Int64] = []
                            for number in 0..<20 {
                                let record = LogAppend.text(partition, "\(appender)/\(number)")
                                offsets.append(try await log.append(record).offset)
                            }
                            return offsets
                        }
                    }
                    return try await group.reduce(into: [Int64]()) { $0 += $1 }
                }
                try checkEqual(Set(offsets).count, 1000, "distinct offsets")
                var next = Array(repeating: 0, count: 50)
                for record in try await log.contents(of: partition) {
                    let parts = (record.text ?? "").split(separator: "/").compactMap { Int($0) }
                    try checkEqual(parts.count, 2, "parts of \(record.text ?? "nil")")
                    try checkEqual(parts[1], next[parts[0]], "next record of appender \(parts[0])")
                    next[parts[0]] += 1
                }
                try check(next.allSatisfy { $0 == 20 }, "records per appender: \(next)")
            }
        },
        ConformanceCase("ensure makes what is missing, changes nothing, and describes", requires: [.createTopics]) {
            engine in
            try await engine.withLogs(2, []) { logs in
                let specs = [engine.spec("one"), engine.spec("three", partitions: 3, cleanup: .compact)]
                let made = try await logs[0].ensure(topics: specs)
                try checkEqual(made.map(\.name), specs.map(\.name), "names")
                try checkEqual(made.map(\.partitions), [1, 3], "partitions")
                try await logs[0].appendAll([.text(TopicPartition(specs[0].name, 0), "kept")])
                let again = try await logs[1].ensure(topics: [engine.spec("one", partitions: 5)])
                try checkEqual(again.map(\.partitions), [1], "partitions of an existing topic")
                try checkEqual(try await logs[1].contents(of: TopicPartition(specs[0].name, 0)).count, 1, "records")
                let described = try await logs[1].describe(topics: specs.map(\.name) + [engine.topic("none")])
                try checkEqual(Set(described.map(\.name)), Set(specs.map(\.name)), "described")
            }
        },
    ]
}
