internal import TaskLog
internal import TaskModel

extension LogConformance {
    static let readCases: [ConformanceCase] = [
        ConformanceCase("bounds of an empty and of a filled partition") { engine in
            let spec = engine.spec("bounds", partitions: 2)
            try await engine.withLog([spec]) { log in
                let empty = TopicPartition(spec.name, 0)
                let filled = TopicPartition(spec.name, 1)
                let receipts = try await log.appendAll(LogAppend.numbers(filled, 0..<7))
                let bounds = try await log.bounds(of: [empty, filled])
                try checkEqual(bounds[empty], OffsetBounds(start: 0, end: 0), "empty")
                try checkEqual(bounds[filled], OffsetBounds(start: 0, end: receipts[6].offset + 1), "filled")
            }
        },
        ConformanceCase("the offset for a time: before, exact, between, after", requires: [.brokerTime, .timeLookup]) {
            engine in
            let spec = engine.spec("lookup")
            try await engine.withLog([spec]) { log in
                let partition = TopicPartition(spec.name, 0)
                var receipts: [AppendReceipt] = []
                for _ in 0..<3 { try await appendUntilNewTime(log, partition, engine, &receipts) }
                let end = try await log.bounds(of: partition).end
                let (first, last) = (receipts[0].timestamp, receipts.last!.timestamp)
                let second = receipts.first { $0.timestamp != first }!
                try checkEqual(try await log.offset(for: second.timestamp, in: partition), second.offset, "second time")
                try checkEqual(try await log.offset(for: first - 1000, in: partition), 0, "before the first")
                try checkEqual(try await log.offset(for: last + 60_000, in: partition), end, "after the end")
                // A broker's own clock decides which of the times between have a record.
                for time in Set(receipts.flatMap { [$0.timestamp - 1, $0.timestamp, $0.timestamp + 1] }) {
                    let expected = receipts.first { $0.timestamp >= time }?.offset ?? end
                    try checkEqual(try await log.offset(for: time, in: partition), expected, "at \(time)")
                }
                let empty = engine.spec("none")
                if engine.capabilities.contains(.createTopics) {
                    _ = try await log.ensure(topics: [empty])
                    let found = try await log.offset(for: first, in: TopicPartition(empty.name, 0))
                    try checkEqual(found, 0, "in an empty partition")
                }
            }
        },
        ConformanceCase("a scan reads from its start up to its end, not beyond, and says where it ended") { engine in
            let spec = engine.spec("scan")
            try await engine.withLog([spec]) { log in
                let partition = TopicPartition(spec.name, 0)
                try await log.appendAll(LogAppend.numbers(partition, 0..<100))
                let (found, position) = try await scan(log, partition, 30, 80)
                try checkEqual(found.map(\.offset), Array(30..<80), "offsets")
                try checkEqual(position, 80, "position")
                let (nothing, stayed) = try await scan(log, partition, 100, 100)
                try checkEqual(nothing.count, 0, "records of an empty range")
                try checkEqual(stayed, 100, "position of an empty range")
            }
        },
        ConformanceCase("a scan stops early when told, and says after which record") { engine in
            let spec = engine.spec("stop")
            try await engine.withLog([spec]) { log in
                let partition = TopicPartition(spec.name, 0)
                // More than one batch, whatever an engine takes for a batch.
                let padding = String(repeating: ".", count: 600)
                for start in stride(from: 0, to: 4000, by: 1000) {
                    try await log.appendAll((start..<start + 1000).map { .text(partition, "\($0)\(padding)") })
                }
                let batches = Observed<[[Int64]]>([])
                let position = try await log.scan(partition, from: 10, to: 4000) { batch in
                    batches.update { $0.append(batch.map(\.offset)) }
                    return false
                }
                try checkEqual(batches.value.count, 1, "batches before the stop")
                let offsets = batches.value[0]
                try check(!offsets.isEmpty, "an empty batch")
                try checkEqual(offsets, Array(10..<10 + Int64(offsets.count)), "offsets")
                try checkEqual(position, offsets.last! + 1, "position")
                let (rest, end) = try await scan(log, partition, position, 4000)
                try checkEqual(offsets + rest.map(\.offset), Array(10..<4000), "both parts")
                try checkEqual(end, 4000, "end")
            }
        },
        ConformanceCase("a scan throws what its body throws") { engine in
            struct Mine: Error {}
            let spec = engine.spec("throws")
            try await engine.withLog([spec]) { log in
                let partition = TopicPartition(spec.name, 0)
                try await log.appendAll(LogAppend.numbers(partition, 0..<5))
                do {
                    try await log.scan(partition, from: 0, to: 5) { _ in throw Mine() }
                    throw ConformanceFailure("the error of the body was swallowed")
                } catch is Mine {}
            }
        },
        ConformanceCase("a scan from below the first kept record begins there", requires: [.trim]) { engine in
            let spec = engine.spec("below")
            try await engine.withLog([spec]) { log in
                let partition = TopicPartition(spec.name, 0)
                try await log.appendAll(LogAppend.numbers(partition, 0..<20))
                try await log.trim(partition, before: 12)
                let start = try await log.bounds(of: partition).start
                let (found, position) = try await scan(log, partition, 0, 20)
                try checkEqual(found.map(\.offset), Array(start..<20), "offsets")
                try checkEqual(position, 20, "position")
            }
        },
        ConformanceCase("a scan over gaps ends at the true end", requires: [.compactionOnDemand]) { engine in
            let spec = engine.spec("gaps", cleanup: .compact)
            try await engine.withLog([spec]) { log in
                let partition = TopicPartition(spec.name, 0)
                for round in 0..<5 {
                    try await log.appendAll(
                        ["a", "b", "c"].map { (key: String) in .text(partition, "\(key)\(round)", key: key) })
                }
                // The last records may all be tombstones, which compaction can take away too.
                let tombstone = LogAppend(topic: spec.name, partition: 0, key: Array("c".utf8), value: nil)
                try await log.appendAll([tombstone])
                try await engine.compact(spec.name)
                let bounds = try await log.bounds(of: partition)
                try checkEqual(bounds.end, 16, "end after compaction")
                let (found, position) = try await scan(log, partition, bounds.start, bounds.end)
                try checkEqual(position, 16, "position")
                let last = found.reduce(into: [String: String]()) { last, record in
                    last[String(decoding: record.key ?? [], as: UTF8.self)] = record.text
                }
                try checkEqual(last, ["a": "a4", "b": "b4"], "last values, c being deleted")
                let (middle, stopped) = try await scan(log, partition, 2, 9)
                try check(middle.allSatisfy { (2..<9).contains($0.offset) }, "offsets of a part: \(middle)")
                try checkEqual(stopped, 9, "position in a gap")
            }
        },
    ]

    static func scan(
        _ log: any TaskLog, _ partition: TopicPartition, _ start: Int64, _ end: Int64
    ) async throws -> ([LogRecord], Int64) {
        let found = Observed<[LogRecord]>([])
        let position = try await log.scan(partition, from: start, to: end) { batch in
            found.update { $0 += batch }
            return true
        }
        return (found.value, position)
    }

    /// Appends until the broker's time has moved on from that of the first record of this call.
    private static func appendUntilNewTime(
        _ log: any TaskLog, _ partition: TopicPartition, _ engine: EngineUnderTest, _ receipts: inout [AppendReceipt]
    ) async throws {
        let start = receipts.count
        receipts.append(try await log.append(.text(partition, "x")))
        while receipts.last!.timestamp == receipts[start].timestamp {
            try Task.checkCancellation()
            try await engine.elapse(10)
            receipts.append(try await log.append(.text(partition, "x")))
        }
    }
}
