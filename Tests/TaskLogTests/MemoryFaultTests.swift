internal import TaskLog
import TaskTestKit
import Testing

@Suite struct MemoryFaultTests {
    private let lost = LogError(.unavailable, "scripted")

    @Test func refusedAppendsAreNotWritten() async throws {
        let world = try await MemoryLogWorld()
        world.log.faults.nextAppends(2, to: "t", meet: .refused(lost))
        let results = await world.log.append(["a", "b", "c"].map { world.record($0) })
        #expect(results.map { $0.isFailure } == [true, true, false])
        #expect(world.texts == ["c"])
    }

    @Test func anUnknownOutcomeIsWrittenAllTheSame() async throws {
        let world = try await MemoryLogWorld()
        world.log.faults.nextAppends(to: "t", meet: .writtenButFailed(lost))
        await #expect(throws: lost) { try await world.log.append(world.record("a")) }
        _ = try await world.log.append(world.record("a"))
        #expect(world.texts == ["a", "a"])
    }

    @Test func aRetryInsideTheEngineWritesTwice() async throws {
        let world = try await MemoryLogWorld()
        world.log.faults.decideAppends { $0.key == nil ? .writtenTwice : .written }
        #expect(try await world.log.append(world.record("a")).offset == 1)
        #expect(try await world.log.append(world.record("b", key: "k")).offset == 2)
        world.log.faults.decideAppends(nil)
        #expect(try await world.log.append(world.record("c")).offset == 3)
        #expect(world.texts == ["a", "a", "b", "c"])
    }

    @Test func faultsConcernOneHandleOnly() async throws {
        let world = try await MemoryLogWorld()
        let other = MemoryTaskLog(broker: world.broker)
        world.log.faults.makeUnavailable()
        await #expect(throws: lost) { try await world.log.append(world.record("a")) }
        await #expect(throws: lost) { try await world.log.bounds(of: [world.zero]) }
        _ = try await other.append(world.record("b"))
        world.log.faults.makeAvailable()
        _ = try await world.log.append(world.record("c"))
        #expect(world.texts == ["b", "c"])
    }

    @Test func acknowledgementsWaitForTheirRelease() async throws {
        let world = try await MemoryLogWorld()
        world.log.faults.holdAcknowledgements(of: "t")
        let hasReturned = Observed(false)
        let append = Task {
            let receipt = try await world.log.append(world.record("a"))
            hasReturned.update { $0 = true }
            return receipt
        }
        try await withTimeout("the append") { try await world.log.waitForAppend(to: "t", count: 1) }
        try await withTimeout("the held ack") { try await world.log.faults.waitForHeldAcknowledgements() }
        #expect(world.texts == ["a"])
        #expect(!hasReturned.value)
        world.log.faults.releaseAcknowledgements(of: "t")
        #expect(try await withTimeout("the ack") { try await append.value }.offset == 0)
    }

    @Test func heldDeliveriesComeAfterTheRelease() async throws {
        let world = try await MemoryLogWorld()
        let member = try await world.log.join(world.options("a"))
        #expect(story(try await member.next()) == "assigned 0,1 in 1")
        try await member.start([world.zero: 0])
        world.log.faults.holdDeliveries()
        let delivered = Observed<[String]>([])
        let reader = Task {
            let wake = story(try await member.next())
            delivered.update { $0.append(wake) }
        }
        _ = try await world.log.append(world.record("x"))
        // It looked again after the append, and found nothing that it may have.
        try await withTimeout("a held member") { try await world.broker.waitForIdleMembers(of: "g") }
        #expect(delivered.value == [])
        world.log.faults.releaseDeliveries()
        try await withTimeout("the reader") { try await reader.value }
        #expect(delivered.value == ["records x"])
    }

    @Test func callsCanBeMadeToFail() async throws {
        let world = try await MemoryLogWorld()
        let member = try await world.log.join(world.options("a"))
        #expect(story(try await member.next()) == "assigned 0,1 in 1")
        world.log.faults.failNext(.commit, with: LogError(.other, "scripted"))
        await #expect(throws: LogError(.other, "")) {
            try await member.commit([world.zero: CommittedOffset(offset: 0)])
        }
        try await member.commit([world.zero: CommittedOffset(offset: 0)])
        world.log.faults.failNext(.read, count: 2, with: lost)
        for _ in 0..<2 {
            await #expect(throws: lost) { try await world.log.committed(group: "g", partitions: [world.zero]) }
        }
        #expect(try await world.log.committed(group: "g", partitions: [world.zero]).count == 1)
    }

    @Test func signalsTellOfMembersCommitsAndIdleness() async throws {
        let world = try await MemoryLogWorld()
        let joined = Task { try await world.broker.waitForMembers(of: "g", count: 1) }
        let member = try await world.log.join(world.options("a"))
        try await withTimeout("the member") { try await joined.value }
        #expect(story(try await member.next()) == "assigned 0,1 in 1")
        let committed = Task { try await world.broker.waitForCommit(group: "g", world.zero, atLeast: 5) }
        try await member.commit([world.zero: CommittedOffset(offset: 4)])
        try await member.commit([world.zero: CommittedOffset(offset: 5)])
        try await withTimeout("the commit") { try await committed.value }
        #expect(world.broker.committed(group: "g", world.zero)?.offset == 5)
        await member.leave()
        try await withTimeout("the leave") { try await world.broker.waitForMembers(of: "g", count: 0) }
    }
}

extension Result {
    fileprivate var isFailure: Bool {
        if case .failure = self { true } else { false }
    }
}
