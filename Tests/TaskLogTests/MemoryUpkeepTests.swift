internal import TaskLog
internal import TaskModel
import TaskTestKit
import Testing

@Suite struct MemoryUpkeepTests {
    /// The broker's time does not go back with the wall clock.
    @Test func brokerTimeStandsWhileTheClockIsBehind() async throws {
        let world = try await MemoryLogWorld()
        let first = try await world.log.append(world.record("a"))
        world.time.stepWall(by: -10_000)
        #expect(try await world.log.append(world.record("b")).timestamp == first.timestamp)
        world.time.stepWall(by: 10_005)
        #expect(try await world.log.append(world.record("c")).timestamp == first.timestamp + 5)
        #expect(try await world.log.offset(for: first.timestamp, in: world.zero) == 0)
        #expect(try await world.log.offset(for: first.timestamp + 1, in: world.zero) == 2)
    }

    @Test func youngTombstonesSurviveCompaction() async throws {
        let world = try await MemoryLogWorld(cleanup: .compact)
        _ = try await world.log.append(world.record("1", key: "k"))
        _ = try await world.log.append(LogAppend(topic: "t", partition: 0, key: Array("k".utf8), value: nil))
        world.broker.compact()
        #expect(world.broker.records(of: world.zero).map(\.offset) == [1])
        world.time.advance(milliseconds: 86_400_001)
        world.broker.compact("t")
        #expect(world.broker.records(of: world.zero) == [])
        #expect(try await world.log.bounds(of: [world.zero])[world.zero]?.end == 2)
    }

    @Test func compactionCanHappenByItself() async throws {
        let world = try await MemoryLogWorld(cleanup: .compact)
        world.broker.compactAutomatically(every: 10)
        for number in 0..<25 { _ = try await world.log.append(world.record(String(number), key: "k")) }
        #expect(world.texts == ["19", "20", "21", "22", "23", "24"])
    }

    @Test func aCompactedTopicTakesNoRecordWithoutAKey() async throws {
        let world = try await MemoryLogWorld(cleanup: .compact)
        await #expect(throws: LogError(.other, "")) { try await world.log.append(world.record("x")) }
    }

    @Test func scansAndTrimsPastTheEndAreRefused() async throws {
        let world = try await MemoryLogWorld()
        _ = try await world.log.append(world.record("a"))
        await #expect(throws: LogError(.offsetOutOfRange, "")) {
            try await world.log.scan(world.zero, from: 0, to: 2) { _ in true }
        }
        await #expect(throws: LogError(.offsetOutOfRange, "")) {
            try await world.log.trim(world.zero, before: 2)
        }
    }

    @Test func descriptionsNameTheSettingsAsKafkaDoes() async throws {
        let world = try await MemoryLogWorld(cleanup: .delete(retentionMilliseconds: 5000))
        let found = try #require(try await world.log.describe(topics: ["t"]).first)
        #expect(found.settings["cleanup.policy"] == "delete")
        #expect(found.settings["retention.ms"] == "5000")
        #expect(found.settings["max.message.bytes"] == "1048576")
        #expect(found.replication == 1)
    }
}
