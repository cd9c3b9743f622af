import Foundation
import ServiceRuntime
import TaskLog
import TaskModel
import TaskTestKit
import Testing

@testable import TaskLogSQLite

/// Handles that share a file as processes do.
@Suite struct SharingTests {
    /// The tick never comes in these tests unless they ask for it.
    private static let noTick = SQLiteLogConfiguration.quiet.with { $0.fallbackTickMilliseconds = 3_600_000 }

    @Test func twoWritersKeepOffsetsDense() async throws {
        try await TestFile.with { file in
            let logs = [
                try await file.open(.quiet.with { $0.wakePaths = [] }),
                try await file.open(.quiet.with { $0.wakePaths = [] }),
            ]
            _ = try await logs[0].ensure(topics: [topic])
            for number in 0..<30 {
                #expect(try await logs[number % 2].append(.text(zero, String(number))).offset == Int64(number))
            }
            #expect(try await logs[1].texts(of: zero) == (0..<30).map(String.init))
            for log in logs { await log.close() }
        }
    }

    @Test(arguments: [
        SQLiteLogConfiguration.WakePaths.inProcess, .socket, [.inProcess, .socket],
    ])
    func newsComesWithoutTheTick(by paths: SQLiteLogConfiguration.WakePaths) async throws {
        try await newsComes(Self.noTick.with { $0.wakePaths = paths })
    }

    @Test func newsComesByTheTickAlone() async throws {
        try await newsComes(
            .quiet.with {
                $0.wakePaths = []
                $0.fallbackTickMilliseconds = 20
            })
    }

    private func newsComes(_ configuration: SQLiteLogConfiguration) async throws {
        try await TestFile.with { file in
            let logs = [try await file.open(configuration), try await file.open(configuration)]
            _ = try await logs[0].ensure(topics: [topic])
            let follower = try await logs[1].follow([zero: 0])
            for number in 0..<20 {
                async let batch = follower.next()
                _ = try await logs[0].append(.text(zero, String(number)))
                #expect(try await batch?.map(\.offset) == [Int64(number)])
            }
            for log in logs { await log.close() }
        }
    }

    @Test func theSocketOfAKilledProcessIsRemoved() async throws {
        try await TestFile.with { file in
            // Bound and closed without unlink, as SIGKILL leaves it.
            let folder = file.path + "-wake"
            #expect(WakeFolder.make(folder))
            let path = folder + "/1-0000000000000000"
            try bindAndAbandon(path)
            let log = try await file.open(Self.noTick)
            _ = try await log.ensure(topics: [topic])
            _ = try await log.append(.text(zero, "a"))
            #expect(!FileManager.default.fileExists(atPath: path))
            await log.close()
        }
    }

    private func bindAndAbandon(_ path: String) throws {
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let bound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        #expect(bound == 0)
    }

    @Test func anotherBootKillsTheMembersOfTheOneBefore() async throws {
        try await TestFile.with { file in
            var options = GroupOptions(group: "group", topics: ["topic"], clientID: "old")
            options.sessionTimeoutMilliseconds = 3_600_000
            let old = try await file.open(Self.noTick.with { $0.bootID = "one" })
            _ = try await old.ensure(topics: [topic])
            let dead = try await old.join(options)
            guard case .assigned(let all, let first) = try await dead.next() else { throw TestFailure() }
            #expect(all == [zero, one])
            (dead as? SQLiteGroupMember)?.fallSilent()

            let new = try await file.open(Self.noTick.with { $0.bootID = "two" })
            options.clientID = "new"
            let member = try await new.join(options)
            guard case .assigned(let taken, let epoch) = try await member.next() else { throw TestFailure() }
            #expect(taken == [zero, one])
            #expect(epoch > first)
            let error = try await logError { try await dead.commit([zero: CommittedOffset(offset: 1)]) }
            #expect(error?.code == .fenced)
            for log in [old, new] { await log.close() }
        }
    }

    @Test func aProcessThatWasStoppedWakesUpToItsLoss() async throws {
        try await TestFile.with { file in
            let time = ShiftedTimeSource()
            let log = try await file.open(Self.noTick, time: time)
            _ = try await log.ensure(topics: [topic])
            _ = try await log.append(.text(zero, "a"))
            let member = try await log.join(GroupOptions(group: "group", topics: ["topic"], clientID: "only"))
            guard case .assigned(_, let first) = try await member.next() else { throw TestFailure() }
            try await member.start([zero: 0])
            // The clock went on, the process did not.
            time.stepUptime(by: 8001)
            guard case .lost(let lost) = try await member.next() else { throw TestFailure() }
            #expect(lost == [zero, one])
            guard case .assigned(let back, let second) = try await member.next() else { throw TestFailure() }
            #expect(back == [zero, one])
            #expect(second > first)
            await log.close()
        }
    }

    @Test func aTopicThatComesLaterIsAssigned() async throws {
        try await TestFile.with { file in
            let log = try await file.open(Self.noTick)
            let member = try await log.join(GroupOptions(group: "group", topics: ["topic"], clientID: "only"))
            guard case .assigned(let nothing, _) = try await member.next() else { throw TestFailure() }
            #expect(nothing.isEmpty)
            _ = try await log.ensure(topics: [topic])
            guard case .assigned(let all, _) = try await member.next() else { throw TestFailure() }
            #expect(all == [zero, one])
            await log.close()
        }
    }

    /// Lost and given again between two looks: nothing of before is fetched until the new assignment is started.
    @Test func aPartitionThatCameBackUnseenIsNotFetchedFromWhereItWas() async throws {
        try await TestFile.with { file in
            let log = try await file.open(.quiet)
            _ = try await log.ensure(topics: [topic])
            let member = try await log.join(GroupOptions(group: "group", topics: ["topic"], clientID: "only"))
            guard case .assigned = try await member.next() else { throw TestFailure() }
            _ = try await log.append(.text(zero, "a"))
            try await member.start([zero: 0])
            guard case .records = try await member.next() else { throw TestFailure() }
            try RawDatabase(file.path).execute("UPDATE consumer_group SET generation = generation + 1")
            guard case .lost = try await member.next() else { throw TestFailure() }
            guard case .assigned = try await member.next() else { throw TestFailure() }
            _ = try await log.append(.text(zero, "b"))
            async let wake = member.next()
            for _ in 0..<20 { _ = try await log.bounds(of: [zero]) }
            try await member.start([zero: 0])
            guard case .records(let records) = try await wake else { throw TestFailure() }
            #expect(records.map(\.offset) == [0, 1])
            await log.close()
        }
    }
}

struct TestFailure: Error {}
