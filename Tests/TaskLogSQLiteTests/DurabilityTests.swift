import Foundation
import ServiceRuntime
import Synchronization
import TaskLog
import TaskModel
import TaskTestKit
import Testing

@testable import TaskLogSQLite

private final class Tally: Sendable {
    let count = Atomic<Int>(0)
}

/// What is acked stays; what fails leaves the log usable.
@Suite struct DurabilityTests {
    @Test func recordsCommitsAndTopicsOutliveTheHandle() async throws {
        try await TestFile.with { file in
            let first = try await file.open()
            let spec = TopicSpec(
                name: "kept", partitions: 3, cleanup: .delete(retentionMilliseconds: 1000), maximumRecordBytes: 777,
                settings: ["segment.ms": "600000"])
            let made = try await first.ensure(topics: [topic, spec])
            _ = try await first.append(.text(one, "kept"))
            await first.close()

            let second = try await file.open()
            #expect(try await second.texts(of: one) == ["kept"])
            #expect(try await second.describe(topics: ["kept", "topic", "none"]).map(\.name) == ["kept", "topic"])
            #expect(try await second.describe(topics: ["topic", "kept"]) == made)
            #expect(made[1].settings["cleanup.policy"] == "delete")
            #expect(made[1].settings["retention.ms"] == "1000")
            #expect(made[1].settings["max.message.bytes"] == "777")
            #expect(made[1].settings["segment.ms"] == "600000")
            await second.close()
        }
    }

    /// The files as they lie there while a handle is open are what a killed process, or a power loss, leaves.
    @Test func whatIsAckedIsInTheFilesWithoutAClose() async throws {
        try await TestFile.with { file in
            try await TestFile.with { copy in
                let log = try await file.open()
                _ = try await log.ensure(topics: [topic])
                for number in 0..<20 { _ = try await log.append(.text(zero, String(number))) }
                for suffix in ["", "-wal"] {
                    try FileManager.default.copyItem(atPath: file.path + suffix, toPath: copy.path + suffix)
                }
                let other = try await copy.open()
                #expect(try await other.texts(of: zero) == (0..<20).map(String.init))
                #expect(try await other.append(.text(zero, "next")).offset == 20)
                await other.close()
                await log.close()
            }
        }
    }

    @Test func aHandleThatIsDroppedWithoutCloseLeavesAllToTheNext() async throws {
        try await TestFile.with { file in
            var log: SQLiteTaskLog? = try await file.open()
            _ = try await log?.ensure(topics: [topic])
            _ = try await log?.append(.text(zero, "a"))
            log = nil
            let next = try await file.open()
            #expect(try await next.texts(of: zero) == ["a"])
            await next.close()
        }
    }

    @Test func offsetsAreNeverUsedAgainAndTimeNeverGoesBack() async throws {
        try await TestFile.with { file in
            let time = ShiftedTimeSource()
            let log = try await file.open(time: time)
            _ = try await log.ensure(topics: [topic])
            let before = try await log.append(.text(zero, "a"))
            try await log.trim(zero, before: 1)
            await log.close()

            time.stepWall(by: -3_600_000)
            let again = try await file.open(time: time)
            let after = try await again.append(.text(zero, "b"))
            #expect(after.offset == 1)
            #expect(after.timestamp >= before.timestamp)
            #expect(try await again.bounds(of: [zero])[zero] == OffsetBounds(start: 1, end: 2))
            #expect(try RawDatabase(file.path).integer("SELECT count(*) FROM record") == 1)
            await again.close()
        }
    }

    @Test func aFullDiskFailsTheAppendsAndPasses() async throws {
        try await TestFile.with { file in
            let log = try await file.open(.quiet.with { $0.maximumPages = 60 })
            _ = try await log.ensure(topics: [topic])
            let kilobytes = Array(repeating: UInt8(1), count: 20_000)
            let record = LogAppend(topic: "topic", partition: 0, key: nil, value: kilobytes)
            var acked: Int64 = 0
            var failure: LogError?
            while failure == nil {
                switch await log.append([record])[0] {
                case .success(let receipt): acked = receipt.offset + 1
                case .failure(let error): failure = error
                }
            }
            #expect(failure?.code == .storage)
            #expect(failure?.message.contains("no space left") == true)
            #expect(try await log.bounds(of: [zero])[zero]?.end == acked, "only what was acked is there")
            try await log.trim(zero, before: acked)
            #expect(try await log.append(record).offset == acked, "the space of deleted records is used again")
            await log.close()
        }
    }

    @Test func aFullDiskFailsEveryAppendThatWaitedForTheSameCommit() async throws {
        try await TestFile.with { file in
            let log = try await file.open(.quiet.with { $0.maximumPages = 60 })
            _ = try await log.ensure(topics: [topic])
            let big = LogAppend(
                topic: "topic", partition: 0, key: nil, value: Array(repeating: 1, count: 1_000_000))
            let results = await log.append([.text(zero, "small"), big, .text(one, "small")])
            for result in results {
                guard case .failure(let error) = result else {
                    Issue.record("part of a transaction was kept")
                    continue
                }
                #expect(error.code == .storage)
            }
            #expect(try await log.append(.text(zero, "small")).offset == 0)
            await log.close()
        }
    }

    @Test func concurrentAppendsShareTransactions() async throws {
        try await TestFile.with { file in
            let log = try await file.open(.quiet)
            _ = try await log.ensure(topics: [topic])
            let before = log.committedTransactions
            let raw = try RawDatabase(file.path)
            try raw.execute("BEGIN IMMEDIATE")
            let begun = Tally()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<400 {
                    group.addTask {
                        begun.count.add(1, ordering: .relaxed)
                        _ = try await log.append(.text(zero, String(number)))
                    }
                }
                while begun.count.load(ordering: .relaxed) < 400 { await Task.yield() }
                try raw.execute("COMMIT")
                try await group.waitForAll()
            }
            let used = log.committedTransactions - before
            #expect(used >= 1 && used <= 100, "\(used) transactions for 400 appends")
            #expect(try await log.bounds(of: [zero])[zero]?.end == 400)
            await log.close()
        }
    }

    @Test func aCallLargerThanTheWaitingRoomStillGoesThrough() async throws {
        try await TestFile.with { file in
            let log = try await file.open(
                .quiet.with {
                    $0.maximumWaitingBytes = 1000
                    $0.maximumCommitBytes = 1000
                })
            _ = try await log.ensure(topics: [topic])
            let sizes = [5000, 10, 3000, 400, 400, 400]
            try await withThrowingTaskGroup(of: Void.self) { group in
                for size in sizes {
                    group.addTask {
                        let value = Array(repeating: UInt8(1), count: size)
                        _ = try await log.append(LogAppend(topic: "topic", partition: 0, key: nil, value: value))
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await log.bounds(of: [zero])[zero]?.end == Int64(sizes.count))
            await log.close()
        }
    }
}
