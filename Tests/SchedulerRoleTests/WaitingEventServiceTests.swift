import SchedulerRole
import TaskLog
import TaskModel
import TaskTestKit
import Testing

/// Waiting events on a log in memory.
struct WaitingEventServiceTests {
    @Test func emitsAtItsTimeAndNotBefore() async throws {
        let harness = try await SchedulerHarness()
        try await harness.withScheduler { scheduler in
            try await scheduler.restored()
            try await harness.wait(
                WaitingEvent(event: event("e"), queue: "default", due: .after(milliseconds: 20_000)))
            try await scheduler.armed(inMilliseconds: 20_000)
            harness.time.advance(milliseconds: 19_999)
            try await scheduler.armed(inMilliseconds: 1)
            #expect(scheduler.emittedCount == 0)
            harness.time.advance(milliseconds: 1)
            try await scheduler.wait { if case .forgotten = $0 { true } else { false } }
        }
        let due = try await harness.due()
        #expect(due.count == 1)
        #expect(due.first?.dueAt == SchedulerHarness.start + 20_000)
        #expect(due.first?.payload == [1, 2, 3])
        #expect(try await harness.isRetryEmpty())
        let record = try await harness.records(of: harness.names.due("default"))[0]
        #expect(record.partition == Murmur2.partition(of: event("e").recordKey, count: 4))
    }

    /// The due event is durable, the tombstone is not: the successor emits the same coordinate again.
    @Test func aCrashBeforeTheTombstoneEmitsTheSameCoordinateAgain() async throws {
        let harness = try await SchedulerHarness()
        let late = Timestamp.epoch
        try await harness.wait(WaitingEvent(event: event("e"), queue: "default", due: .at(late)))
        try await harness.withScheduler("a") { first in
            first.log.faults.decideAppends { record in
                record.topic == "tidemill.retry" ? .refused(LogError(.unavailable, "test")) : .written
            }
            try await first.emitted(1)
            first.crash()
        }
        harness.time.advance(milliseconds: 60_000)
        try await harness.withScheduler("b") { second in
            try await second.wait { if case .forgotten = $0 { true } else { false } }
        }
        let due = try await harness.due()
        #expect(due.map(\.coordinate) == [event("e").coordinate, event("e").coordinate])
        #expect(try await harness.isRetryEmpty())
    }

    @Test func whatOneLeavesAnotherTakesOver() async throws {
        let harness = try await SchedulerHarness(partitions: 4)
        try await harness.withScheduler("a") { first in
            try await first.restored(8)
            try await harness.withScheduler("b") { second in
                try await second.restored(4)
                try await first.restored(12)
                for index in 0..<40 {
                    try await harness.wait(
                        WaitingEvent(event: event("e\(index)"), queue: "default", due: .after(milliseconds: 20_000)))
                }
                second.crash()
            }
            harness.time.advance(milliseconds: 15_000)
            try await first.restored(20)
            #expect(first.emittedCount == 0)
            harness.time.advance(milliseconds: 5000)
            try await first.emitted(40)
        }
        let fingerprints = try await harness.due().map(\.fingerprint)
        #expect(fingerprints.count == 40)
        #expect(Set(fingerprints).count == 40)
    }

    @Test func aCancelMarkerDropsWhatWaitsAndWhatComesLater() async throws {
        let harness = try await SchedulerHarness()
        try await harness.withScheduler { scheduler in
            try await scheduler.restored()
            var waiting = event("e")
            try await harness.wait(WaitingEvent(event: waiting, queue: "default", due: .after(milliseconds: 20_000)))
            try await harness.cancel(waiting)
            try await scheduler.wait { $0 == .forgotten(event("e").coordinate) }
            waiting.turn = 2
            let later = waiting.coordinate
            try await harness.wait(WaitingEvent(event: waiting, queue: "default", due: .after(milliseconds: 20_000)))
            try await scheduler.wait { $0 == .forgotten(later) }
            harness.time.advance(milliseconds: 60_000)
            // After its lifetime the marker goes too.
            try await scheduler.armed(inMilliseconds: 30_000)
            harness.time.advance(milliseconds: 86_400_000)
            try await harness.untilRetryIsEmpty()
            #expect(scheduler.emittedCount == 0)
        }
        #expect(try await harness.due().isEmpty)
        let journal = try await harness.journal(event("e").fingerprint.hex)
        #expect(journal.map(\.kind) == [.cancelled, .cancelled])
    }

