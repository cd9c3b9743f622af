import TaskLog
import TaskModel
import TaskTestKit
import Testing

@testable import TaskLogSQLite

/// Retention, trimming and compaction, in bites.
@Suite struct UpkeepTests {
    private static let bites = SQLiteLogConfiguration.quiet.with { $0.maintenanceBiteRecords = 7 }

    @Test func trimmingDeletesTheRowsInBites() async throws {
        try await TestFile.with { file in
            let log = try await file.open(Self.bites)
            _ = try await log.ensure(topics: [topic])
            _ = await log.append((0..<100).map { .text(zero, String($0)) })
            let before = log.committedTransactions
            try await log.trim(zero, before: 60)
            #expect(log.committedTransactions - before >= 60 / 7)
            #expect(try RawDatabase(file.path).integer("SELECT count(*) FROM record") == 40)
            let error = try await logError { try await log.trim(zero, before: 101) }
            #expect(error?.code == .offsetOutOfRange)
            await log.close()
        }
    }

    @Test func rowsThatACrashLeftBelowTheStartGoWithTheNextRound() async throws {
        try await TestFile.with { file in
            let log = try await file.open(Self.bites)
            _ = try await log.ensure(topics: [topic])
            _ = await log.append((0..<20).map { .text(zero, String($0)) })
            try RawDatabase(file.path).execute("UPDATE partition SET first_offset = 12 WHERE id = 1")
            #expect(try await log.texts(of: zero) == (12..<20).map(String.init))
            await log.keepUp(interval: 1000)
            #expect(try RawDatabase(file.path).integer("SELECT count(*) FROM record") == 8)
            await log.close()
        }
    }

    @Test func oneProcessHasTheDuty() async throws {
        try await TestFile.with { file in
            let time = ShiftedTimeSource()
            let logs = [try await file.open(time: time), try await file.open(time: time)]
            let spec = TopicSpec(name: "short", partitions: 1, cleanup: .delete(retentionMilliseconds: 1000))
            let partition = TopicPartition("short", 0)
            _ = try await logs[0].ensure(topics: [spec])
            await logs[0].keepUp(interval: 1000)
            _ = try await logs[0].append(.text(partition, "a"))
            time.stepWall(by: 5000)
            await logs[1].keepUp(interval: 1000)
            #expect(try await logs[1].bounds(of: [partition])[partition]?.start == 0, "the other one has the duty")
            time.stepUptime(by: 2001)
            await logs[1].keepUp(interval: 1000)
            #expect(try await logs[1].bounds(of: [partition])[partition]?.start == 1, "which it did not renew")
            for log in logs { await log.close() }
        }
    }

    @Test func compactionKeepsTheLastOfEachKeyAndTombstonesForADay() async throws {
        try await TestFile.with { file in
            let time = ShiftedTimeSource()
            let log = try await file.open(Self.bites, time: time)
            let spec = TopicSpec(name: "compacted", partitions: 1, cleanup: .compact)
            let partition = TopicPartition("compacted", 0)
            _ = try await log.ensure(topics: [spec])
            for round in 0..<4 {
                _ = await log.append((0..<25).map { .text(partition, "\(round)-\($0)", key: "\($0)") })
                try await log.compact(topic: "compacted")
            }
            #expect(try await log.texts(of: partition) == (0..<25).map { "3-\($0)" })
            let tombstone = LogAppend(topic: "compacted", partition: 0, key: Array("7".utf8), value: nil)
            _ = try await log.append(tombstone)
            try await log.compact(topic: "compacted")
            #expect(try await log.texts(of: partition).count == 25, "24 values and a tombstone")
            time.stepWall(by: 86_400_001)
            try await log.compact(topic: "compacted")
            #expect(try await log.texts(of: partition) == (0..<25).filter { $0 != 7 }.map { "3-\($0)" })
            #expect(try await log.bounds(of: [partition])[partition]?.end == 101)
            await log.close()
        }
    }

    @Test func aBackgroundRoundCompactsWhatHasWaitedLongEnough() async throws {
        try await TestFile.with { file in
            let time = ShiftedTimeSource()
            let log = try await file.open(time: time)
            let spec = TopicSpec(
                name: "compacted", partitions: 1, cleanup: .compact, settings: ["max.compaction.lag.ms": "60000"])
            let partition = TopicPartition("compacted", 0)
            _ = try await log.ensure(topics: [spec])
            _ = await log.append((0..<10).map { .text(partition, "\($0)") })
            await log.keepUp(interval: 1000)
            #expect(try await log.texts(of: partition).count == 10)
            time.stepWall(by: 60_001)
            await log.keepUp(interval: 1000)
            #expect(try await log.texts(of: partition) == ["9"])
            await log.close()
        }
    }

    @Test func aCompactedTopicTakesNoRecordWithoutAKey() async throws {
        try await TestFile.with { file in
            let log = try await file.open()
            _ = try await log.ensure(topics: [TopicSpec(name: "compacted", partitions: 1, cleanup: .compact)])
            let error = try await logError {
                _ = try await log.append(LogAppend(topic: "compacted", partition: 0, key: nil, value: [1]))
            }
            #expect(error?.message.contains("without a key") == true)
            await log.close()
        }
    }
}
