internal import TaskLog
internal import TaskModel

extension LogConformance {
    static let contentCases: [ConformanceCase] = [
        ConformanceCase("keys and values: bytes, empty and absent are three things") { engine in
            let spec = engine.spec("content")
            let contents: [[UInt8]?] = [Array("text".utf8), [0, 255, 10, 13, 0], [], nil]
            let pairs = contents.flatMap { key in contents.map { (key, $0) } }
            try await keepsExactly(
                engine, spec,
                pairs.map { LogAppend(topic: spec.name, partition: 0, key: $0.0, value: $0.1) })
        },
        ConformanceCase("headers: all byte values, empty, absent, repeated and in order") { engine in
            let spec = engine.spec("headers")
            let headers: RecordHeaders = [
                RecordHeader("bytes", Array(UInt8.min...UInt8.max)), RecordHeader("same", "first"),
                RecordHeader("empty", []), RecordHeader("absent", nil as [UInt8]?), RecordHeader("same", "second"),
                RecordHeader("same", nil as [UInt8]?), RecordHeader("näme-ü", "wért"),
            ]
            let bytes = RecordHeaders((0...255).map { RecordHeader("b\($0)", [UInt8($0)]) })
            try await keepsExactly(
                engine, spec,
                [headers, bytes, []].map {
                    LogAppend(topic: spec.name, partition: 0, key: [1], value: [2], headers: $0)
                })
        },
        ConformanceCase("a record of a megabyte less its framing comes back whole") { engine in
            let spec = engine.spec("big", maximumRecordBytes: 1_048_576)
            let value = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            try await keepsExactly(
                engine, spec, [LogAppend(topic: spec.name, partition: 0, key: [1], value: value)])
        },
    ]

    /// Appends, and compares what a scan, a group member and a follower see.
    private static func keepsExactly(
        _ engine: EngineUnderTest, _ spec: TopicSpec, _ records: [LogAppend]
    ) async throws {
        try await engine.withLogs(2, [spec]) { logs in
            let partition = TopicPartition(spec.name, 0)
            try await logs[0].appendAll(records)
            try checkSame(try await logs[1].contents(of: partition), records, "scan")
            let follower = try await logs[1].follow([partition: 0])
            var followed: [LogRecord] = []
            while followed.count < records.count, let batch = try await follower.next() { followed += batch }
            await follower.close()
            try checkSame(followed, records, "follower")
            try await GroupProbe.run { probe in
                try await probe.join("only", logs[1], engine.options("content", topics: [spec.name], clientID: "only"))
                let seen = try await probe.wait { $0.members["only"]!.records.count >= records.count }
                try checkSame(seen.members["only"]!.records, records, "member")
            }
        }
    }

    private static func checkSame(_ found: [LogRecord], _ expected: [LogAppend], _ reader: String) throws {
        try checkEqual(found.count, expected.count, "records seen by \(reader)")
        for (found, expected) in zip(found, expected) {
            // Not printed whole: a value may be a megabyte.
            try check(
                found.key == expected.key, "\(reader): key at \(found.offset) is \(String(describing: found.key))")
            try check(found.value == expected.value, "\(reader): value at \(found.offset) differs")
            try check(found.headers == expected.headers, "\(reader): headers at \(found.offset): \(found.headers)")
        }
    }
}