    @Test func aPayloadBeyondTheBudgetIsFetchedAgain() async throws {
        let harness = try await SchedulerHarness()
        for index in 0..<50 {
            let payload = [UInt8](repeating: UInt8(index), count: 1000)
            try await harness.wait(
                WaitingEvent(
                    event: event("e\(index)", payload: payload), queue: "default", due: .after(milliseconds: 25_000)))
        }
        try await harness.withScheduler(payloadBudget: 4000) { scheduler in
            try await scheduler.restored()
            try await scheduler.armed(inMilliseconds: 15_000)
            harness.time.advance(milliseconds: 25_000)
            try await scheduler.emitted(50)
        }
        let due = try await harness.due()
        #expect(due.count == 50)
        for found in due {
            let index = try #require(UInt8(found.id.dropFirst()))
            #expect(found.payload == [UInt8](repeating: index, count: 1000))
        }
    }

    @Test func holdsEventsOfAQueueWithoutATopicAndEmitsThemOnceItExists() async throws {
        let harness = try await SchedulerHarness()
        try await harness.wait(WaitingEvent(event: event("e"), queue: "late", due: .at(.epoch)))
        try await harness.withScheduler { scheduler in
            try await scheduler.wait { $0 == .queueMissing("late") }
            try await scheduler.armed(inMilliseconds: 30_000)
            let plan = TopicPlan(queues: [QueuePlan(name: "late", partitions: 1)], replication: 1)
            _ = try await harness.log.ensure(topics: plan.specs)
            harness.time.advance(milliseconds: 30_000)
            try await scheduler.emitted(1)
        }
        #expect(try await harness.due("late").count == 1)
        #expect(try await harness.journal("late").map(\.kind) == [.held, .released])
    }

    @Test func whatCannotBeReadEndsAsADeadLetter() async throws {
        let harness = try await SchedulerHarness()
        var body = WaitingEvent(event: event("e"), queue: "default", due: .at(.epoch)).encoded()
        body.headers = body.headers.without(["tidemill_queue"])
        let partition = Murmur2.partition(of: event("e").fingerprint.bytes, count: 2)
        try await harness.append(harness.names.retry, partition, body)
        try await harness.append(
            harness.names.retry, partition, RecordBody(key: [0xff], value: [1], headers: []))
        try await harness.withScheduler { scheduler in
            try await scheduler.wait { $0 == .forgotten(event("e").coordinate) }
        }
        let letter = try #require(try await harness.records(of: harness.names.dead).first)
        #expect(letter.value == [1, 2, 3])
        let parsed = try DeadTopicRecord(
            key: letter.key, value: letter.value, headers: letter.headers,
            place: RecordPlace(topic: letter.topic, partition: letter.partition, offset: letter.offset))
        guard case .letter(let dead) = parsed else {
            Issue.record("a letter was expected")
            return
        }
        #expect(dead.reason == .undecodable)
        #expect(dead.raw?.headers.contains { $0.name == "ce_subject" } == true)
        let skipped = try await harness.records(of: harness.names.journal).filter {
            try JournalEntry(key: $0.key, value: $0.value).kind == .skipped
        }
        #expect(skipped.count == 1)
    }

    @Test func goesOnAfterTheLogWasAway() async throws {
        let harness = try await SchedulerHarness()
        try await harness.withScheduler { scheduler in
            try await scheduler.restored()
            try await harness.wait(
                WaitingEvent(event: event("e"), queue: "default", due: .after(milliseconds: 20_000)))
            try await scheduler.armed(inMilliseconds: 20_000)
            scheduler.log.faults.nextAppends(
                2, to: harness.names.due("default"), meet: .refused(LogError(.unavailable, "test")))
            harness.time.advance(milliseconds: 20_000)
            try await scheduler.armed(inMilliseconds: 100)
            harness.time.advance(milliseconds: 100)
            try await scheduler.armed(inMilliseconds: 200)
            #expect(scheduler.emittedCount == 0)
            harness.time.advance(milliseconds: 200)
            try await scheduler.wait { if case .forgotten = $0 { true } else { false } }
        }
        #expect(try await harness.due().count == 1)
    }
}

extension SchedulerHarness {
    /// Follows `retry` until every record has its tombstone.
    func untilRetryIsEmpty() async throws {
        let positions = (0..<partitions).map { (TopicPartition(names.retry, $0), Int64(0)) }
        let follower = try await log.follow(Dictionary(uniqueKeysWithValues: positions))
        while try await !isRetryEmpty() { _ = try await follower.next() }
        await follower.close()
    }
}
