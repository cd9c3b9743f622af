internal import TaskLog

extension LogConformance {
    static let followerCases: [ConformanceCase] = [
        ConformanceCase("a follower reads from its positions on, and what another handle appends later") { engine in
            let spec = engine.spec("follow", partitions: 2)
            try await engine.withLogs(2, [spec]) { logs in
                let zero = TopicPartition(spec.name, 0)
                let one = TopicPartition(spec.name, 1)
                try await logs[0].appendAll(LogAppend.numbers(zero, 0..<10) + LogAppend.numbers(one, 0..<10))
                let follower = try await logs[1].follow([zero: 4, one: 10])
                try await expect(follower, zero, (4..<10).map(String.init))
                for number in 10..<14 {
                    try await logs[0].appendAll(LogAppend.numbers(one, number..<number + 1))
                    try await expect(follower, one, [String(number)])
                }
                await follower.close()
            }
        },
        ConformanceCase("a follower takes partitions in, moves them, and lets them go") { engine in
            let spec = engine.spec("change", partitions: 2)
            try await engine.withLog([spec]) { log in
                let zero = TopicPartition(spec.name, 0)
                let one = TopicPartition(spec.name, 1)
                try await log.appendAll(LogAppend.numbers(zero, 0..<5) + LogAppend.numbers(one, 0..<5))
                let follower = try await log.follow([zero: 0])
                try await expect(follower, zero, (0..<5).map(String.init))
                try await follower.add([one: 2])
                try await expect(follower, one, ["2", "3", "4"])
                try await follower.add([zero: 3])
                try await expect(follower, zero, ["3", "4"])
                await follower.remove([zero])
                try await log.appendAll(LogAppend.numbers(zero, 5..<8) + LogAppend.numbers(one, 5..<6))
                try await expect(follower, one, ["5"])
                try await follower.add([zero: 5])
                try await expect(follower, zero, ["5", "6", "7"])
                await follower.close()
            }
        },
        ConformanceCase("a follower skips what it need not bring, and nothing else") { engine in
            let spec = engine.spec("skip", partitions: 2)
            try await engine.withLog([spec]) { log in
                let zero = TopicPartition(spec.name, 0)
                let one = TopicPartition(spec.name, 1)
                try await log.appendAll(LogAppend.numbers(zero, 0..<10) + LogAppend.numbers(one, 0..<10))
                let follower = try await log.follow([zero: 0])
                follower.skip(to: [zero: 4, one: 4])
                try await expect(follower, zero, from: 4, through: 9)
                follower.skip(to: [zero: 3])
                try await log.appendAll(LogAppend.numbers(zero, 10..<20))
                try await expect(follower, zero, from: 10, through: 19)
                follower.skip(to: [zero: 20])
                try await log.appendAll(LogAppend.numbers(zero, 20..<25))
                try await expect(follower, zero, from: 20, through: 24)
                await follower.close()
            }
        },
        ConformanceCase("a follower of nothing takes a partition in while it waits") { engine in
            let spec = engine.spec("nothing")
            try await engine.withLog([spec]) { log in
                let partition = TopicPartition(spec.name, 0)
                try await log.appendAll(LogAppend.numbers(partition, 0..<3))
                let follower = try await log.follow([:])
                async let first = follower.next()
                try await follower.add([partition: 0])
                var texts = (try await first ?? []).map { $0.text ?? "nil" }
                while texts.count < 3, let batch = try await follower.next() { texts += batch.map { $0.text ?? "nil" } }
                try checkEqual(texts, ["0", "1", "2"], "records")
                await follower.close()
            }
        },
        ConformanceCase("a closed follower ends, with or without somebody waiting") { engine in
            let spec = engine.spec("end")
            try await engine.withLog([spec]) { log in
                let partition = TopicPartition(spec.name, 0)
                let follower = try await log.follow([partition: 0])
                async let waiting = follower.next()
                await follower.close()
                try check(try await waiting == nil, "next of a closed follower")
                try check(try await follower.next() == nil, "next after close")
                await follower.close()
            }
        },
    ]

    /// Reads from the follower through the last of these numbers: all of them, and none twice. Lower ones may come first.
    private static func expect(
        _ follower: any LogFollower, _ partition: TopicPartition, from first: Int, through last: Int,
        file: String = #fileID, line: Int = #line
    ) async throws {
        var found: [LogRecord] = []
        while found.last?.text != String(last) {
            guard let batch = try await follower.next() else {
                throw ConformanceFailure("the follower ended after \(found.count)", file: file, line: line)
            }
            found += batch
        }
        let numbers = found.compactMap(\.text).compactMap(Int.init)
        try checkEqual(numbers.filter { $0 >= first }, Array(first...last), "numbers", file: file, line: line)
        try checkEqual(numbers, numbers.sorted(), "order", file: file, line: line)
        try checkEqual(Set(found.map(\.topicPartition)), [partition], "partitions", file: file, line: line)
    }

    /// Reads exactly these values, all of one partition, from the follower.
    private static func expect(
        _ follower: any LogFollower, _ partition: TopicPartition, _ texts: [String],
        file: String = #fileID, line: Int = #line
    ) async throws {
        var found: [LogRecord] = []
        while found.count < texts.count {
            guard let batch = try await follower.next() else {
                throw ConformanceFailure("the follower ended after \(found.count)", file: file, line: line)
            }
            try check(!batch.isEmpty, "an empty batch", file: file, line: line)
            found += batch
        }
        try checkEqual(found.map { $0.text ?? "nil" }, texts, "values", file: file, line: line)
        let others = found.filter { $0.topicPartition != partition }
        try check(others.isEmpty, "records of other partitions: \(others)", file: file, line: line)
    }
}
