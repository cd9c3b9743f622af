import Foundation
import ServiceRuntime
import TaskLog
import TaskTelemetry
import TaskTestKit
import Testing

@testable import TaskLogSQLite

/// A writer that holds the lock, from the outside.
@Suite struct LockTests {
    @Test func aLockedFileIsUnavailableAndThenServesAgain() async throws {
        try await TestFile.with { file in
            let sink = LineSink()
            let configuration = SQLiteLogConfiguration.quiet.with {
                $0.lockTimeoutMilliseconds = 400
                $0.lockWarningMilliseconds = 100
            }
            let log = try await file.open(configuration, logger: Logger(sink: sink))
            _ = try await log.ensure(topics: [topic])
            let raw = try RawDatabase(file.path)
            try raw.execute("BEGIN IMMEDIATE")
            let error = try await logError { _ = try await log.append(.text(zero, "a")) }
            #expect(error?.code == .unavailable)
            #expect(error?.isRetriable == true)
            #expect(error?.message.contains("a program that is not tidemill") == true)
            #expect(sink.lines.value.contains { $0.contains("waits for a lock") })
            #expect(try await log.bounds(of: [zero])[zero]?.end == 0, "reading goes on")
            try raw.execute("COMMIT")
            #expect(try await log.append(.text(zero, "b")).offset == 0)
            await log.close()
        }
    }

    @Test func theWaiterNamesTheProcessThatHoldsTheLock() async throws {
        try await TestFile.with { file in
            let configuration = SQLiteLogConfiguration.quiet.with { $0.lockTimeoutMilliseconds = 100 }
            let log = try await file.open(configuration)
            _ = try await log.ensure(topics: [topic])
            let raw = try RawDatabase(file.path)
            try raw.execute("BEGIN IMMEDIATE")
            let since = SystemTimeSource().uptime() - 5000
            try "4242 \(since)\n".write(toFile: file.path + "-writer", atomically: false, encoding: .utf8)
            let error = try await logError { _ = try await log.append(.text(zero, "a")) }
            #expect(error?.message.contains("by process 4242, for 5") == true, "\(String(describing: error))")
            try raw.execute("COMMIT")
            await log.close()
        }
    }

    @Test func aWriterNotesItselfAndClearsTheNote() async throws {
        try await TestFile.with { file in
            let holder = LockHolder(databasePath: file.path)
            let reader = LockHolder(databasePath: file.path)
            holder.note(uptime: 1000)
            #expect(reader.describe(uptime: 1250) == "this process, for 250 ms")
            holder.clear()
            #expect(reader.describe(uptime: 1250).hasPrefix("a program that is not tidemill"))
            holder.close()
            reader.close()
        }
    }

    @Test func writersStandInLineOneAtATime() async throws {
        try await TestFile.with { file in
            let first = LockHolder(databasePath: file.path)
            let second = LockHolder(databasePath: file.path)
            #expect(first.queueUp())
            #expect(!second.queueUp(), "two handles stand in one place")
            first.stepForward()
            #expect(second.queueUp())
            second.stepForward()
            first.close()
            second.close()
        }
    }

    /// A process may be stopped while it stands in line.
    @Test func whoeverStaysInLineHoldsNobodyUp() async throws {
        try await TestFile.with { file in
            let log = try await file.open(.quiet)
            _ = try await log.ensure(topics: [topic])
            let other = LockHolder(databasePath: file.path)
            #expect(other.queueUp())
            for number in 0..<3 { #expect(try await log.append(.text(zero, "a")).offset == number) }
            other.stepForward()
            #expect(try await log.append(.text(zero, "b")).offset == 3)
            #expect(other.queueUp(), "the log does not leave the line when it writes")
            other.close()
            await log.close()
        }
    }

    /// The same when the waits of the others come to nothing meanwhile: all that time is forgiven, not only the last wait's.
    @Test func aLockThatOutlastsEveryWaitCostsNobodyItsPartitions() async throws {
        try await TestFile.with { file in
            let time = ShiftedTimeSource()
            let configuration = SQLiteLogConfiguration.quiet.with { $0.lockTimeoutMilliseconds = 50 }
            let log = try await file.open(configuration, time: time)
            let member = try await started(log)
            let raw = try RawDatabase(file.path)
            try raw.execute("BEGIN IMMEDIATE")
            for _ in 0..<3 {
                let error = try await logError { _ = try await log.append(.text(zero, "a")) }
                #expect(error?.code == .unavailable)
                time.stepUptime(by: 60_000)
            }
            try raw.execute("COMMIT")
            _ = try await log.append(.text(zero, "b"))
            try await expectRecord(member)
            await log.close()
        }
    }

    /// And when the one that was stopped inside its write is the first to write again.
    @Test func aLongWriteOfItsOwnCostsNobodyItsPartitions() async throws {
        try await TestFile.with { file in
            let time = ShiftedTimeSource()
            let log = try await file.open(.quiet, time: time)
            let member = try await started(log)
            try await log.writer.transact { _ in time.stepUptime(by: 60_000) }
            _ = try await log.append(.text(zero, "b"))
            try await expectRecord(member)
            await log.close()
        }
    }

    /// A member that owns the only partition, and fetches it.
    private func started(_ log: SQLiteTaskLog) async throws -> any GroupMember {
        _ = try await log.ensure(topics: [topic])
        let member = try await log.join(GroupOptions(group: "group", topics: ["topic"], clientID: "only"))
        guard case .assigned = try await member.next() else { throw TestFailure() }
        try await member.start([zero: 0])
        return member
    }

    /// The member has its partition still: it gets the one record, and may commit.
    private func expectRecord(_ member: any GroupMember) async throws {
        guard case .records(let records) = try await member.next() else {
            Issue.record("the member lost its partitions")
            return
        }
        #expect(records.count == 1)
        try await member.commit([zero: CommittedOffset(offset: 1)])
    }

    /// The process that was stopped inside a write stalls the others; it must not cost them their partitions.
    @Test func aLockThatOutlastsASessionCostsNobodyItsPartitions() async throws {
        try await TestFile.with { file in
            let sink = LineSink()
            let time = ShiftedTimeSource()
            let configuration = SQLiteLogConfiguration.quiet.with {
                $0.lockTimeoutMilliseconds = 3_600_000
                $0.lockWarningMilliseconds = 0
            }
            let log = try await file.open(configuration, time: time, logger: Logger(sink: sink))
            let member = try await started(log)
            let raw = try RawDatabase(file.path)
            try raw.execute("BEGIN IMMEDIATE")
            async let receipt = log.append(.text(zero, "a"))
            try await sink.lines.wait { $0.contains { $0.contains("waits for a lock") } }
            time.stepUptime(by: 60_000)
            try raw.execute("COMMIT")
            #expect(try await receipt.offset == 0)
            try await expectRecord(member)
            await log.close()
        }
    }

    @Test func closingDoesNotWaitForALockForEver() async throws {
        try await TestFile.with { file in
            let configuration = SQLiteLogConfiguration.quiet.with {
                $0.lockTimeoutMilliseconds = 3_600_000
                $0.closeTimeoutMilliseconds = 200
            }
            let log = try await file.open(configuration)
            _ = try await log.ensure(topics: [topic])
            let raw = try RawDatabase(file.path)
            try raw.execute("BEGIN IMMEDIATE")
            async let result = log.append([.text(zero, "a")])
            await log.close()
            guard case .failure(let error) = await result[0] else {
                Issue.record("an append went through a lock")
                return
            }
            #expect([.unavailable, .closed].contains(error.code))
        }
    }
}
