internal import TaskLog

extension LogConformance {
    static let upkeepCases: [ConformanceCase] = [
        ConformanceCase("trim moves the start and keeps all from its offset on", requires: [.trim]) { engine in
            let spec = engine.spec("trim", partitions: 2)
            try await engine.withLogs(2, [spec]) { logs in
                let partition = TopicPartition(spec.name, 0)
                let other = TopicPartition(spec.name, 1)
                try await logs[0].appendAll(LogAppend.numbers(partition, 0..<10) + LogAppend.numbers(other, 0..<10))
                try await logs[0].trim(partition, before: 4)
                let bounds = try await logs[1].bounds(of: [partition, other])
                // Best effort: it may keep some below, but must not lose one above.
                try check((0...4).contains(bounds[partition]!.start), "start is \(bounds[partition]!.start)")
                try checkEqual(bounds[partition]!.end, 10, "end")
                try checkEqual(bounds[other], OffsetBounds(start: 0, end: 10), "the other partition")
                let kept = try await logs[1].contents(of: partition)
                try checkEqual(kept.map(\.offset), Array(bounds[partition]!.start..<10), "kept offsets")
                try await logs[0].trim(partition, before: 10)
                let receipt = try await logs[0].append(.text(partition, "next"))
                try checkEqual(receipt.offset, 10, "offset after trimming all")
                try checkEqual(try await logs[1].contents(of: partition).last?.text, "next", "last record")
            }
        },
        ConformanceCase("trim is idempotent and never goes back", requires: [.trim]) { engine in
            let spec = engine.spec("again")
            try await engine.withLog([spec]) { log in
                let partition = TopicPartition(spec.name, 0)
                try await log.appendAll(LogAppend.numbers(partition, 0..<10))
                try await log.trim(partition, before: 6)
                let start = try await log.bounds(of: partition).start
                try await log.trim(partition, before: 6)
                try await log.trim(partition, before: 2)
                try checkEqual(try await log.bounds(of: partition), OffsetBounds(start: start, end: 10), "bounds")
            }
        },
        ConformanceCase(
            "compaction keeps the last record of each key, tombstones delete", requires: [.compactionOnDemand]
        ) {
            engine in
            let spec = engine.spec("compact", cleanup: .compact)
            try await engine.withLogs(2, [spec]) { logs in
                let partition = TopicPartition(spec.name, 0)
                let writes: [(String, String?)] = [
                    ("a", "1"), ("b", "1"), ("a", "2"), ("gone", "1"), ("c", "1"), ("gone", nil), ("b", "2"),
                    ("last", "1"),
                ]
                try await logs[0].appendAll(
                    writes.map { key, value in
                        LogAppend(
                            topic: spec.name, partition: 0, key: Array(key.utf8), value: value.map { Array($0.utf8) })
                    })
                try await engine.compact(spec.name)
                let found = try await logs[1].contents(of: partition)
                let values = found.filter { $0.value != nil }.map { record in
                    "\(String(decoding: record.key ?? [], as: UTF8.self))=\(record.text ?? "nil")@\(record.offset)"
                }
                try checkEqual(values, ["a=2@2", "c=1@4", "b=2@6", "last=1@7"], "values")
                let tombstones = found.filter { $0.value == nil }.map(\.offset)
                try check(tombstones == [] || tombstones == [5], "tombstones at \(tombstones)")
                try checkEqual(try await logs[0].append(.text(partition, "2", key: "a")).offset, 8, "next offset")
            }
        },
        ConformanceCase("compaction leaves other topics alone", requires: [.compactionOnDemand]) { engine in
            let compacted = engine.spec("compacted", cleanup: .compact)
            let plain = engine.spec("plain")
            try await engine.withLog([compacted, plain]) { log in
                let partition = TopicPartition(plain.name, 0)
                try await log.appendAll(LogAppend.numbers(partition, 0..<5))
                try await log.appendAll(LogAppend.numbers(TopicPartition(compacted.name, 0), 0..<5))
                try await engine.compact(compacted.name)
                try checkEqual(try await log.contents(of: partition).count, 5, "records with one key")
            }
        },
        ConformanceCase("retention deletes what is too old and moves the start", requires: [.retentionOnDemand]) {
            engine in
            let spec = engine.spec("retention", cleanup: .delete(retentionMilliseconds: 60_000))
            let kept = engine.spec("kept")
            try await engine.withLogs(2, [spec, kept]) { logs in
                let partition = TopicPartition(spec.name, 0)
                try await logs[0].appendAll(LogAppend.numbers(partition, 0..<5))
                try await logs[0].appendAll(LogAppend.numbers(TopicPartition(kept.name, 0), 0..<5))
                try await engine.applyRetention(spec.name, 40_000)
                try checkEqual(try await logs[1].contents(of: partition).count, 5, "records within retention")
                try await logs[0].appendAll(LogAppend.numbers(partition, 5..<8))
                try await engine.applyRetention(spec.name, 40_000)
                try checkEqual(try await logs[1].bounds(of: partition), OffsetBounds(start: 5, end: 8), "bounds")
                let texts = try await logs[1].contents(of: partition).map { $0.text ?? "nil" }
                try checkEqual(texts, ["5", "6", "7"], "what is left")
                let forever = try await logs[1].contents(of: TopicPartition(kept.name, 0))
                try checkEqual(forever.count, 5, "records of a topic without retention")
            }
        },
    ]
}
