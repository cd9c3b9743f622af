internal import TaskLog
import TaskTestKit
import Testing

/// What the in-memory group does beyond the suite: exact generations, and members that come back.
@Suite struct MemoryGroupTests {
    @Test func aRebalanceIsEager() async throws {
        let world = try await MemoryLogWorld()
        let first = try await world.log.join(world.options("a"))
        #expect(story(try await first.next()) == "assigned 0,1 in 1")
        let second = try await MemoryTaskLog(broker: world.broker).join(world.options("b"))
        #expect(story(try await first.next()) == "revoking 0,1")
        await first.release([world.zero])
        #expect(world.broker.members(of: "g").count == 2)
        await first.release([world.one])
        #expect(story(try await first.next()) == "assigned 0 in 2")
        #expect(story(try await second.next()) == "assigned 1 in 2")
    }

    /// Half a release leaves the other half with its owner until the deadline.
    @Test func theDeadlineTakesWhatWasNotReleased() async throws {
        let world = try await MemoryLogWorld()
        let first = try await world.log.join(world.options("a"))
        #expect(story(try await first.next()) == "assigned 0,1 in 1")
        let second = try await world.log.join(world.options("b"))
        #expect(story(try await first.next()) == "revoking 0,1")
        await first.release([world.zero])
        try await first.commit([world.one: CommittedOffset(offset: 1)])
        world.time.advance(milliseconds: 1999)
        try await first.commit([world.one: CommittedOffset(offset: 2)])
        world.time.advance(milliseconds: 1)
        #expect(story(try await first.next()) == "lost 1")
        #expect(story(try await first.next()) == "assigned 0 in 2")
        #expect(story(try await second.next()) == "assigned 1 in 2")
    }

    @Test func aSessionEndsExactlyAtItsTimeout() async throws {
        let world = try await MemoryLogWorld()
        let other = MemoryTaskLog(broker: world.broker)
        let zombie = try await world.log.join(world.options("a"))
        #expect(story(try await zombie.next()) == "assigned 0,1 in 1")
        world.log.vanish()
        world.time.advance(milliseconds: 7999)
        try await zombie.commit([world.zero: CommittedOffset(offset: 0)])
        let survivor = try await other.join(world.options("b"))
        #expect(story(try await zombie.next()) == "revoking 0,1")
        world.time.advance(milliseconds: 1)
        #expect(story(try await survivor.next()) == "assigned 0,1 in 2")
        #expect(story(try await zombie.next()) == "lost 0,1")
        await #expect(throws: LogError(.fenced, "")) {
            try await zombie.commit([world.zero: CommittedOffset(offset: 9)])
        }
    }

    /// A process that stood still for less than its session has lost nothing.
    @Test func backInTimeKeepsEverything() async throws {
        let world = try await MemoryLogWorld()
        let member = try await world.log.join(world.options("a"))
        #expect(story(try await member.next()) == "assigned 0,1 in 1")
        world.log.vanish()
        world.time.advance(milliseconds: 5000)
        world.log.returnToLife()
        world.time.advance(milliseconds: 60_000)
        try await member.start([world.zero: 0])
        _ = try await world.log.append(world.record("x"))
        #expect(story(try await member.next()) == "records x")
    }

    @Test func backTooLateJoinsAgain() async throws {
        let world = try await MemoryLogWorld()
        let other = MemoryTaskLog(broker: world.broker)
        let sleeper = try await world.log.join(world.options("a"))
        #expect(story(try await sleeper.next()) == "assigned 0,1 in 1")
        world.log.vanish()
        world.time.advance(milliseconds: 8000)
        let survivor = try await other.join(world.options("b"))
        #expect(story(try await survivor.next()).hasPrefix("assigned 0,1"))
        world.log.returnToLife()
        #expect(story(try await sleeper.next()) == "lost 0,1")
        #expect(story(try await survivor.next()) == "revoking 0,1")
        await survivor.release([world.zero, world.one])
        #expect(story(try await sleeper.next()).hasPrefix("assigned 0 in"))
        #expect(story(try await survivor.next()).hasPrefix("assigned 1 in"))
    }

    /// Until it hears of its loss a zombie goes on reading, as one does on Kafka.
    @Test func aZombieReadsOn() async throws {
        let world = try await MemoryLogWorld()
        let zombie = try await world.log.join(world.options("a"))
        #expect(story(try await zombie.next()) == "assigned 0,1 in 1")
        try await zombie.start([world.zero: 0])
        world.log.vanish()
        _ = try await world.log.append(world.record("x"))
        #expect(story(try await zombie.next()) == "records x")
    }

    @Test func aCrashedProcessCanDoNothing() async throws {
        let world = try await MemoryLogWorld()
        let doomed = MemoryTaskLog(broker: world.broker)
        let member = try await doomed.join(world.options("a"))
        #expect(story(try await member.next()) == "assigned 0,1 in 1")
        doomed.crash()
        await #expect(throws: LogError(.closed, "")) { try await member.next() }
        await #expect(throws: LogError(.closed, "")) { try await doomed.append(world.record("late")) }
        #expect(world.texts == [])
        // It did not leave: the group waits for its session to end.
        #expect(world.broker.members(of: "g").count == 1)
        world.time.advance(milliseconds: 8000)
        #expect(world.broker.members(of: "g") == [])
    }

    @Test func startsOutsideTheLogAreRefused() async throws {
        let world = try await MemoryLogWorld()
        let member = try await world.log.join(world.options("a"))
        #expect(story(try await member.next()) == "assigned 0,1 in 1")
        await #expect(throws: LogError(.offsetOutOfRange, "")) { try await member.start([world.zero: 1]) }
    }

    @Test func aCancelledNextThrowsAndLosesNothing() async throws {
        let world = try await MemoryLogWorld()
        let member = try await world.log.join(world.options("a"))
        #expect(story(try await member.next()) == "assigned 0,1 in 1")
        try await member.start([world.zero: 0])
        let waiting = Task { try await member.next() }
        try await withTimeout("an idle member") { try await world.broker.waitForIdleMembers(of: "g") }
        waiting.cancel()
        let result = try await withTimeout("the cancelled next") { await waiting.result }
        #expect(throws: CancellationError.self) { try result.get() }
        _ = try await world.log.append(world.record("x"))
        #expect(story(try await member.next()) == "records x")
    }

    @Test func aBusyPartitionDoesNotStarveAnother() async throws {
        let world = try await MemoryLogWorld()
        var options = world.options("a")
        options.maximumBatchRecords = 2
        let member = try await world.log.join(options)
        #expect(story(try await member.next()) == "assigned 0,1 in 1")
        _ = await world.log.append((0..<10).map { world.record("busy\($0)") })
        _ = try await world.log.append(LogAppend(topic: "t", partition: 1, key: nil, value: Array("quiet".utf8)))
        try await member.start([world.zero: 0, world.one: 0])
        let batches = [story(try await member.next()), story(try await member.next())]
        #expect(batches.contains { $0.contains("quiet") })
    }

    /// Deadlines on clocks other than the manual one are met by a task that sleeps on that clock.
    @Test func anyTimeSourceDrivesTheDeadlines() async throws {
        let time = ManualTimeSource()
        let broker = MemoryBroker(time: PlainTimeSource(time))
        let log = MemoryTaskLog(broker: broker)
        _ = try await log.ensure(topics: [TopicSpec(name: "t", partitions: 1, cleanup: .never)])
        let options = GroupOptions(group: "g", topics: ["t"], clientID: "a")
        let late = try await log.join(options)
        #expect(story(try await late.next()) == "assigned 0 in 1")
        let second = try await MemoryTaskLog(broker: broker).join(options)
        #expect(story(try await late.next()) == "revoking 0")
        try await withTimeout("the deadline's sleeper") { try await time.waitForSleepers(count: 1) }
        time.advance(milliseconds: 2000)
        #expect(story(try await withTimeout("the loss") { try await late.next() }) == "lost 0")
        #expect(story(try await late.next()) == "assigned 0 in 2")
        #expect(story(try await second.next()) == "assigned  in 2")
    }
}
